"""Two who act on one run, and who they are to the server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.server.native import Client, registration, serving
from whimbrel.cli.settings import looking
from whimbrel.controlplane.answering import as_it_will_be
from whimbrel.errors import RunNotResumable
from whimbrel.model.run import Phase

HERE = {"project": "flytesnacks", "domain": "development"}
FILES = {
    "pkg/__init__.py": "",
    "pkg/flow.py": """
        from whimbrel import approve, task, workflow

        @task
        def keep(x: int) -> int:
            return x

        @workflow
        def asks(x: int) -> int:
            return keep(x=approve(approve(keep(x=x), "first", timeout=None), "second", timeout=3600.0))
        """,
}


async def waiting(client: Client, run: str, gate: str) -> Any:
    while True:
        found = [each for each in (await client.get(f"/api/v1/runs/{run}"))["waiting"] if each["gate"] == gate]
        if found:
            return found[0]
        await asyncio.sleep(0.01)


def test_the_second_who_answers_is_told_of_the_first(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await client.register(registration(tmp_path, FILES, "pkg.flow", "asks", version="v1"), FILES)
            said = {**HERE, "kind": "workflow", "name": "pkg.flow.asks", "inputs": {"x": 1}}
            run = (await client.post("/api/v1/runs", said, 201))["run"]
            gate = await waiting(client, run, "first")
            assert (gate["wanted"], gate["until"]) == ({"type": "simple", "simple": "boolean"}, None)
            await client.post(f"/api/v1/runs/{run}/approve", {"gate": "first", "by": "ada"}, 202)
            assert (await waiting(client, run, "second"))["until"] is not None
            for name in ("first", gate["path"]):
                refused = await client.post(f"/api/v1/runs/{run}/reject", {"gate": name}, 400)
                assert "is over: it is SUCCEEDED; ada has answered it at 20" in refused["detail"]
            await client.post(f"/api/v1/runs/{run}/abort", {}, 202)
            await client.ended(run)
            assert "has ended already" in (await client.post(f"/api/v1/runs/{run}/abort", {}, 409))["detail"]
            assert (
                "has ended (ABORTED)"
                in (await client.post(f"/api/v1/runs/{run}/approve", {"gate": "x"}, 409))["detail"]
            )

    asyncio.run(scenario())


def test_a_run_that_has_ended_since_its_row_was_read_hears_nothing_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await client.register(registration(tmp_path, FILES, "pkg.flow", "asks", version="v1"), FILES)
            said = {**HERE, "kind": "workflow", "name": "pkg.flow.asks", "inputs": {"x": 1}}
            run = (await client.post("/api/v1/runs", said, 201))["run"]
            await waiting(client, run, "first")
            for gate in ("first", "second"):
                await client.post(f"/api/v1/runs/{run}/approve", {"gate": gate}, 202)
            await client.ended(run)
        async with looking(tmp_path / "home") as opened:
            row = msgspec.structs.replace(await opened.store.summary(run), phase=Phase.RUNNING)
            with pytest.raises(RunNotResumable, match="has ended"):
                await as_it_will_be(opened.store, row, 0.0)

    asyncio.run(scenario())


def test_without_authentication_everybody_may_everything(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            everything = ["read", "launch", "answer", "register", "admin"]
            allowed = [{"project": "*", "domain": "*", "actions": everything}]
            assert await client.get("/api/v1/me") == {"principal": "", "name": "", "email": "", "allowed": allowed}

    asyncio.run(scenario())
