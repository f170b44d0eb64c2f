"""What a server keeps in memory does not grow with the runs that it has carried out: everything that can be reached
from it is counted, before and after some hundreds more."""

from __future__ import annotations

import asyncio
import functools
import gc
import itertools
import sys
import types
from collections import Counter
from pathlib import Path
from typing import Any

import grpc.aio
import httpx
import pytest
from flyteidl.admin import execution_pb2
from flyteidl.service import admin_pb2_grpc

from tests.e2e.server.upping import FLOWS
from whimbrel.controlplane import executions, plane
from whimbrel.model.codec import encode
from whimbrel.model.run import Phase
from whimbrel.runtime.loading import load_module, locate
from whimbrel.server import app
from whimbrel.server.app import Server
from whimbrel.server.feed import Feed
from whimbrel.server.grpc import holding
from whimbrel.server.house import ServerConfig
from whimbrel.wire.rest.registering import MSGPACK, Registration

FIRST, MORE = 100, 200
SPARE = 100
"""Objects: buffers, timers and tasks that happen to be there. One a run would be ``MORE``, and a run has many."""


def reached(root: object) -> Counter[str]:
    """How many objects of each type can be reached from ``root``, modules and classes aside."""
    gc.collect()
    ours = set(map(id, (sys.modules, *(module.__dict__ for module in list(sys.modules.values())))))
    seen: dict[int, object] = {}
    ahead = [root]
    while ahead:
        found = ahead.pop()
        if id(found) in seen or id(found) in ours or isinstance(found, type | types.ModuleType):
            continue
        if isinstance(found, asyncio.TimerHandle) and found.cancelled():
            # Event loops sweep these out when there are a hundred.
            continue
        seen[id(found)] = found
        ahead += gc.get_referents(found)
    return Counter(type(found).__name__ for found in seen.values())


def test_what_is_kept_does_not_grow_with_the_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # What is bounded by design has its bounds reached early.
    monkeypatch.setattr(app, "Feed", functools.partial(Feed, remembered=20))
    monkeypatch.setattr(plane, "KEPT", 20)
    monkeypatch.setattr(holding, "_REMEMBERED", 4)
    monkeypatch.setattr(executions, "_KEPT", 20)
    where = locate(FLOWS)
    module = load_module(where.module, where.root)
    flow = module.adds
    numbers = itertools.count()
    literals = flow.signature.encode_inputs(flow.signature.bind((), {"x": 1}))

    async def main() -> None:
        server = Server(ServerConfig(tmp_path / "home", port=0, workers=1))
        await server.start()
        try:
            async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=60) as http:
                program = module.through.program()
                said = await http.post(
                    "/projects/flytesnacks/domains/development/register",
                    content=encode(Registration("v1", "", "3.11", program)),
                    headers={"content-type": MSGPACK},
                )
                assert said.status_code == 200, said.text
                await go(server, http, FIRST)
                before = reached(server)
                await go(server, http, MORE)
                for _ in range(50):
                    grown = reached(server)
                    grown.subtract(before)
                    if sum(grown.values()) < SPARE:
                        break
                    # Connections that were closed a moment ago are on their way out.
                    await asyncio.sleep(0.1)
        finally:
            await server.stop()
        assert sum(grown.values()) < SPARE, grown.most_common(10)

    async def go(server: Server, http: httpx.AsyncClient, runs: int) -> None:
        engine: Any = server.house.plane
        for _ in range(runs // 20):
            begun = await asyncio.gather(*(engine.launch(flow.program(), flow.name, literals) for _ in range(20)))
            for run in begun:
                assert (await asyncio.wait_for(engine.wait(run), 60)).phase is Phase.SUCCEEDED
            for run in begun[:3]:
                # Followed to the end, read and listed, as people do.
                answers = [
                    await http.get(f"/runs/{run}/events"),
                    await http.get(f"/runs/{run}"),
                    await http.get("/runs"),
                ]
                assert [answer.status_code for answer in answers] == [200, 200, 200]
            # And as clients do: by name, over both protocols.
            names = [f"e{next(numbers)}" for _ in range(4)]
            body = {"project": "flytesnacks", "domain": "development", "kind": "workflow", "inputs": {"x": 1}}
            for name in names:
                said = await http.post("/runs", json={**body, "name": "flow_programs.through", "run_name": name})
                assert said.status_code == 201, said.text
                await asyncio.wait_for(engine.wait(said.json()["run"]), 60)
                assert (await http.get(f"/runs/{said.json()['run']}/data")).status_code == 200
            async with grpc.aio.insecure_channel(server.url.removeprefix("http://")) as channel:
                stub: Any = admin_pb2_grpc.AdminServiceStub(channel)
                for name in names:
                    asked = execution_pb2.WorkflowExecutionGetRequest()
                    asked.id.project, asked.id.domain, asked.id.name = "flytesnacks", "development", name
                    assert (await stub.GetExecution(asked, timeout=60)).closure.phase == 4
        # Of a run that ended long ago the store is asked.
        oldest = (await server.house.home.store.summaries(limit=1000))[-1]
        assert (await engine.wait(oldest.id)).outputs

    asyncio.run(main())
