"""Load: many clients at once over real sockets, half of them REST and half gRPC, against `whimbrel up`: each registers,
launches, follows and lists, over and over. No error, no lost run, and memory that does not grow.

``python benchmarks/load_clients.py --clients 200 --seconds 60``: one JSON line; the exit code is 1 when something was
lost, or went wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
from flyteidl.admin import common_pb2, execution_pb2, launch_plan_pb2
from flyteidl.core import identifier_pb2
from flyteidl.service import admin_pb2_grpc

from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.configuration import Config

PROGRAM = """
from whimbrel import task, workflow

@task
def double(x: int) -> int:
    return 2 * x

@workflow
def through(x: int) -> int:
    return x

@workflow
def works(x: int) -> int:
    return double(x=x)
"""
PROJECT, DOMAIN = "flytesnacks", "development"
WORKS = 0.1
"""Of the runs: those that have a task. The others measure the server, and not its workers."""
EARLY = 1 / 3
"""When memory is looked at first: what is built up once has been by then."""


class Load:
    """What the clients did, and how long each thing took."""

    def __init__(self, url: str, seconds: float) -> None:
        self.url = url
        self.until = time.monotonic() + seconds
        self.taken: dict[str, list[float]] = {}
        self.launched: set[str] = set()
        self.ended: set[str] = set()
        self.errors: Counter[str] = Counter()

    async def timed(self, what: str, work: Any) -> Any:
        """The result of ``work``."""
        begun = time.perf_counter()
        found = await work
        self.taken.setdefault(what, []).append(time.perf_counter() - begun)
        return found

    async def client(self, number: int) -> None:
        """One client, until the time is over."""
        act = self._rest if number % 2 else self._grpc
        chance = random.Random(number)
        try:
            await act(number, chance)
        except Exception as error:
            self.errors[f"{type(error).__name__}: {error}"[:300]] += 1

    async def _rest(self, number: int, chance: random.Random) -> None:
        async with httpx.AsyncClient(base_url=f"{self.url}/api/v1", timeout=120) as http:
            turn = 0
            while time.monotonic() < self.until:
                name = f"rest-{number}-{turn}"
                turn += 1
                if turn % 10 == 1:
                    project = {"id": name, "name": name, "description": ""}
                    answer = await self.timed("register", http.post("/projects", json=project))
                    answer.raise_for_status()
                body = {
                    "project": PROJECT,
                    "domain": DOMAIN,
                    "kind": "workflow",
                    "name": f"load_flow.{'works' if chance.random() < WORKS else 'through'}",
                    "run_name": name,
                    "inputs": {"x": turn},
                }
                answer = await self.timed("launch", http.post("/runs", json=body))
                answer.raise_for_status()
                run = answer.json()["run"]
                self.launched.add(name)
                if await self.timed("follow", self._followed(http, run)) == "SUCCEEDED":
                    self.ended.add(name)
                page = await self.timed("list", http.get("/runs", params={"project": PROJECT, "limit": "20"}))
                page.raise_for_status()

    async def _followed(self, http: httpx.AsyncClient, run: str) -> str:
        async with http.stream("GET", f"/runs/{run}/events") as answer:
            answer.raise_for_status()
            last = ""
            async for line in answer.aiter_lines():
                if line.startswith("event: "):
                    last = line.removeprefix("event: ")
                elif line.startswith("data: ") and last == "end":
                    return str(json.loads(line.removeprefix("data: "))["phase"])
        raise RuntimeError(f"the stream of {run} ended too early")

    async def _grpc(self, number: int, chance: random.Random) -> None:
        # A channel of its own: clients do not share connections.
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.insecure_channel(self.url.removeprefix("http://"), options=options) as channel:
            stub: Any = admin_pb2_grpc.AdminServiceStub(channel)
            turn = 0
            while time.monotonic() < self.until:
                name = f"grpc-{number}-{turn}"
                turn += 1
                which = "works" if chance.random() < WORKS else "through"
                plan = identifier_pb2.Identifier(
                    resource_type=identifier_pb2.LAUNCH_PLAN,
                    project=PROJECT,
                    domain=DOMAIN,
                    name=f"load_flow.{which}",
                    version="v1",
                )
                if turn % 10 == 1:
                    await self.timed("register", self._registered(stub, plan, name))
                request = execution_pb2.ExecutionCreateRequest(project=PROJECT, domain=DOMAIN, name=name)
                request.spec.launch_plan.CopyFrom(plan)
                request.inputs.literals["x"].scalar.primitive.integer = turn
                made = await self.timed("launch", stub.CreateExecution(request, timeout=120))
                self.launched.add(name)
                if await self.timed("follow", self._polled(stub, made.id)) == 4:  # SUCCEEDED
                    self.ended.add(name)
                query = common_pb2.ResourceListRequest(limit=20)
                query.id.project, query.id.domain = PROJECT, DOMAIN
                await self.timed("list", stub.ListExecutions(query, timeout=120))

    async def _registered(self, stub: Any, plan: Any, name: str) -> None:
        there = await stub.GetLaunchPlan(common_pb2.ObjectGetRequest(id=plan), timeout=120)
        request = launch_plan_pb2.LaunchPlanCreateRequest(id=plan, spec=there.spec)
        request.id.name, request.id.version = name, "v1"
        await stub.CreateLaunchPlan(request, timeout=120)

    async def _polled(self, stub: Any, id: Any) -> int:
        while True:
            found = await stub.GetExecution(execution_pb2.WorkflowExecutionGetRequest(id=id), timeout=120)
            if found.closure.phase in (4, 6, 7, 8):
                return int(found.closure.phase)
            await asyncio.sleep(0.05)


def megabytes(process: int) -> float:
    """The memory of a process that is its own, in RAM."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return round(int(line.split()[1]) / 1024, 1)
    raise RuntimeError("there is no such line")


def percentiles(seconds: list[float]) -> dict[str, float]:
    """In milliseconds."""
    ordered = sorted(seconds)

    def at(share: float) -> float:
        return round(ordered[min(math.ceil(share * len(ordered)), len(ordered)) - 1] * 1e3, 1)

    return {"n": len(ordered), "p50": at(0.5), "p95": at(0.95), "p99": at(0.99), "max": at(1.0)}


def serve(home: Path, log: Any) -> tuple[subprocess.Popen[str], str]:
    """A server, and where it is."""
    script = str(Path(sys.executable).with_name("whimbrel"))
    command = [script, "up", "--home", str(home), "--port", "0", "--workers", "2", "--log-level", "warning"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[-1]


async def put_to_work(process: int, url: str, directory: Path, clients: int, seconds: float) -> dict[str, Any]:
    """What came of it."""
    (directory / "load_flow.py").write_text(PROGRAM)
    async with AsyncRemote(Config(endpoint=url)) as remote:
        await remote.register(directory / "load_flow.py", version="v1", root=directory)
    load = Load(url, seconds)
    memory: list[float] = []

    async def watch() -> None:
        await asyncio.sleep(seconds * EARLY)
        memory.append(megabytes(process))
        await asyncio.sleep(seconds * (1 - EARLY))
        memory.append(megabytes(process))

    begun = time.monotonic()
    await asyncio.gather(watch(), *(load.client(number) for number in range(clients)))
    spent = time.monotonic() - begun
    async with httpx.AsyncClient(base_url=url, timeout=120) as http:
        kept = await there(http)
        ready = (await http.get("/readyz")).text.strip()
    return {
        "clients": clients,
        "seconds": round(spent, 1),
        "runs": len(load.launched),
        "requests_a_second": round(sum(map(len, load.taken.values())) / spent),
        "lost": len(load.launched - load.ended) + len(load.launched - kept),
        "errors": dict(load.errors.most_common(5)),
        "megabytes": memory,
        "ready": ready,
        "ms": {what: percentiles(taken) for what, taken in sorted(load.taken.items())},
    }


def measure(directory: Path, clients: int, seconds: float) -> dict[str, Any]:
    """What came of it, and how many lines of warning there are in the server's log."""
    log = directory / "log"
    with log.open("w") as errors:
        server, url = serve(directory / "home", errors)
        try:
            found = asyncio.run(put_to_work(server.pid, url, directory, clients, seconds))
        finally:
            server.terminate()
            server.wait(60)
            assert server.stdout is not None
            server.stdout.close()
    # Lines of JSON are the log; the rest is said to people.
    complaints = [line for line in log.read_text().splitlines() if line.startswith("{")]
    return {**found, "complaints": complaints[:3]}


async def there(http: httpx.AsyncClient) -> set[str]:
    """The names of the runs that succeeded, as the server lists them."""
    found: set[str] = set()
    cursor = ""
    while True:
        asked = {"limit": "500", "project": PROJECT, "phase": "SUCCEEDED", "cursor": cursor}
        page = (await http.get("/api/v1/runs", params=asked)).json()
        found |= {row["name"] for row in page["runs"]}
        cursor = page["next"]
        if not cursor:
            return found


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60.0)
    said = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        found = measure(Path(directory), said.clients, said.seconds)
    print(json.dumps(found))
    return 1 if found["lost"] or found["errors"] or found["complaints"] or found["ready"] != "ready" else 0


if __name__ == "__main__":
    sys.exit(main())
