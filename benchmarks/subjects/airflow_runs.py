"""Airflow: runs submitted over REST until a client has seen their end: ``airflow_runs.py PORT ROUNDS``.

There is no stream of a run's state: the client asks every 20 ms.
"""

import json
import sys
import time
import urllib.error
import urllib.request

HEADERS = {"content-type": "application/json"}


def ask(path: str, body: object = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{sys.argv[1]}{path}", data, HEADERS)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)


def main() -> None:
    HEADERS["authorization"] = f"Bearer {ask('/auth/token')['access_token']}"
    deadline = time.monotonic() + 90
    while True:
        try:
            ask("/api/v2/dags/three")
            break
        except urllib.error.HTTPError:
            # It reads the directory every now and then.
            assert time.monotonic() < deadline
            time.sleep(0.2)
    times = []
    for number in range(int(sys.argv[2]) + 1):
        begin = time.perf_counter()
        run = ask("/api/v2/dags/three/dagRuns", {"logical_date": None})["dag_run_id"]
        while (state := ask(f"/api/v2/dags/three/dagRuns/{run}")["state"]) not in ("success", "failed"):
            assert time.perf_counter() < begin + 120
            time.sleep(0.02)
        assert state == "success", state
        if number:
            times.append(time.perf_counter() - begin)
    print(json.dumps({"submitted": times}))


if __name__ == "__main__":
    main()
