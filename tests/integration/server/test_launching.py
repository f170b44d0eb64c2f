"""Runs of what our own client registered: launched over REST, run on the bundle's code, seen by both protocols."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from flyteidl.admin import execution_pb2
from flyteidl.core import identifier_pb2

from tests.integration.server.native import Client, archive, registration, serving
from whimbrel.model.literals import IntLiteral
from whimbrel.model.registered import EntityId, EntityKind, EntityQuery
from whimbrel.wire.flyte import executions as messages
from whimbrel.wire.rest.launching import Data, ExactLaunch
from whimbrel.wire.rest.registering import MSGPACK

HERE = {"project": "flytesnacks", "domain": "development"}


def flow(factor: int) -> dict[str, str]:
    return {
        "pkg/__init__.py": "",
        "pkg/numbers.py": f"FACTOR = {factor}\n",
        "pkg/flow.py": """
            import sys
            from whimbrel import LaunchPlan, approve, dynamic, eager, map_task, task, workflow
            from whimbrel import FlyteFile
            from .numbers import FACTOR

            @task
            def times(x: int) -> int:
                assert len([name for name in sys.modules if name.endswith("numbers") and "pkg" in name]) == 1
                return FACTOR * x

            @workflow
            def wf(x: int = 4) -> int:
                return times(x=x)

            @workflow
            def each(xs: list[int]) -> list[int]:
                return map_task(times)(x=xs)

            @dynamic
            def unfolded(x: int) -> int:
                return times(x=times(x=x))

            @eager
            async def chain(x: int) -> int:
                once = await times(x=x)
                return await wf(x=once)

            @task
            def length(file: FlyteFile) -> int:
                with open(file) as opened:
                    return len(opened.read())

            @task
            def fails(x: int) -> int:
                raise ValueError(f"not {x}")

            plan = LaunchPlan.get_or_create(wf, "plan", fixed_inputs={"x": 10}, labels=None)

            @workflow
            def asks(x: int = 1) -> tuple[int, int]:
                return plan(), approve(times(x=x), "sign-off", timeout=None)
            """,
    }


NAMES = ("wf", "each", "unfolded", "chain", "length", "fails", "plan", "asks")


async def registered(client: Client, root: Path, factor: int, version: str) -> None:
    files = flow(factor)
    await client.register(registration(root / version, files, "pkg.flow", *NAMES, version=version), files)


async def launched(client: Client, kind: str, name: str, status: int = 201, **more: Any) -> Any:
    return await client.post("/api/v1/runs", {**HERE, "kind": kind, "name": name, **more}, status)


async def result(client: Client, kind: str, name: str, **more: Any) -> Any:
    run = (await launched(client, kind, name, **more))["run"]
    ended = await client.ended(run)
    assert ended["phase"] == "SUCCEEDED", ended["failure"]
    return ended["outputs"]["o0"]


def test_every_kind_runs_in_its_own_version(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            await registered(client, tmp_path, 10, "v2")
            asked = [
                result(client, kind, f"pkg.flow.{name}", version=version, inputs=inputs)
                for version in ("v1", "v2")
                for kind, name, inputs in (
                    ("workflow", "wf", {"x": 3}),
                    ("task", "times", {"x": 3}),
                    ("workflow", "each", {"xs": [1, 2]}),
                    ("task", "unfolded", {"x": 3}),
                    ("task", "chain", {"x": 3}),
                )
            ]
            assert await asyncio.gather(*asked) == [6, 6, [2, 4], 12, 12, 30, 30, [10, 20], 300, 300]
            assert await result(client, "workflow", "pkg.flow.wf") == 40
            assert await result(client, "launch_plan", "plan", version="v1") == 20

    asyncio.run(scenario())


def test_a_name_makes_a_launch_safe_to_repeat(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            name = "pkg.flow.wf"
            first = await launched(client, "workflow", name, run_name="mine", inputs={"x": 1})
            assert (first["run"], first["name"], first["project"]) == ("mine", "mine", "flytesnacks")
            # A newer version does not make it another request.
            await registered(client, tmp_path, 3, "v2")
            again = await launched(client, "workflow", name, 200, run_name="mine", inputs={"x": 1})
            assert again == first
            refused = await launched(client, "workflow", name, 409, run_name="mine", inputs={"x": 2})
            assert "another name" in refused["detail"]
            assert (await client.ended("mine"))["outputs"] == {"o0": 2}
            row = (await client.get("/api/v1/runs"))["runs"][0]
            assert (row["version"], row["url"]) == ("v1", first["url"])
            assert (await client.http.get(first["url"])).headers["content-type"].startswith("text/html")

    asyncio.run(scenario())


def test_what_cannot_be_launched_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            wf = "pkg.flow.wf"
            for status, kind, name, more in (
                (404, "workflow", "pkg.flow.nothing", {}),
                (404, "workflow", wf, {"version": "v9"}),
                (400, "gate", wf, {}),
                (400, "execution", wf, {}),
                (400, "workflow", wf, {"inputs": {"y": 1}}),
                (400, "workflow", wf, {"inputs": {"x": "three"}}),
                (400, "task", "pkg.flow.times", {}),
                (400, "launch_plan", "plan", {"inputs": {"x": 1}}),
                (400, "workflow", wf, {"run_name": "Not A Name"}),
                (400, "workflow", wf, {"run_name": "x" * 300}),
                (400, "workflow", wf, {"options": {"colour": "red"}}),
                (400, "workflow", wf, {"options": {"max_parallelism": "many"}}),
                (400, "workflow", wf, {"project": "nowhere"}),
                (400, "task", "pkg.flow.length", {"inputs": {"file": __file__}}),
                (400, "task", "pkg.flow.length", {"inputs": {"file": "file:///etc/passwd"}}),
            ):
                said = await client.http.post("/api/v1/runs", json={**HERE, "kind": kind, "name": name, **more})
                assert said.status_code == status or (status, said.status_code) == (400, 404), (name, more, said.text)
                assert said.json()["detail"]
            assert (await client.get("/api/v1/runs"))["runs"] == []

    asyncio.run(scenario())


def test_values_to_the_bit_and_as_json(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            exact = ExactLaunch(
                **HERE, kind="workflow", name="pkg.flow.wf", run_name="exact", literals={"x": IntLiteral(2**40)}
            )
            await client.post_exactly("/api/v1/runs", exact, 201)
            await client.post_exactly("/api/v1/runs", exact, 200)
            await client.ended("exact")
            plain = await client.get("/api/v1/runs/exact/data")
            assert plain == {"inputs": {"x": 2**40}, "outputs": {"o0": 2**41}, "failure": None}
            answer = await client.http.get("/api/v1/runs/exact/data?node=n0", headers={"accept": MSGPACK})
            data = msgspec.msgpack.decode(answer.content, type=Data)
            assert data == Data({"x": IntLiteral(2**40)}, {"o0": IntLiteral(2**41)}, None)
            await client.get("/api/v1/runs/exact/data", 404, node="n9")
            failed = (await launched(client, "task", "pkg.flow.fails", inputs={"x": 7}))["run"]
            await client.ended(failed)
            told = await client.get(f"/api/v1/runs/{failed}/data")
            assert told["outputs"] is None
            assert told["failure"]["message"] == "not 7"

    asyncio.run(scenario())


def test_once_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            first = (await launched(client, "workflow", "pkg.flow.wf", inputs={"x": 5}, options={"tags": ["t"]}))["run"]
            await client.ended(first)
            await registered(client, tmp_path, 3, "v2")
            again = await client.post(f"/api/v1/runs/{first}/relaunch", {"run_name": "again"}, 201)
            assert (await client.post(f"/api/v1/runs/{first}/relaunch", {"run_name": "again"}))["run"] == again["run"]
            assert (await client.ended(again["run"]))["outputs"] == {"o0": 10}
            other = await client.post(f"/api/v1/runs/{first}/relaunch", {"inputs": {"x": 6}}, 201)
            ended = await client.ended(other["run"])
            assert (ended["outputs"], ended["tags"], ended["version"]) == ({"o0": 12}, ["t"], "v1")
            await client.post(f"/api/v1/runs/{first}/relaunch", {"inputs": {"y": 6}}, 400)
            await client.post(f"/api/v1/runs/{first}/recover", {}, 409)
            failed = (await launched(client, "task", "pkg.flow.fails", inputs={"x": 1}))["run"]
            await client.ended(failed)
            recovered = await client.post(f"/api/v1/runs/{failed}/recover", {"run_name": "better"}, 201)
            assert (await client.post(f"/api/v1/runs/{failed}/recover", {"run_name": "better"}))["run"] == "better"
            again = await client.ended(recovered["run"])
            assert again["phase"] == "FAILED"
            assert 'File "pkg/flow.py", line' in again["failure"]["traceback"]
            assert again["failure"]["line"].startswith("pkg/flow.py:")

    asyncio.run(scenario())


def test_options_and_lists(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            options = {"labels": {"team": "birds"}, "annotations": {"why": "so"}, "tags": ["one"], "max_parallelism": 3}
            run = (await launched(client, "workflow", "pkg.flow.wf", options=options))["run"]
            await launched(client, "task", "pkg.flow.times", inputs={"x": 1})
            rows = (await client.get("/api/v1/runs", label="team=birds"))["runs"]
            assert [row["run"] for row in rows] == [run]
            assert (rows[0]["labels"], rows[0]["tags"], rows[0]["project"]) == (
                {"team": "birds"},
                ["one"],
                "flytesnacks",
            )
            assert len((await client.get("/api/v1/runs", project="flytesnacks", domain="development"))["runs"]) == 2
            assert (await client.get("/api/v1/runs", project="other"))["runs"] == []

    asyncio.run(scenario())


def test_clients_of_flyte_see_it_and_launch_it_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            executions = client.server.house.executions
            await launched(client, "workflow", "pkg.flow.wf", run_name="ours", inputs={"x": 5})
            await client.ended("ours")
            seen = await executions.seen(EntityId(EntityKind.EXECUTION, "flytesnacks", "development", "ours"))
            spec = execution_pb2.ExecutionSpec()
            messages.fill_spec(spec, seen.entity, seen.record)
            assert spec.launch_plan.resource_type == identifier_pb2.LAUNCH_PLAN
            assert (spec.launch_plan.name, spec.launch_plan.version) == ("pkg.flow.wf", "v1")
            await executions.relaunch(seen.entity.id, "theirs", overwrite_cache=False)
            assert (await client.ended("theirs"))["outputs"] == {"o0": 10}

    asyncio.run(scenario())


def test_files(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            data = bytes(range(97, 123)) * 100_000
            digest = hashlib.sha256(data).hexdigest()
            put = await client.http.put(f"/api/v1/blobs/{digest}", params={"name": "a/../letters.txt"}, content=data)
            assert put.status_code == 201, put.text
            uri = put.json()["uri"]
            assert uri == f"blob:files/{digest}/a_.._letters.txt"
            assert await result(client, "task", "pkg.flow.length", inputs={"file": uri}) == len(data)
            url = f"/api/v1/blobs/{uri.removeprefix('blob:')}"
            whole = await client.http.get(url)
            assert whole.content == data
            assert whole.headers["content-disposition"] == "attachment"
            assert (await client.http.head(url)).headers["content-length"] == str(len(data))
            for said, expected in (("bytes=1-3", b"bcd"), ("bytes=-2", b"yz"), (f"bytes={len(data) - 1}-", b"z")):
                part = await client.http.get(url, headers={"range": said})
                assert (part.status_code, part.content) == (206, expected)
            assert (await client.http.get(url, headers={"range": f"bytes={len(data)}-"})).status_code == 416
            assert (await client.http.get(url, headers={"range": "lines=1-2"})).content == data

            wrong = await client.http.put(f"/api/v1/blobs/{'0' * 64}", content=data)
            assert (wrong.status_code, wrong.json()["type"]) == (400, "urn:whimbrel:problem:InputInvalid")
            for key in (
                "../whimbrel.db",
                "..%2fwhimbrel.db",
                "files/../../lock",
                "staging",
                "",
                "files/%00",
                "/etc/passwd",
            ):
                assert (await client.http.get(f"/api/v1/blobs/{key}")).status_code == 404, key
            evil = {"origin": "http://evil.example"}
            assert (await client.http.put(f"/api/v1/blobs/{digest}", content=data, headers=evil)).status_code == 403

    asyncio.run(scenario())


def test_code_that_cannot_run_here_ends_its_runs_and_not_the_server(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            good = {"flow.py": "from whimbrel import task\n\n@task\ndef f() -> int:\n    return 1\n"}
            bad = {"flow.py": good["flow.py"] + "\nimport not_there_at_all\n"}
            said = registration(tmp_path / "src", good, "flow", "f", version="v1")
            await client.send(good)
            for version, change, told in (
                ("old", {"python": "2.7"}, "was registered from Python 2.7"),
                ("new", {"python": "3.99"}, "Python 3.99"),
                ("odd", {"python": "<script>"}, "was registered from Python"),
                ("bad", {"bundle": ""}, "there is no module 'flow'"),
            ):
                await client.post_exactly(
                    "/api/v1/projects/flytesnacks/domains/development/register",
                    msgspec.structs.replace(said, version=version, **change),
                )
                ended = await client.ended((await launched(client, "task", "flow.f", version=version))["run"])
                assert ended["phase"] == "FAILED"
                assert told in ended["failure"]["message"], ended["failure"]
            broken = registration(tmp_path / "src", good, "flow", "f", version="broken")
            await client.register(msgspec.structs.replace(broken, bundle=archive(bad)[0]), bad)
            ended = await client.ended((await launched(client, "task", "flow.f", version="broken"))["run"])
            assert "not_there_at_all" in ended["failure"]["message"]
            await client.register(said, good)
            assert await result(client, "task", "flow.f", version="v1") == 1
            assert (await client.http.get("/readyz")).text == "ready\n"

    asyncio.run(scenario())


USER = {
    "user.py": """
        from whimbrel import dynamic, eager, reference_launch_plan, reference_task, workflow

        @reference_task(project="flytesnacks", domain="development", name="pkg.flow.times", version="v1")
        def times(x: int) -> int: ...

        @reference_launch_plan(project="flytesnacks", domain="development", name="plan", version="v2")
        def plan() -> int: ...

        @workflow
        def static(x: int) -> int:
            return times(x=x)

        @workflow
        def planned() -> int:
            return plan()

        @eager
        async def body(x: int) -> int:
            return await times(x=await times(x=x)) + await plan()

        @dynamic
        def laid_out(x: int) -> int:
            return times(x=x)
        """
}


def test_what_others_registered_is_run_as_they_registered_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            await registered(client, tmp_path, 10, "v2")
            said = registration(tmp_path / "user", USER, "user", "static", "planned", "body", "laid_out", version="u1")
            await client.register(said, USER)
            assert await result(client, "workflow", "user.static", inputs={"x": 3}) == 6
            assert await result(client, "workflow", "user.planned") == 100
            assert await result(client, "task", "user.body", inputs={"x": 3}) == 112
            assert await result(client, "task", "user.laid_out", inputs={"x": 4}) == 8

    asyncio.run(scenario())


def test_what_is_referred_to_and_not_registered_is_told(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            said = registration(tmp_path / "user", USER, "user", "static", "body", version="u1")
            made = {row["name"]: row["remark"] for row in await client.register(said, USER)}
            assert "not registered yet" in made["user.static"]
            refused = await launched(client, "workflow", "user.static", 400, inputs={"x": 3})
            assert "register that first" in refused["detail"]
            ended = await client.ended((await launched(client, "task", "user.body", inputs={"x": 3}))["run"])
            assert ended["phase"] == "FAILED"
            assert "pkg.flow.times" in ended["failure"]["message"]
            await registered(client, tmp_path, 2, "v1")
            assert await result(client, "workflow", "user.static", inputs={"x": 3}) == 6

    asyncio.run(scenario())


WAITS = {
    "waits.py": """
        import datetime as dt
        from whimbrel import dynamic, eager, task, wait_for_input

        @task
        def double(x: int) -> int:
            return 2 * x

        @dynamic
        def unfolded(x: int) -> int:
            return double(x=x)

        @eager
        async def body(x: int) -> int:
            once = await unfolded(x=await double(x=x))
            more = await wait_for_input("go", dt.timedelta(minutes=10), int)
            return await unfolded(x=once) + more
        """
}


def values_of(value: Any, wanted: str) -> Iterator[Any]:
    """What stands under a key, anywhere in it."""
    if isinstance(value, dict):
        if wanted in value:
            yield value[wanted]
        for inner in value.values():
            yield from values_of(inner, wanted)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from values_of(inner, wanted)


def test_a_home_that_is_moved_keeps_its_code(tmp_path: Path) -> None:
    """Nothing that is kept of a run names the directory that its code was in."""

    async def begin() -> None:
        async with serving(tmp_path / "home") as client:
            said = registration(tmp_path / "src", WAITS, "waits", "body", version="v1")
            await client.register(said, WAITS)
            await launched(client, "task", "waits.body", run_name="waiting", inputs={"x": 1})
            async with client.http.stream("GET", "/api/v1/runs/waiting/events") as events:
                async for line in events.aiter_lines():
                    if '"go"' in line:
                        break
            kept = await client.server.house.home.store.events("waiting")
            roots = set(values_of(msgspec.to_builtins(kept), "root"))
            assert len(roots) == 1
            assert roots.pop().startswith("bundle:")

    async def carry_on() -> None:
        async with serving(tmp_path / "moved") as client:
            await client.post("/api/v1/runs/waiting/signal", {"gate": "go", "value": 5}, 202)
            assert (await client.ended("waiting"))["outputs"] == {"o0": 13}

    asyncio.run(begin())
    (tmp_path / "home").rename(tmp_path / "moved")
    asyncio.run(carry_on())


async def seen(client: Client, wanted: Callable[[Any], bool], **parameters: Any) -> Any:
    """The first row of a list that is as it is ``wanted``, now or when it changes."""
    async with client.http.stream("GET", "/api/v1/events", params=parameters) as stream:
        async for line in stream.aiter_lines():
            rows = (await client.get("/api/v1/runs", **parameters))["runs"] if not line else []
            if found := [row for row in rows if wanted(row)]:
                return found[0]
    raise AssertionError("the stream has ended")


def test_lists_say_what_waits_how_far_it_is_and_where_it_comes_from(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await registered(client, tmp_path, 2, "v1")
            options = {"labels": {"team": "birds"}, "tags": ["one"]}
            named = {"run_name": "first", "options": options}
            asks = (await launched(client, "workflow", "pkg.flow.asks", **named))["run"]
            failed = (await launched(client, "task", "pkg.flow.fails", inputs={"x": 1}))["run"]
            await client.ended(failed)
            row = await seen(client, lambda row: row["nodes_done"] == 3, phase="paused")
            assert (row["run"], row["gates"], row["phase"], row["nodes_known"]) == (asks, 1, "RUNNING", 4)
            pages = await client.get("/api/v1/run-pages", phase="paused,failed", limit=1)
            assert pages == {"count": 2, "ends": [failed, asks], "whole": True}
            # The launch plan inside is an execution to clients of Flyte: the same run, at its node.
            place = "/api/v1/projects/flytesnacks/domains/development/executions"
            own = await client.get(f"{place}/first")
            assert (own["run"]["run"], own["node"]) == (asks, "")
            child = next(
                row.id.name
                for row in await client.server.house.home.store.entities(
                    EntityQuery(EntityKind.CHILD, "flytesnacks", "development")
                )
            )
            found = await client.get(f"{place}/{child}")
            assert found["run"]["run"] == asks
            node = await client.get(f"/api/v1/runs/{asks}/nodes/{found['node']}")
            assert node["kind"] == "launch_plan"
            await client.get(f"{place}/firs", 404)
            await client.get("/api/v1/projects/flytesnacks/domains/staging/executions/first", 404)
            recovered = (await client.post(f"/api/v1/runs/{failed}/recover", {}, 201))["run"]
            again = (await client.post(f"/api/v1/runs/{failed}/relaunch", {}, 201))["run"]
            for run, cause in ((recovered, "recover"), (again, "relaunch")):
                row = await client.ended(run)
                assert (row["cause"], row["parent"]) == (cause, failed)
            filters = await client.get("/api/v1/filters")
            assert filters["projects"] == [{"value": "flytesnacks", "runs": 4}]
            assert {"value": "pkg.flow.asks", "runs": 1} in filters["entities"]
            assert filters["labels"] == [{"value": "team=birds", "runs": 1}, {"value": "one", "runs": 1}]
            await client.post(f"/api/v1/runs/{asks}/approve", {"gate": "sign-off"}, 202)
            row = await client.ended(asks)
            assert (row["gates"], row["nodes_done"]) == (0, row["nodes_known"])
            assert (await client.get("/api/v1/runs", phase="paused"))["runs"] == []

    asyncio.run(scenario())
