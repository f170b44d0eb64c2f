"""Flyte's services by their own messages, as flytectl and scripts use them."""

from __future__ import annotations

import asyncio
import urllib.parse
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import pytest
from flyteidl.admin import common_pb2, matchable_resource_pb2

from tests.integration.server.stubs import (
    D,
    P,
    Site,
    id_of,
    nodes_of,
    one,
    register_task,
    register_workflow,
    site,
)
from whimbrel.model.attempt import Launch, Report, Unfolded
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import Graph, LaunchPlanTarget, LiteralBinding, Node, Program, PromiseBinding, TaskTarget
from whimbrel.model.run import RAW_OUTPUTS
from whimbrel.server.grpc.holding import AT_ONCE, LONGEST, Holding
from whimbrel.server.grpc.serving import OPTIONS

WIDE = 5_000
NAME = {"project": P, "domain": D}


def not_yet(launch: Launch) -> Report | None:
    return None


# --- launch plans in runs ---------------------------------------------------------------------------------------------


async def with_child(asked: Site) -> tuple[Any, Any]:
    """An execution whose node is a launch plan, and the child that it is."""
    inner = await register_workflow(asked, "m.inner", await register_task(asked, "m.t"))
    outer = await asked.launch(await register_workflow(asked, "m.outer", inner), "outer")
    async with asyncio.timeout(60):
        await asked.executor.begun.wait()
    listed = await asked.ask("ListNodeExecutions", workflow_execution_id=outer, limit=10)
    (node,) = listed.node_executions
    assert not node.metadata.is_parent_node
    return outer, node.closure.workflow_node_metadata.executionId


def test_a_launch_plan_in_a_run_is_an_execution(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path, not_yet) as asked:
            outer, id = await with_child(asked)
            child = await asked.ask("GetExecution", id=id)
            assert (child.closure.phase, child.spec.launch_plan.name) == (2, "m.inner")
            assert child.spec.metadata.parent_node_execution.execution_id == outer
            assert (child.spec.metadata.mode, child.spec.metadata.nesting) == (4, 1)
            assert child.closure.workflow_id.version == "v1"
            inside = await asked.ask("ListNodeExecutions", workflow_execution_id=id, limit=10)
            assert [each.id.node_id for each in inside.node_executions] == ["n0"]
            assert inside.node_executions[0].id.execution_id == id
            tries = await asked.ask("ListTaskExecutions", node_execution_id=inside.node_executions[0].id, limit=10)
            assert tries.task_executions[0].id.task_id.name == "m.t"
            asked.executor.finish()
            assert (await asked.ended(outer)).closure.phase == 4
            data = await asked.ask("GetExecutionData", id=id)
            assert list(data.full_inputs.literals) == ["x"]
            assert data.full_outputs.literals["o0"].scalar.primitive.integer == 1

    asyncio.run(scenario())


def test_children_are_listed_with_the_rest_page_by_page(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as asked:
            task = await register_task(asked, "m.t")
            inner = await register_workflow(asked, "m.inner", task)
            plan = await register_workflow(asked, "m.outer", inner)
            for number in range(3):
                await asked.ended(await asked.launch(plan, f"outer-{number}"))
                await asked.ended(await asked.launch(task, f"task-{number}"))
            names, token = [], ""
            while True:
                page = await asked.ask("ListExecutions", id=NAME, limit=2, token=token)
                names += [each.id.name for each in page.executions]
                token = page.token
                if not token:
                    break
            launched = [f"{kind}-{number}" for kind in ("outer", "task") for number in range(3)]
            parents = sorted(name.rpartition("-")[0] for name in names if name not in launched)
            assert (sorted(set(names) & set(launched)), parents) == (launched, launched[:3])
            assert len(names) == 9
            children = await asked.ask("ListExecutions", id=NAME, filters="eq(launch_plan.name,m.inner)", limit=100)
            assert len(children.executions) == 3

    asyncio.run(scenario())


def test_a_child_is_terminated_relaunched_and_recovered_by_itself(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path, not_yet) as asked:
            outer, id = await with_child(asked)
            asked.executor.begun.clear()
            await asked.ask("TerminateExecution", id=id, cause="enough")
            assert (await asked.ended(id)).closure.abort_metadata.cause == "enough"
            failed = await asked.ended(outer)
            assert (failed.closure.phase, "enough" in failed.closure.error.message) == (6, True)
            for method, name, mode in (("RelaunchExecution", "again", 3), ("RecoverExecution", "recovered", 5)):
                made = (await asked.ask(method, id=id, name=name)).id
                found = await asked.ask("GetExecution", id=made)
                assert (found.spec.metadata.mode, found.spec.metadata.nesting) == (mode, 0)
                assert not found.spec.metadata.HasField("parent_node_execution")
                assert found.spec.metadata.reference_execution == id
                async with asyncio.timeout(60):
                    await asked.executor.begun.wait()
                asked.executor.finish()
                assert (await asked.ended(made)).closure.phase == 4

    asyncio.run(scenario())


def test_what_an_eager_task_has_launched_ends_with_it(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path, not_yet) as asked:
            task = await register_task(asked, "m.t")
            driver = await asked.launch(task, "driver")
            labels = common_pb2.Labels(values={"eager-exec": "driver"})
            called = await asked.launch(task, "called", labels=labels)
            other = await asked.launch(task, "other", labels=common_pb2.Labels(values={"eager-exec": "another"}))
            await asked.ask("TerminateExecution", id=driver, cause="enough")
            ended = await asked.ended(called)
            assert (ended.closure.phase, "driver" in ended.closure.abort_metadata.cause) == (7, True)
            assert (await asked.ask("GetExecution", id=other)).closure.phase in (1, 2)

    asyncio.run(scenario())


# --- who waits --------------------------------------------------------------------------------------------------------


def test_who_waits_is_answered_when_it_is_over(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path, not_yet) as asked:
            id = await asked.launch(await register_task(asked, "m.t"), "waited")
            first = await asked.ask("GetExecution", id=id)
            assert first.closure.phase in (1, 2)
            second = asyncio.ensure_future(asked.ask("GetExecution", id=id))
            # Others are answered meanwhile, and this one is not.
            while not asked.executor.live:
                await asked.ask("GetExecutionData", id=id)
            await asked.ask("GetVersion")
            assert not second.done()
            asked.executor.finish()
            assert (await second).closure.phase == 4

    asyncio.run(scenario())


def test_a_held_answer_comes_before_the_deadline_of_its_call(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path, not_yet) as asked:
            id = await asked.launch(await register_task(asked, "m.t"), "waited")
            for _ in range(2):
                assert (await asked.ask("GetExecution", timeout=2.0, id=id)).closure.phase in (1, 2)

    asyncio.run(scenario())


class Watch:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("gaps", "seconds"),
    [
        ([0.0], [0.0]),
        ([0.1, 0.1], [0.0, LONGEST]),
        ([0.1, AT_ONCE + 1.0], [0.0, 0.0]),
        ([0.1, 30.2], [0.0, LONGEST]),
        ([0.1, 60.0], [0.0, 0.0]),
    ],
)
def test_which_questions_are_held(gaps: list[float], seconds: list[float]) -> None:
    watch = Watch()
    holding = Holding(watch)
    holding.made("ann", "e")
    for gap, expected in zip(gaps, seconds, strict=True):
        watch.now += gap
        assert holding.seconds("ann", "e", None) == expected
        assert holding.seconds("bob", "e", None) == 0.0
        holding.answered("ann", "e")


def test_who_asks_for_several_or_did_not_launch_it_hears_at_once() -> None:
    watch = Watch()
    holding = Holding(watch)
    holding.made("ann", "e")
    for execution in ("e", "f", "e", "f"):
        assert holding.seconds("ann", execution, None) == 0.0
        holding.answered("ann", execution)
    for _ in range(3):
        assert holding.seconds("bob", "g", None) == 0.0
        holding.answered("bob", "g")
    holding.made("cy", "h")
    holding.answered("cy", "h")
    assert holding.seconds("cy", "h", 10.0) == 5.0


# --- names and places -------------------------------------------------------------------------------------------------


def test_names_have_descriptions_and_are_archived(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as asked:
            for name in ("m.a", "m.b", "m.c"):
                await register_task(asked, name)
            metadata = common_pb2.NamedEntityMetadata(description="<b>old</b>", state=common_pb2.NAMED_ENTITY_ARCHIVED)
            await asked.ask("UpdateNamedEntity", resource_type=1, id={**NAME, "name": "m.b"}, metadata=metadata)
            found = await asked.ask("GetNamedEntity", resource_type=1, id={**NAME, "name": "m.b"})
            assert (found.metadata.description, found.metadata.state) == ("<b>old</b>", 1)

            async def names(**more: Any) -> list[str]:
                listed = await asked.ask("ListNamedEntities", resource_type=1, **NAME, **more)
                return [each.id.name for each in listed.entities]

            assert await names() == ["m.a", "m.b", "m.c"]
            assert await names(limit=2) == ["m.a", "m.b"]
            assert await names(limit=2, token="2") == ["m.c"]
            assert await names(filters="eq(state,NAMED_ENTITY_ACTIVE)") == ["m.a", "m.c"]
            assert await names(filters="eq(state,1)") == ["m.b"]
            assert await names(filters="contains(name,c)") == ["m.c"]
            assert await names(sort_by={"key": "name", "direction": 0}) == ["m.c", "m.b", "m.a"]
            described = await asked.ask("GetDescriptionEntity", id=id_of("task", "m.a"))
            assert described.short_description == "what m.a does"
            listed = await asked.ask("ListDescriptionEntities", resource_type=1, id={**NAME, "name": "m.c"}, limit=5)
            assert [each.id.name for each in listed.descriptionEntities] == ["m.c"]

    asyncio.run(scenario())


def test_attributes_of_places_settle_executions(tmp_path: Path) -> None:
    """What is nearer goes before: the request, the launch plan, the workflow, the domain, the project."""
    config = matchable_resource_pb2.WorkflowExecutionConfig

    async def scenario() -> None:
        async with site(tmp_path) as asked:
            plan = await register_workflow(asked, "m.w", await register_task(asked, "m.t"))
            far = config(max_parallelism=9, labels={"values": {"of": "the project", "team": "a"}})
            far.envs.values.add(key="FROM", value="the project")
            near = config(max_parallelism=3, raw_output_data_config={"output_location_prefix": "s3://bucket/x"})
            for place, attributes in (
                ("Project", {"project": P, "matching_attributes": {"workflow_execution_config": far}}),
                ("ProjectDomain", {**NAME, "matching_attributes": {"workflow_execution_config": near}}),
            ):
                await asked.ask(f"Update{place}Attributes", attributes=attributes)
            kept = await asked.ask("GetProjectAttributes", project=P, resource_type=6)
            assert kept.attributes.matching_attributes.workflow_execution_config == far
            listed = await asked.ask("ListMatchableAttributes", resource_type=6)
            assert sorted(each.domain for each in listed.configurations) == ["", D]
            labels = common_pb2.Labels(values={"team": "mine"})
            found = await asked.ended(await asked.launch(plan, "settled", labels=labels))
            assert dict(found.spec.labels.values) == {"of": "the plan", "team": "mine"}
            (launch,) = asked.executor.launched
            assert launch.metadata.environment["FROM"] == "the project"
            assert launch.metadata.environment[RAW_OUTPUTS] == "s3://bucket/x"
            by_label = "eq(execution_tag.key,of)+eq(execution_tag.value,the plan)"
            assert len((await asked.ask("ListExecutions", id=NAME, filters=by_label, limit=9)).executions) == 1
            await asked.ask("DeleteProjectAttributes", project=P, resource_type=6)
            with pytest.raises(grpc.aio.AioRpcError) as gone:
                await asked.ask("GetProjectAttributes", project=P, resource_type=6)
            assert gone.value.code() is grpc.StatusCode.NOT_FOUND

    asyncio.run(scenario())


def test_executions_and_projects_are_archived(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as asked:
            task = await register_task(asked, "m.t")
            kept, archived = [await asked.launch(task, name) for name in ("kept", "archived")]
            await asked.ended(kept)
            await asked.ended(archived)
            await asked.ask("UpdateExecution", id=archived, state=1)
            assert (await asked.ask("GetExecution", id=archived)).closure.state_change_details.state == 1

            async def names(state: str) -> list[str]:
                listed = await asked.ask("ListExecutions", id=NAME, filters=f"eq(state,{state})", limit=9)
                return [each.id.name for each in listed.executions]

            assert (await names("EXECUTION_ACTIVE"), await names("1")) == (["kept"], ["archived"])
            await asked.ask("RegisterProject", project={"id": "old", "name": "Old"})
            await asked.ask("UpdateProject", id="old", name="Older", state=1)
            assert [each.id for each in (await asked.ask("ListProjects")).projects] == [P]
            listed = await asked.ask("ListProjects", filters="eq(state,1)")
            assert [(each.id, each.name, each.state) for each in listed.projects] == [("old", "Older", 1)]

    asyncio.run(scenario())


# --- data -------------------------------------------------------------------------------------------------------------


def test_data_is_had_by_its_address(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as asked:
            id = await asked.launch(await register_task(asked, "m.t"), "done")
            await asked.ended(id)
            (node,) = (await asked.ask("ListNodeExecutions", workflow_execution_id=id, limit=9)).node_executions
            data = await asked.ask("GetNodeExecutionData", id=node.id)
            assert data.flyte_urls.inputs == f"flyte://v1/{P}/{D}/done/n0/i"
            assert not data.flyte_urls.deck
            for address in (data.flyte_urls.outputs, f"flyte://v1/{P}/{D}/done/n0/0/o"):
                found = await asked.ask("GetData", flyte_url=address)
                assert found.literal_map.literals["o0"].scalar.primitive.integer == 1
                one_of = await asked.ask("GetData", flyte_url=f"{address}/o0")
                assert one_of.literal.scalar.primitive.integer == 1

    asyncio.run(scenario())


def test_only_files_of_tasks_and_uploads_are_linked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path) as asked:
            for place in ("commands/raw/x.txt", "uploads/a b.txt", "whimbrel.db"):
                path = tmp_path / place
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text("here")
            (tmp_path / "uploads" / "out").symlink_to(tmp_path / "whimbrel.db")
            link = await asked.ask("CreateDownloadLocation", native_url=str(tmp_path / "uploads" / "a b.txt"))
            parts = urllib.parse.urlsplit(link.signed_url)
            assert (parts.path, "expires" in parts.query) == ("/downloads/files/uploads/a%20b.txt", True)
            for refused in ("whimbrel.db", "uploads/out", "uploads/../whimbrel.db", "uploads"):
                with pytest.raises(grpc.aio.AioRpcError) as error:
                    await asked.ask("CreateDownloadLocation", native_url=str(tmp_path / refused))
                assert error.value.code() is grpc.StatusCode.NOT_FOUND

    asyncio.run(scenario())


# --- sizes and channels -----------------------------------------------------------------------------------------------

INT = Interface({"x": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})


def unfolds(launch: Launch) -> Report:
    if launch.task.name != "m.wide":
        return one(launch)
    nodes = tuple(
        Node(f"dn{number}", TaskTarget("m.t"), {"x": LiteralBinding(IntLiteral(number))}) for number in range(WIDE)
    )
    graph = Graph("m.wide", INT, nodes, {"o0": PromiseBinding("dn0", "o0")})
    tasks = {"m.t": launch.task.__class__("m.t", INT, launch.task.code, command=launch.task.command)}
    return Unfolded(launch.attempt, graph, Program(tasks), 2.0)


def test_a_dynamic_task_of_five_thousand_nodes_fits_the_channel(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path, unfolds) as asked:
            id = await asked.launch(await register_task(asked, "m.wide", dynamic=True), "wide")
            assert (await asked.ended(id)).closure.phase == 4
            names, token = [], ""
            while True:
                page = await asked.ask(
                    "ListNodeExecutions", workflow_execution_id=id, unique_parent_id="n0", limit=10_000, token=token
                )
                names += [each.id.node_id for each in page.node_executions]
                token = page.token
                if not token:
                    break
            assert names == [f"n0-0-dn{number}" for number in range(WIDE)]
            data = await asked.ask("GetNodeExecutionData", id={"node_id": "n0", "execution_id": id})
            assert len(nodes_of(data.dynamic_workflow.compiled_workflow.primary.template)) == WIDE
            assert len(data.dynamic_workflow.compiled_workflow.tasks) == 1
            (span,) = (await asked.ask("GetExecutionMetrics", id=id, depth=2)).span.spans
            assert span.node_id.node_id == "n0"
            of_task = {"node_execution_id": {"node_id": "n0", "execution_id": id}, "task_id": id_of("task", "m.wide")}
            listed = await asked.ask("ListNodeExecutionsForTask", task_execution_id=of_task, limit=7)
            assert len(listed.node_executions) == 7

    asyncio.run(scenario())


def unfolds_to_nothing_known(launch: Launch) -> Report:
    node = Node("dn0", LaunchPlanTarget("m.nowhere"), {"x": LiteralBinding(IntLiteral(1))})
    graph = Graph("m.wide", INT, (node,), {"o0": PromiseBinding("dn0", "o0")})
    return Unfolded(launch.attempt, graph, Program(), 2.0)


def test_a_dynamic_task_that_names_a_plan_that_is_nowhere_is_seen_to_fail(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with site(tmp_path, unfolds_to_nothing_known) as asked:
            id = await asked.launch(await register_task(asked, "m.wide", dynamic=True), "lost")
            failed = await asked.ended(id)
            assert (failed.closure.phase, "m.nowhere" in failed.closure.error.message) == (6, True)
            inside = await asked.ask("ListNodeExecutions", workflow_execution_id=id, unique_parent_id="n0", limit=9)
            (node,) = inside.node_executions
            assert not node.closure.HasField("workflow_node_metadata")
            data = await asked.ask("GetNodeExecutionData", id={"node_id": "n0", "execution_id": id})
            assert not data.HasField("dynamic_workflow")

    asyncio.run(scenario())


PINGS = (
    ("grpc.keepalive_time_ms", 50),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.use_local_subchannel_pool", 1),
)
"""flytekit's, 600 times as often: it pings every 30 seconds, also between calls."""


@pytest.mark.parametrize("ours", [True, False])
def test_idle_clients_that_ping_are_left_alone(ours: bool, tmp_path: Path) -> None:
    async def scenario() -> bool:
        server = grpc.aio.server(options=OPTIONS if ours else ())
        server.add_insecure_port(f"unix:{tmp_path}/grpc")
        await server.start()
        async with grpc.aio.insecure_channel(f"unix:{tmp_path}/grpc", options=PINGS) as channel:
            await channel.channel_ready()
            try:
                async with asyncio.timeout(1.0 if ours else 60.0):
                    await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)
            except TimeoutError:
                return True
            finally:
                await server.stop(None)
        return False

    assert asyncio.run(scenario()) is ours
