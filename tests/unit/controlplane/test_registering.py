"""Registration by our own client: all or nothing, once, read by clients of Flyte too."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
from msgspec.structs import replace

from whimbrel.authoring.compiling import close_program
from whimbrel.authoring.launch_plan import LaunchPlan
from whimbrel.authoring.maps import map_task
from whimbrel.authoring.task import task
from whimbrel.authoring.workflow import workflow
from whimbrel.controlplane.registering import Registrar
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.system import SystemClock
from whimbrel.errors import CompileError, InputInvalid, VersionConflict
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER, STRING
from whimbrel.model.literals import IntLiteral, StrLiteral
from whimbrel.model.program import (
    START,
    CodeRef,
    Graph,
    LaunchPlanTarget,
    LiteralBinding,
    Node,
    Program,
    PromiseBinding,
    Reference,
    ReferenceKind,
    SourceLine,
    TaskTarget,
)
from whimbrel.model.registered import EntityId, EntityKind, EntityQuery
from whimbrel.stores.memory import MemoryStore
from whimbrel.stores.sql.store import SqlStore
from whimbrel.wire.flyte.entities import ACTIVE, INACTIVE, assembled, fill_launch_plan, fill_task, fill_workflow
from whimbrel.wire.rest.registering import Registration, decode_registration, encode_registration

P, D = "flytesnacks", "development"
BUNDLE = "ab" * 32


@task
def double(x: int) -> int:
    """Twice as much."""
    return 2 * x


@workflow
def quadruple(x: int = 3) -> int:
    return double(x=double(x=x))


@workflow
def each(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)


daily = LaunchPlan.get_or_create(quadruple, "daily", default_inputs={"x": 7}, auto_activate=True)


def relative(program: Program) -> Program:
    """As a client sends it: roots relative to the bundle."""
    return replace(
        program,
        tasks={
            name: replace(spec, code=CodeRef(spec.code.module, spec.code.name, "src"))
            for name, spec in program.tasks.items()
        },
    )


def said(*roots: Any, version: str = "v1", bundle: str = BUNDLE) -> Registration:
    program = Program({}, {}, {}, {})
    for root in roots:
        program = program.merged(close_program(root))
    registration = Registration(version, bundle, "3.12", relative(program))
    assert decode_registration(encode_registration(registration)) == registration
    return registration


class World:
    def __init__(self, store: MemoryStore | SqlStore) -> None:
        self.store = store
        self.registry = Registry(store=store, clock=SystemClock())
        self.bundles = {BUNDLE, "cd" * 32}
        self.registrar = Registrar(
            registry=self.registry, store=store, clock=SystemClock(), has_bundle=self._has_bundle
        )

    async def _has_bundle(self, digest: str) -> bool:
        return digest in self.bundles

    async def register(self, registration: Registration) -> dict[str, bool]:
        made = await self.registrar.register(P, D, registration)
        return {f"{each.kind} {each.name.rpartition('.')[2]}": each.created for each in made}

    async def count(self) -> int:
        kinds = (EntityKind.TASK, EntityKind.WORKFLOW, EntityKind.LAUNCH_PLAN)
        return sum([len(await self.store.entities(EntityQuery(kind))) for kind in kinds])


@pytest.fixture(params=["memory", "sqlite"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    store = MemoryStore() if request.param == "memory" else SqlStore.open(tmp_path / "whimbrel.db")
    yield World(store)
    store.close()


def name_of(entity: Any) -> str:
    return str(entity.name)


def test_everything_of_a_program_is_registered_once(world: World) -> None:
    async def scenario() -> None:
        first = await world.register(said(quadruple, daily))
        assert first == {
            "task double": True,
            "workflow quadruple": True,
            "launch_plan quadruple": True,
            "launch_plan daily": True,
        }
        again = await world.register(said(quadruple, daily))
        assert again == dict.fromkeys(first, False)
        assert await world.count() == 4

    asyncio.run(scenario())


def test_each_entity_has_what_it_runs_and_where_its_code_is(world: World) -> None:
    async def scenario() -> None:
        await world.register(said(quadruple, daily))
        plan = await world.registry.get(EntityId(EntityKind.LAUNCH_PLAN, P, D, "daily", "v1"))
        found = assembled(plan)
        assert list(found.program.tasks) == [name_of(double)]
        assert list(found.program.workflows) == [name_of(quadruple)]
        code = found.program.tasks[name_of(double)].code
        assert (code.root, code.python) == (f"bundle:{BUNDLE}/src", "3.12")
        assert found.tasks[name_of(double)] == EntityId(EntityKind.TASK, P, D, name_of(double), "v1")
        alone = assembled(await world.registry.get(EntityId(EntityKind.TASK, P, D, name_of(double), "v1")))
        assert (list(alone.program.tasks), alone.program.workflows) == ([name_of(double)], {})

    asyncio.run(scenario())


def test_another_body_is_refused_and_nothing_is_kept(world: World) -> None:
    async def scenario() -> None:
        await world.register(said(quadruple))
        before = await world.count()
        with pytest.raises(VersionConflict, match="another version"):
            await world.register(said(quadruple, each, bundle="cd" * 32))
        assert await world.count() == before
        assert (await world.register(said(quadruple, each, bundle="cd" * 32, version="v2")))["workflow each"]

    asyncio.run(scenario())


def test_where_the_author_s_files_lie_is_not_part_of_the_body(world: World) -> None:
    async def scenario() -> None:
        registration = said(quadruple)
        await world.register(registration)
        program = registration.program
        elsewhere = replace(
            program,
            tasks={name: replace(spec, line=SourceLine("/elsewhere/x.py", 3)) for name, spec in program.tasks.items()},
            workflows={
                name: replace(
                    graph,
                    line=SourceLine("/elsewhere/x.py", 9),
                    nodes=tuple(replace(node, line=None) for node in graph.nodes),
                )
                for name, graph in program.workflows.items()
            },
        )
        assert not any((await world.register(replace(registration, program=elsewhere))).values())

    asyncio.run(scenario())


def test_clients_of_flyte_read_what_was_registered(world: World) -> None:
    async def scenario() -> None:
        await world.register(said(quadruple, each, daily))
        get = world.registry.get
        read = task_pb2.Task()
        fill_task(read, await get(EntityId(EntityKind.TASK, P, D, name_of(double), "v1")))
        assert list(read.closure.compiled_task.template.interface.inputs.variables) == ["x"]
        assert read.short_description == "Twice as much."
        entity = await get(EntityId(EntityKind.WORKFLOW, P, D, name_of(each), "v1"))
        flow = workflow_pb2.Workflow()
        fill_workflow(flow, entity, await world.registry.tasks_of(entity))
        compiled = flow.closure.compiled_workflow
        node = compiled.primary.template.nodes[0]
        asked = node.array_node.node.task_node.reference_id.name
        assert asked in {each.template.id.name for each in compiled.tasks}
        plan = launch_plan_pb2.LaunchPlan()
        fill_launch_plan(plan, await get(EntityId(EntityKind.LAUNCH_PLAN, P, D, "daily", "v1")))
        assert plan.spec.workflow_id.name == name_of(quadruple)
        assert plan.closure.expected_inputs.parameters["x"].default.scalar.primitive.integer == 7
        assert plan.closure.state == launch_plan_pb2.ACTIVE

    asyncio.run(scenario())


def test_one_version_of_a_plan_that_activates_itself_is_active(world: World) -> None:
    async def scenario() -> None:
        states = {}
        for version in ("v1", "v2"):
            await world.register(said(daily, version=version))
        await world.register(said(daily, version="v1"))
        for version in ("v1", "v2"):
            states[version] = (await world.registry.get(EntityId(EntityKind.LAUNCH_PLAN, P, D, "daily", version))).state
        assert states == {"v1": ACTIVE, "v2": INACTIVE}

    asyncio.run(scenario())


def wrong(registration: Registration) -> Registration:
    """A workflow whose node is given text."""
    graph = registration.program.workflows[name_of(quadruple)]
    node = replace(graph.nodes[0], inputs={"x": LiteralBinding(StrLiteral("no"))})
    graph = replace(graph, nodes=(node, replace(node, id="other"), *graph.nodes[1:]))
    return replace(registration, program=replace(registration.program, workflows={graph.name: graph}))


def test_every_problem_is_told_and_nothing_is_kept(world: World) -> None:
    async def scenario() -> None:
        with pytest.raises(CompileError) as caught:
            await world.register(wrong(said(quadruple)))
        assert len(caught.value.problems) == 2
        broken = said(daily)
        plan = replace(broken.program.launch_plans["daily"], fixed={"y": IntLiteral(1)}, workflow="nothing")
        with pytest.raises(CompileError, match="not in the program"):
            await world.register(replace(broken, program=replace(broken.program, launch_plans={"daily": plan})))
        plan = replace(broken.program.launch_plans["daily"], fixed={"x": StrLiteral("no")})
        with pytest.raises(CompileError, match="fixed input 'x'"):
            await world.register(replace(broken, program=replace(broken.program, launch_plans={"daily": plan})))
        assert await world.count() == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"version": ""}, "empty"),
        ({"version": "v/1"}, "printable"),
        ({"version": "v" * 256}, "at most"),
        ({"bundle": "ef" * 32}, "send it first"),
        ({"bundle": ""}, "there is no bundle"),
        ({"program": Program({}, {}, {}, {})}, "nothing in it"),
    ],
)
def test_what_is_refused(world: World, change: dict[str, Any], match: str) -> None:
    async def scenario() -> None:
        with pytest.raises(InputInvalid, match=match):
            await world.register(replace(said(quadruple), **change))
        assert await world.count() == 0

    asyncio.run(scenario())


@pytest.mark.parametrize("root", ["..", "a/../../b", "/etc", "a\\b", "a\nb"])
def test_code_stays_in_its_bundle(world: World, root: str) -> None:
    async def scenario() -> None:
        registration = said(quadruple)
        tasks = {
            name: replace(spec, code=replace(spec.code, root=root)) for name, spec in registration.program.tasks.items()
        }
        with pytest.raises(InputInvalid, match="no directory inside"):
            await world.register(replace(registration, program=replace(registration.program, tasks=tasks)))

    asyncio.run(scenario())


def test_an_unknown_place_is_refused(world: World) -> None:
    async def scenario() -> None:
        with pytest.raises(InputInvalid, match="no project"):
            await world.registrar.register("nowhere", D, said(quadruple))
        with pytest.raises(InputInvalid, match="no domain"):
            await world.registrar.register(P, "nowhere", said(quadruple))

    asyncio.run(scenario())


INT = Interface({"x": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})


def referring(kind: ReferenceKind, name: str, version: str, interface: Interface = INT) -> Registration:
    target: Any = TaskTarget(name) if kind is ReferenceKind.TASK else LaunchPlanTarget(name)
    graph = Graph(
        "user", INT, (Node("n0", target, {"x": PromiseBinding(START, "x")}),), {"o0": PromiseBinding("n0", "o0")}
    )
    program = Program({}, {"user": graph}, {}, {name: Reference(kind, "", "", name, version, interface)})
    return Registration("u1", "", "3.12", program)


@pytest.mark.parametrize("version", ["v1", ""])
def test_what_a_program_refers_to_becomes_part_of_it(world: World, version: str) -> None:
    async def scenario() -> None:
        await world.register(said(quadruple, daily))
        await world.register(referring(ReferenceKind.TASK, name_of(double), version))
        found = assembled(await world.registry.get(EntityId(EntityKind.WORKFLOW, P, D, "user", "u1")))
        assert found.program.tasks[name_of(double)].code.root == f"bundle:{BUNDLE}/src"
        assert found.tasks[name_of(double)].version == "v1"

    asyncio.run(scenario())


def test_what_a_program_has_of_others_by_import_is_not_what_it_means(world: World) -> None:
    async def scenario() -> None:
        await world.register(said(quadruple))
        registration = referring(ReferenceKind.TASK, name_of(double), "v1")
        mine = said(quadruple).program.tasks
        local = replace(registration, bundle="cd" * 32, program=replace(registration.program, tasks=mine))
        assert set(await world.register(local)) == {"workflow user", "launch_plan user"}
        found = assembled(await world.registry.get(EntityId(EntityKind.WORKFLOW, P, D, "user", "u1")))
        assert found.program.tasks[name_of(double)].code.root == f"bundle:{BUNDLE}/src"

    asyncio.run(scenario())


def test_what_is_not_there_yet_is_told(world: World) -> None:
    async def scenario() -> None:
        made = await world.registrar.register(P, D, referring(ReferenceKind.LAUNCH_PLAN, "daily", "v1"))
        assert {each.name: "not registered yet" in each.remark for each in made} == {"user": True}
        await world.register(said(daily))
        entity = await world.registry.get(EntityId(EntityKind.WORKFLOW, P, D, "user", "u1"))
        whole, missing = await world.registry.with_references(assembled(entity), P, D)
        assert missing == []
        assert set(whole.program.launch_plans) == {"daily"}

    asyncio.run(scenario())


def test_what_is_referred_to_is_another_than_the_author_says(world: World) -> None:
    async def scenario() -> None:
        await world.register(said(quadruple))
        lies = Interface({"x": Parameter(INTEGER)}, {"o0": Variable(STRING)})
        registration = referring(ReferenceKind.TASK, name_of(double), "v1", lies)
        graph = registration.program.workflows["user"]
        graph = replace(graph, interface=lies)
        with pytest.raises(CompileError, match="expected str, got int"):
            await world.register(
                replace(registration, program=replace(registration.program, workflows={"user": graph}))
            )

    asyncio.run(scenario())
