"""Runs of three steps, submitted to a server until a client has seen their end: ``server_runs.py PORT ROUNDS``.

Submitted with ``CreateExecution`` over gRPC; then the run's event stream over HTTP until its ``end``, which is told
once the end is on disk. One connection of each kind, opened before. And by our own client over REST: ``execute`` and
``wait``, which listens to the same stream and brings the outputs. Tasks run in the server's worker processes, which the
first rounds have warmed.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Callable

import grpc
from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2, literals_pb2
from flyteidl.service import admin_pb2_grpc

from whimbrel.client.configuration import Config
from whimbrel.client.remote import Remote

WARM_UP = 10
INPUTS = literals_pb2.LiteralMap(
    literals={"x": literals_pb2.Literal(scalar=literals_pb2.Scalar(primitive=literals_pb2.Primitive(integer=1)))}
)


def target(kind: int, name: str) -> identifier_pb2.Identifier:
    """What is launched."""
    return identifier_pb2.Identifier(
        resource_type=kind, project="flytesnacks", domain="development", name=f"three_steps.{name}", version="v1"
    )


class Client:
    """Submits runs and follows them."""

    def __init__(self, port: int) -> None:
        self._admin = admin_pb2_grpc.AdminServiceStub(grpc.insecure_channel(f"127.0.0.1:{port}"))
        self._http = http.client.HTTPConnection("127.0.0.1", port)

    def submit(self, launched: identifier_pb2.Identifier) -> str:
        """Launch; the execution's name."""
        request = execution_pb2.ExecutionCreateRequest(
            project="flytesnacks",
            domain="development",
            spec=execution_pb2.ExecutionSpec(launch_plan=launched),
            inputs=INPUTS,
        )
        name: str = self._admin.CreateExecution(request).id.name
        return name

    def follow(self, run: str) -> str:
        """Wait for the end; the phase."""
        self._http.request("GET", f"/api/v1/runs/{run}/events?form=end")
        phase = ""
        answer = self._http.getresponse()
        for line in answer:
            if line == b"event: end\n":
                phase = json.loads(answer.readline().partition(b": ")[2])["phase"]
        return phase


def measure(run: Callable[[], str], rounds: int) -> list[float]:
    """Seconds from submit to end."""
    times = []
    for number in range(rounds + WARM_UP):
        begin = time.perf_counter()
        phase = run()
        assert phase == "SUCCEEDED", phase
        if number >= WARM_UP:
            times.append(time.perf_counter() - begin)
    return times


def main() -> None:
    """Both programs, both ways."""
    port, rounds = int(sys.argv[1]), int(sys.argv[2])
    client = Client(port)
    plan, eager = target(identifier_pb2.LAUNCH_PLAN, "three"), target(identifier_pb2.TASK, "three_eager")
    figures = {
        "static": measure(lambda: client.follow(client.submit(plan)), rounds),
        "eager": measure(lambda: client.follow(client.submit(eager)), rounds),
    }
    with Remote(Config(endpoint=f"127.0.0.1:{port}")) as remote:
        fetched = remote.fetch_launch_plan("three_steps.three", "v1")
        figures["static, by Remote"] = measure(
            lambda: remote.wait(remote.execute(fetched, {"x": 1})).phase.value, rounds
        )
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
