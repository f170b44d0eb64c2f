"""The registry over the store in memory: what is kept, and what is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2, types_pb2

from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.system import SystemClock
from whimbrel.errors import AlreadyExists, CompileError, EntityNotFound, InputInvalid
from whimbrel.model.registered import EntityId, EntityKind, EntityQuery
from whimbrel.stores.memory import MemoryStore
from whimbrel.wire.flyte.entities import ACTIVE, assembled

INT = types_pb2.LiteralType(simple=types_pb2.INTEGER)
STRING = types_pb2.LiteralType(simple=types_pb2.STRING)


def registry() -> Registry:
    return Registry(store=MemoryStore(), clock=SystemClock())


def id_of(kind: EntityKind, name: str, version: str = "v1") -> EntityId:
    return EntityId(kind, "flytesnacks", "development", name, version)


def task(takes: Any = INT) -> Any:
    spec = task_pb2.TaskSpec()
    spec.template.interface.inputs.variables["x"].type.CopyFrom(takes)
    spec.template.container.args.append("run")
    return spec


def workflow(*names: str) -> Any:
    """A workflow whose nodes give its input, a whole number, to tasks."""
    spec = workflow_pb2.WorkflowSpec()
    spec.template.interface.inputs.variables["x"].type.CopyFrom(INT)
    for number, name in enumerate(names):
        node = spec.template.nodes.add(id=f"n{number}")
        node.task_node.reference_id.CopyFrom(
            identifier_pb2.Identifier(
                resource_type=1, project="flytesnacks", domain="development", name=name, version="v1"
            )
        )
        binding = node.inputs.add(var="x").binding
        binding.promise.node_id, binding.promise.var = "start-node", "x"
        node.upstream_node_ids.extend(f"n{above}" for above in range(number))
    return spec


def test_the_same_again_is_there_already_and_another_body_is_refused() -> None:
    async def scenario() -> None:
        known = registry()
        id = id_of(EntityKind.TASK, "f")
        await known.create_task(id, task())
        with pytest.raises(AlreadyExists):
            await known.create_task(id, task())
        with pytest.raises(InputInvalid, match="another body"):
            await known.create_task(id, task(STRING))
        assert (await known.get(id)).message == task().SerializeToString(deterministic=True)

    asyncio.run(scenario())


def test_lists_whose_order_means_nothing_may_have_another() -> None:
    async def scenario() -> None:
        known = registry()
        for name in "abc":
            await known.create_task(id_of(EntityKind.TASK, name), task())
        id = id_of(EntityKind.WORKFLOW, "w")
        await known.create_workflow(id, workflow("a", "b", "c"))
        turned = workflow("a", "b", "c")
        turned.template.nodes[2].upstream_node_ids.reverse()
        with pytest.raises(AlreadyExists):
            await known.create_workflow(id, turned)
        with pytest.raises(InputInvalid, match="another body"):
            await known.create_workflow(id, workflow("a", "c", "b"))
        tasks = await known.tasks_of(await known.get(id))
        assert sorted(each.id.name for each in tasks) == ["a", "b", "c"]
        assert list(assembled(await known.get(id)).program.workflows) == ["w"]

    asyncio.run(scenario())


def test_a_workflow_is_checked_when_it_is_registered() -> None:
    async def scenario() -> None:
        known = registry()
        await known.create_task(id_of(EntityKind.TASK, "f"), task(STRING))
        with pytest.raises(CompileError):
            await known.create_workflow(id_of(EntityKind.WORKFLOW, "w"), workflow("f"))
        with pytest.raises(InputInvalid, match="not registered"):
            await known.create_workflow(id_of(EntityKind.WORKFLOW, "w"), workflow("g"))
        assert await known.find(EntityQuery(EntityKind.WORKFLOW)) == []

    asyncio.run(scenario())


def test_places_and_versions_must_be_there() -> None:
    async def scenario() -> None:
        known = registry()
        for id in (
            EntityId(EntityKind.TASK, "nowhere", "development", "f", "v1"),
            EntityId(EntityKind.TASK, "flytesnacks", "nowhere", "f", "v1"),
            id_of(EntityKind.TASK, "f", ""),
        ):
            with pytest.raises(InputInvalid):
                await known.create_task(id, task())
        assert await known.add_project("nowhere")
        assert not await known.add_project("nowhere")
        await known.create_task(EntityId(EntityKind.TASK, "nowhere", "development", "f", "v1"), task())
        assert [each.id.name for each in await known.projects()] == ["flytesnacks", "nowhere"]

    asyncio.run(scenario())


def test_one_version_of_a_launch_plan_is_active() -> None:
    async def scenario() -> None:
        known = registry()
        await known.create_task(id_of(EntityKind.TASK, "f"), task())
        spec = workflow("f")
        await known.create_workflow(id_of(EntityKind.WORKFLOW, "w"), spec)
        plans = [id_of(EntityKind.LAUNCH_PLAN, "w", version) for version in ("v1", "v2")]
        for plan in plans:
            await known.create_launch_plan(plan, plan_of("w"))
        with pytest.raises(EntityNotFound):
            await known.active_plan("flytesnacks", "development", "w")
        for plan in (*plans, plans[0]):
            await known.set_plan_state(plan, ACTIVE)
            assert (await known.active_plan("flytesnacks", "development", "w")).id == plan

    asyncio.run(scenario())


def plan_of(workflow: str) -> Any:
    spec = launch_plan_pb2.LaunchPlanSpec()
    spec.workflow_id.CopyFrom(
        identifier_pb2.Identifier(
            resource_type=2, project="flytesnacks", domain="development", name=workflow, version="v1"
        )
    )
    spec.default_inputs.parameters["x"].var.type.CopyFrom(INT)
    spec.default_inputs.parameters["x"].required = True
    return spec
