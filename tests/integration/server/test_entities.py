"""What is registered, over REST: lists, versions, details with graph and source, the exact entity, plans, secrets."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.integration.server.native import PLACE, Client, registration, serving
from whimbrel.wire.rest.entities import EntityDetail, EntityPage, ExactEntity
from whimbrel.wire.rest.registering import MSGPACK

FLOW = {
    "lib/flow.py": '''
        from whimbrel import CronSchedule, LaunchPlan, conditional, dynamic, eager, map_task, task, workflow

        @task
        def make(n: int) -> list[int]:
            """Numbers.

            From zero on."""
            return list(range(n))

        @task
        def halve(x: int) -> float:
            return x / 2

        @task
        def most(xs: list[float]) -> float:
            return max(xs)

        @task
        def zero() -> float:
            return 0.0

        @workflow
        def wf(n: int, title: str = "none") -> float:
            """The largest half."""
            halves = map_task(halve)(x=make(n=n))
            return conditional("any").if_(n > 0).then(most(xs=halves)).else_().then(zero())

        @eager
        async def deep(n: int) -> float:
            return await wf(n=n)

        nightly = LaunchPlan.get_or_create(
            wf, "nightly", fixed_inputs={"n": 3}, schedule=CronSchedule(schedule="0 3 * * *"), auto_activate=True
        )
        '''
}


async def filled(client: Client, root: Path, *versions: str) -> None:
    for version in versions:
        said = registration(root / version, FLOW, "lib.flow", "wf", "deep", "nightly", version=version)
        await client.register(said, FLOW)


def test_lists_and_versions(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            assert await client.get(f"{PLACE}/tasks") == {"entities": [], "next": None}
            await filled(client, tmp_path, "v1", "v2", "v3")
            rows: list[Any] = []
            cursor = ""
            while True:
                page = msgspec.convert(await client.get(f"{PLACE}/tasks", limit=2, cursor=cursor), EntityPage)
                rows += page.entities
                if page.next is None:
                    break
                cursor = page.next
            named = [row.name.rpartition(".")[2] for row in rows if "arraynode" not in row.name]
            assert named == ["deep", "halve", "make", "most", "zero"]
            assert {(row.version, row.versions) for row in rows} == {("v3", 3)}
            assert rows[2].doc.startswith("Numbers.")
            found = await client.get(f"{PLACE}/tasks", text="MAKE")
            assert [row["name"] for row in found["entities"]] == ["lib.flow.make"]
            plans = (await client.get(f"{PLACE}/launch-plans"))["entities"]
            assert [(plan["name"], plan["state"], plan["active"]) for plan in plans] == [
                ("lib.flow.wf", "INACTIVE", ""),
                ("nightly", "ACTIVE", "v3"),
            ]
            assert plans[1]["schedule"]["schedule"] == "0 3 * * *"
            pages = []
            cursor = ""
            for _ in range(3):
                page = msgspec.convert(
                    await client.get(f"{PLACE}/workflows/lib.flow.wf", limit=1, cursor=cursor), EntityPage
                )
                pages += [row.version for row in page.entities]
                cursor = page.next or ""
            assert (pages, cursor) == (["v3", "v2", "v1"], "")
            await client.get(f"{PLACE}/workflows/nothing", 404)
            await client.get(f"{PLACE}/workflows/lib.flow.wf", 400, cursor="nothing")
            await client.get(f"{PLACE}/gates", 404)
            for text in ("%", "' OR 1=1 --", "<script>"):
                assert (await client.get(f"{PLACE}/tasks", text=text))["entities"] == []

    asyncio.run(scenario())


def test_a_workflow_in_full(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await filled(client, tmp_path, "v1")
            said = msgspec.convert(await client.get(f"{PLACE}/workflows/lib.flow.wf/latest"), EntityDetail)
            assert (said.doc, said.version, said.native, said.remark) == ("The largest half.", "v1", True, "")
            inputs = said.interface.inputs
            assert [(name, each.described, each.required, each.default) for name, each in inputs.items()] == [
                ("n", "int", True, None),
                ("title", "str", False, "none"),
            ]
            assert said.source is not None
            assert said.line is not None
            assert said.source.splitlines()[said.line.line - 1].startswith("def wf(")
            graph = said.graph
            assert graph is not None
            nodes = {node.id: node for node in graph.nodes}
            kinds = [(node.kind, node.entity.rpartition(".")[2]) for node in graph.nodes]
            assert kinds == [
                ("task", "make"),
                ("array", "halve"),
                ("branch", "any"),
                ("task", "most"),
                ("task", "zero"),
            ]
            inside = [node for node in graph.nodes if node.parent]
            assert [(node.arm, nodes[node.parent].kind) for node in inside] == [("n > 0", "branch"), ("else", "branch")]
            assert nodes["n1"].mapped == ("x",)
            assert nodes["n0"].version == "v1"
            edges = {(edge.source, edge.target): edge.vars for edge in graph.edges}
            assert edges[("n0", "n1")] == ("o0",)
            assert edges[("start-node", "n0")] == ("n",)
            assert edges[("n2", "end-node")] == ("o0",)

    asyncio.run(scenario())


def test_tasks_plans_and_exact_entities(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await filled(client, tmp_path, "v1")
            eager = msgspec.convert(await client.get(f"{PLACE}/tasks/lib.flow.deep/v1"), EntityDetail)
            assert (eager.task_kind, eager.graph) == ("eager", None)
            assert "async def deep" in (eager.source or "")
            plan = msgspec.convert(await client.get(f"{PLACE}/launch-plans/nightly/active"), EntityDetail)
            assert plan.plan is not None
            assert (plan.plan.workflow, plan.plan.fixed, list(plan.interface.inputs)) == (
                "lib.flow.wf",
                {"n": 3},
                ["title"],
            )
            assert plan.graph is not None
            answer = await client.http.get(f"{PLACE}/launch-plans/nightly/v1", headers={"accept": MSGPACK})
            exact = msgspec.msgpack.decode(answer.content, type=ExactEntity)
            assert list(exact.interface.inputs) == ["title"]
            assert set(exact.program.launch_plans) == {"nightly"}
            assert len(exact.bundle) == 64
            mapped = [row for row in (await client.get(f"{PLACE}/tasks"))["entities"] if "arraynode" in row["name"]]
            detail = msgspec.convert(await client.get(f"{PLACE}/tasks/{mapped[0]['name']}/latest"), EntityDetail)
            assert detail.interface.inputs["x"].described == "list[int]"
            for path in ("tasks/lib.flow.deep/v9", "tasks/lib.flow.deep/active", "launch-plans/lib.flow.wf/active"):
                await client.get(f"{PLACE}/{path}", 404)

    asyncio.run(scenario())


def test_plans_are_active_or_not(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            await filled(client, tmp_path, "v1", "v2")
            plan = f"{PLACE}/launch-plans/nightly"
            assert await client.post(f"{plan}/v1/activate") == {"name": "nightly", "version": "v1", "state": "ACTIVE"}
            states = {row["version"]: row["state"] for row in (await client.get(plan))["entities"]}
            assert states == {"v1": "ACTIVE", "v2": "INACTIVE"}
            assert (await client.post(f"{plan}/active/deactivate"))["version"] == "v1"
            await client.get(f"{plan}/active", 404)
            assert (await client.post(f"{plan}/latest/activate"))["version"] == "v2"
            await client.post(f"{plan}/v9/activate", None, 404)

    asyncio.run(scenario())


def test_secrets_come_back_by_name_only(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            http = client.http
            url = "/api/v1/secrets/db/password"
            assert (await http.get(url)).status_code == 404
            assert (await http.put(url, json={"value": "hush"})).status_code == 200
            assert (await http.put("/api/v1/secrets/-/key", json={"base64": "AAE="})).status_code == 200
            listed = await http.get("/api/v1/secrets")
            assert [(row["group"], row["key"]) for row in listed.json()] == [("", "key"), ("db", "password")]
            assert "hush" not in listed.text + (await http.get(url)).text
            assert client.server.house.secrets.find("db", "password", "") == b"hush"
            for wrong in ({}, {"value": "a", "base64": "AA=="}, {"base64": "!"}, {"values": "x"}):
                assert (await http.put(url, json=wrong)).status_code == 400, wrong
            evil = {"origin": "http://evil.example"}
            assert (await http.put(url, json={"value": "theirs"}, headers=evil)).status_code == 403
            assert (await http.delete(url, headers=evil)).status_code == 403
            assert (await http.delete(url)).status_code == 204
            assert (await http.delete(url)).status_code == 404

    asyncio.run(scenario())


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_what_is_not_served_is_refused(tmp_path: Path, method: str) -> None:
    async def scenario() -> None:
        async with serving(tmp_path / "home") as client:
            answer = await client.http.request(method, f"{PLACE}/tasks/x/v1")
            assert answer.status_code == 405

    asyncio.run(scenario())
