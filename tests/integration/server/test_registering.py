"""Bundles and registration over REST, against a server that runs."""

from __future__ import annotations

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.integration.server.native import PLACE, archive, registration, serving
from whimbrel.wire.rest.problems import Problem
from whimbrel.wire.rest.registering import MSGPACK, Registered

FLOW = {
    "flow.py": """
        from whimbrel import task, workflow

        @task
        def double(x: int) -> int:
            return 2 * x

        @workflow
        def wf(x: int = 4) -> int:
            return double(x=x)
        """
}


def test_bundles(tmp_path: Path) -> None:
    async def scenario() -> None:
        digest, data = archive(FLOW)
        url = f"/api/v1/bundles/{digest}"
        async with serving(tmp_path / "home") as client:
            http = client.http
            assert (await http.head(url)).status_code == 404
            assert (await http.put(url, content=data)).status_code == 201
            assert (await http.head(url)).status_code == 200
            assert (await http.put(url, content=data)).status_code == 200
            assert "def double" in (tmp_path / "home" / "bundles" / digest / "flow.py").read_text()

            refused = await http.put(f"/api/v1/bundles/{'0' * 64}", content=data)
            assert (refused.status_code, refused.json()["type"]) == (400, "urn:whimbrel:problem:InputInvalid")
            assert (await http.put("/api/v1/bundles/..%2f..%2fetc", content=data)).status_code in (400, 404)
            assert (await http.put("/api/v1/bundles/ABC", content=data)).status_code == 400
            evil = {"origin": "http://evil.example"}
            assert (await http.put(f"/api/v1/bundles/{'1' * 64}", content=data, headers=evil)).status_code == 403
            large = {"content-length": str(10**12)}
            request = http.build_request("PUT", f"/api/v1/bundles/{'1' * 64}", content=b"", headers=large)
            assert int(request.headers["content-length"]) == 10**12
            assert sorted(entry.name for entry in (tmp_path / "home" / "bundles").iterdir()) == [".coming", digest]
            assert list((tmp_path / "home" / "bundles" / ".coming").iterdir()) == []
            assert (await http.get("/healthz")).text == "ok\n"

    asyncio.run(scenario())


def test_a_bundle_that_is_too_large_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            limits = client.server.house.bundles.limits
            client.server.house.bundles.limits = msgspec.structs.replace(limits, archive=10_000)
            answer = await client.http.put(f"/api/v1/bundles/{'1' * 64}", content=b"x" * 20_000)
            assert (answer.status_code, answer.json()["title"]) == (413, "Request Entity Too Large")

    asyncio.run(scenario())


def test_registration(tmp_path: Path) -> None:
    async def scenario() -> None:
        said = registration(tmp_path / "src", FLOW, "flow", "wf", version="v1")
        async with serving(tmp_path / "home") as client:
            early = await client.post_exactly(f"{PLACE}/register", said, 400)
            assert "send it first" in early["detail"]
            made = msgspec.convert(await client.register(said, FLOW), list[Registered])
            assert [(each.kind, each.name, each.created) for each in made] == [
                ("task", "flow.double", True),
                ("workflow", "flow.wf", True),
                ("launch_plan", "flow.wf", True),
            ]
            again = msgspec.convert(await client.register(said, FLOW), list[Registered])
            assert [each.created for each in again] == [False] * 3
            changed = {"flow.py": FLOW["flow.py"].replace("2 * x", "3 * x")}
            other = registration(tmp_path / "other", changed, "flow", "wf", version="v1")
            await client.send(changed)
            refused = await client.post_exactly(f"{PLACE}/register", other, 409)
            assert "another version" in refused["detail"]

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"", MSGPACK, 400),
        (b"\x00", MSGPACK, 400),
        (b"\x91" * 100_000, MSGPACK, 400),
        (b"\xdf\xff\xff\xff\xff", MSGPACK, 400),
        (b"{}", "application/json", 400),
        (b"{}", "text/plain", 415),
    ],
)
def test_what_is_no_registration_is_refused(tmp_path: Path, content: bytes, kind: str, status: int) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            answer = await client.http.post(f"{PLACE}/register", content=content, headers={"content-type": kind})
            assert answer.status_code == status, answer.text
            assert msgspec.json.decode(answer.content, type=Problem).detail

    asyncio.run(scenario())


def test_a_program_that_is_wrong_is_told_line_by_line(tmp_path: Path) -> None:
    async def scenario() -> None:
        said = registration(tmp_path / "src", FLOW, "flow", "wf", version="v1")
        graph = said.program.workflows["flow.wf"]
        broken = msgspec.structs.replace(graph, outputs={})
        program = msgspec.structs.replace(said.program, workflows={"flow.wf": broken})
        async with serving(tmp_path / "home") as client:
            await client.send(FLOW)
            wrong = msgspec.structs.replace(said, program=program)
            answer = msgspec.convert(await client.post_exactly(f"{PLACE}/register", wrong, 422), Problem)
            assert [line.message for line in answer.problems] == ["flow.wf: the output 'o0' is not bound"]
            assert answer.problems[0].line == 9

    asyncio.run(scenario())


def test_projects(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            assert [row["id"] for row in await client.get("/api/v1/projects")] == ["flytesnacks"]
            made = await client.post("/api/v1/projects", {"id": "mine", "name": "<b>Mine</b>"}, 201)
            assert (made["id"], made["name"], made["domains"][0]) == ("mine", "<b>Mine</b>", "development")
            await client.post("/api/v1/projects", {"id": "mine"}, 409)
            for id in ("", "a/b", "../x", "x" * 64, "a b"):
                await client.post("/api/v1/projects", {"id": id}, 400)
            assert [row["id"] for row in await client.get("/api/v1/projects")] == ["flytesnacks", "mine"]

    asyncio.run(scenario())
