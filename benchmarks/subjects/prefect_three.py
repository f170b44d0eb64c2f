"""Prefect: a flow of three tasks, against the server that ``PREFECT_API_URL`` names: ``prefect_three.py ROUNDS``.

``called``: the flow is called in this process, warm, which is the quickest that Prefect offers; each state goes to the
server, and the call returns after the last. ``submitted``: it is served as a deployment and submitted to the server,
whose runner starts a process for it, until the client has seen its end (by Prefect's own wait).
"""

import json
import os
import sys
import threading
import time

from prefect import flow, task
from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.deployments import run_deployment

SUBMITTED = 2


@task
def step(x: int) -> int:
    return x + 1


@flow
def three(x: int) -> int:
    return step(step(step(x)))


def main() -> None:
    rounds = int(sys.argv[1])
    called = []
    for number in range(rounds + 2):
        begin = time.perf_counter()
        assert three(1) == 4
        if number >= 2:
            called.append(time.perf_counter() - begin)
    client = get_client(sync_client=True)
    assert isinstance(client, SyncPrefectClient)
    serving = threading.Thread(target=lambda: three.serve(name="bench", pause_on_shutdown=False), daemon=True)
    serving.start()
    submitted = []
    deadline = time.monotonic() + 60
    while True:
        try:
            client.read_deployment_by_name("three/bench")
            break
        except Exception:
            assert time.monotonic() < deadline
            time.sleep(0.2)
    for number in range(SUBMITTED + 1):
        begin = time.perf_counter()
        ended = run_deployment("three/bench", parameters={"x": 1}, poll_interval=0.1, timeout=120)
        assert ended.state_name == "Completed", ended.state
        if number:
            submitted.append(time.perf_counter() - begin)
    print(json.dumps({"called": called, "submitted": submitted}), flush=True)
    # The thread that serves has no end.
    os._exit(0)


if __name__ == "__main__":
    main()
