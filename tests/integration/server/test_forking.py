"""Forks on a server: another version or other inputs, what that takes over, and the forecast that says so before."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from tests.integration.server.native import Client, registration, serving
from whimbrel.model.literals import IntLiteral
from whimbrel.wire.rest.launching import ExactForesee, ExactFork, Forecasts, Launched

HERE = {"project": "flytesnacks", "domain": "development"}


def flow(factor: int, extra: str = "") -> dict[str, str]:
    return {
        "pkg/__init__.py": "",
        "pkg/numbers.py": f"FACTOR = {factor}\n",
        "pkg/flow.py": f"""
            from pathlib import Path
            from whimbrel import LaunchPlan, eager, task, workflow
            from .numbers import FACTOR

            @task
            def load(x: int) -> int:
                return x

            @task
            def fit(x: int) -> int:
                return FACTOR * x

            @workflow
            def wf(x: int = 4{extra}) -> int:
                return fit(x=load(x=x))

            @task
            def opened(x: int, door: str) -> int:
                if not Path(door).exists():
                    raise ValueError("the door is shut")
                return x

            @workflow
            def doors(x: int, door: str) -> int:
                return opened(x=fit(x=x), door=door)

            @eager
            async def body(x: int) -> int:
                return await fit(x=await load(x=x))

            plan = LaunchPlan.get_or_create(wf, "plan", fixed_inputs={{"x": 10}})
            """,
    }


NAMES = ("wf", "doors", "body", "plan")


async def registered(
    client: Client, root: Path, version: str, factor: int, extra: str = "", names: Any = NAMES
) -> None:
    files = flow(factor, extra)
    await client.register(registration(root / version, files, "pkg.flow", *names, version=version), files)


async def done(client: Client, name: str, kind: str = "workflow", version: str = "v1", **inputs: Any) -> str:
    said = {**HERE, "kind": kind, "name": name, "version": version, "inputs": inputs}
    run: str = (await client.post("/api/v1/runs", said, 201))["run"]
    await client.ended(run)
    return run


async def foreseen(client: Client, run: str, **said: Any) -> tuple[str, dict[str, tuple[str, tuple[str, ...]]]]:
    told = await client.post(f"/api/v1/runs/{run}/forecast", said)
    lines = {line["path"]: (line["verdict"], tuple(line["why"])) for line in told["lines"]}
    counted = [verdict for verdict, _ in lines.values()]
    assert [told[each] for each in ("reuse", "run", "depends")] == [
        counted.count(each) for each in ("reuse", "run", "depends")
    ]
    return told["version"], lines


def phases(detail: Any) -> dict[str, str]:
    return {node["path"]: node["phase"] for node in detail["nodes"]}


def test_another_version_takes_what_it_leaves(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, "v1", 2)
            run = await done(client, "pkg.flow.wf", x=5)
            await registered(client, tmp_path, "v2", 3)
            version, lines = await foreseen(client, run)
            assert version == "v2"
            assert lines == {"n0": ("reuse", ()), "n1": ("run", ("constant pkg.flow.FACTOR has changed",))}
            said = {"run_name": "forked"}
            forked = await client.post(f"/api/v1/runs/{run}/fork", said, 201)
            assert (await client.post(f"/api/v1/runs/{run}/fork", said, 200))["run"] == forked["run"] == "forked"
            ended = await client.ended("forked")
            assert (ended["outputs"], ended["version"]) == ({"o0": 15}, "v2")
            assert phases(ended) == {"n0": "RECOVERED", "n1": "SUCCEEDED"}
            # The same code again: nothing is left to do. Other inputs: everything is.
            assert await foreseen(client, run, version="v1") == ("v1", {"n0": ("reuse", ()), "n1": ("reuse", ())})
            _, lines = await foreseen(client, run, version="v1", inputs={"x": 6})
            assert lines == {"n0": ("run", ("input x has changed",)), "n1": ("run", ("downstream of n0",))}
            other = await client.post(f"/api/v1/runs/{run}/fork", {"version": "v1", "inputs": {"x": 6}}, 201)
            assert (await client.ended(other["run"]))["outputs"] == {"o0": 12}

    asyncio.run(scenario())


def test_inputs_that_come_and_go(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, "v1", 2, ", y: int = 1")
            await registered(client, tmp_path, "v2", 2, ", *, z: int")
            run = await done(client, "pkg.flow.wf", x=5, y=7)
            refused = await client.post(f"/api/v1/runs/{run}/forecast", {}, 400)
            assert "'z'" in refused["detail"]
            await client.post(f"/api/v1/runs/{run}/fork", {}, 400)
            _, lines = await foreseen(client, run, inputs={"z": 1})
            assert {verdict for verdict, _ in lines.values()} == {"reuse"}
            forked = await client.post(f"/api/v1/runs/{run}/fork", {"inputs": {"z": 1}}, 201)
            assert (await client.ended(forked["run"]))["inputs"] == {"x": 5, "z": 1}

    asyncio.run(scenario())


def test_launch_plans_keep_what_they_fix(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, "v1", 2)
            await registered(client, tmp_path, "v2", 3)
            run = await done(client, "plan", "launch_plan")
            forked = await client.post(f"/api/v1/runs/{run}/fork", {}, 201)
            ended = await client.ended(forked["run"])
            assert (ended["version"], ended["outputs"]) == ("v2", {"o0": 30})
            assert phases(ended) == {"n0": "RECOVERED", "n1": "SUCCEEDED"}
            said = await client.post(f"/api/v1/runs/{run}/fork", {"inputs": {"x": 1}}, 400)
            assert "fixes its input 'x'" in said["detail"]

    asyncio.run(scenario())


def test_bodies_say_what_they_depend_on(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, "v1", 2)
            run = await done(client, "pkg.flow.body", "task", x=5)
            await registered(client, tmp_path, "v2", 3)
            _, lines = await foreseen(client, run, version="v2")
            verdicts = {path: verdict for path, (verdict, _) in lines.items()}
            assert list(verdicts.values()) == ["run", "reuse", "run"], lines
            # Of a version that has the body alone nobody knows what it calls.
            await registered(client, tmp_path, "v3", 3, names=("body",))
            _, lines = await foreseen(client, run, version="v3")
            assert [verdict for verdict, _ in lines.values()] == ["run", "depends", "depends"]
            assert "not registered by itself" in lines[list(lines)[1]][1][0]
            forked = await client.post(f"/api/v1/runs/{run}/fork", {"version": "v3"}, 201)
            ended = await client.ended(forked["run"])
            assert ended["outputs"] == {"o0": 15}
            assert list(phases(ended).values()) == ["SUCCEEDED", "RECOVERED", "SUCCEEDED"]

    asyncio.run(scenario())


def test_recovery_is_foretold(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, "v1", 2)
            await registered(client, tmp_path, "v2", 3)
            door = tmp_path / "door"
            run = await done(client, "pkg.flow.doors", x=1, door=str(door))
            version, lines = await foreseen(client, run, how="recover")
            assert version == "v1"
            assert lines == {"n0": ("reuse", ()), "n1": ("run", ("it had FAILED: ValueError: the door is shut",))}
            cut = await client.post(f"/api/v1/runs/{run}/forecast", {"how": "recover", "limit": 1})
            assert [len(cut["lines"]), cut["reuse"], cut["run"]] == [1, 1, 1]
            door.touch()
            ended = await client.ended((await client.post(f"/api/v1/runs/{run}/recover", {}, 201))["run"])
            assert phases(ended) == {"n0": "RECOVERED", "n1": "SUCCEEDED"}
            await client.post(f"/api/v1/runs/{ended['run']}/forecast", {"how": "recover"}, 409)

    asyncio.run(scenario())


def test_exactly(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, "v1", 2)
            run = await done(client, "pkg.flow.wf", x=5)
            literals = {"x": IntLiteral(2**40)}
            told = await client.post_exactly(f"/api/v1/runs/{run}/forecast", ExactForesee(literals=literals), 200)
            assert msgspec.convert(told, Forecasts).run == 2
            forked = await client.post_exactly(f"/api/v1/runs/{run}/fork", ExactFork(literals=literals), 201)
            assert (await client.ended(msgspec.convert(forked, Launched).run))["outputs"] == {"o0": 2**41}

    asyncio.run(scenario())


def test_what_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, "v1", 2)
            run = await done(client, "pkg.flow.wf", x=5)
            for status, said in (
                (404, {"version": "v9"}),
                (400, {"inputs": {"y": 1}}),
                (400, {"inputs": {"x": "many"}}),
                (400, {"inputs": 5}),
                (400, {"colour": "red"}),
            ):
                for verb in ("fork", "forecast"):
                    assert (await client.post(f"/api/v1/runs/{run}/{verb}", said, status))["detail"]
            await client.post(f"/api/v1/runs/{run}/forecast", {"how": "magic"}, 400)
            await client.post(f"/api/v1/runs/{run}/forecast", {"limit": -1}, 400)
            await client.post("/api/v1/runs/nothing/fork", {}, 404)
            await client.post("/api/v1/runs/nothing/forecast", {}, 404)
            assert len((await client.get("/api/v1/runs"))["runs"]) == 1

    asyncio.run(scenario())
