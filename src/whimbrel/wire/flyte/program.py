"""A program as the messages that are registered of it: tasks, then workflows, then launch plans."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal, NamedTuple, TypeAlias

from google.protobuf import json_format, text_format
from msgspec import Struct

from whimbrel.model.declared import Declarations, TaskDeclaration
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.program import ArrayTarget, Graph, Program, TaskSpec, TaskTarget
from whimbrel.wire.flyte.ids import Registration
from whimbrel.wire.flyte.launch_plans import default_plan, encode_launch_plan
from whimbrel.wire.flyte.targets import interface_of, is_arm, map_task_name, nodes_of, subworkflows
from whimbrel.wire.flyte.tasks import describe_as, encode_map_task, encode_task
from whimbrel.wire.flyte.workflows import encode_workflow

Kind: TypeAlias = Literal["task", "workflow", "launch_plan"]


class Message(Struct, frozen=True):
    """One message, and whose it is. ``body`` is a ``TaskSpec``, a ``WorkflowSpec`` or a ``LaunchPlan``."""

    kind: Kind
    name: str
    body: Any

    def data(self) -> bytes:
        """Its bytes; equal messages have equal ones."""
        encoded: bytes = self.body.SerializeToString(deterministic=True)
        return encoded

    def json(self) -> dict[str, Any]:
        """It as protobuf's JSON, with the names of the fields as they are declared."""
        plain: dict[str, Any] = json_format.MessageToDict(self.body, preserving_proto_field_name=True)
        return plain

    def text(self) -> str:
        """It as protobuf's text."""
        shown: str = text_format.MessageToString(self.body)
        return shown


def encode_program(program: Program, declared: Declarations, registration: Registration) -> list[Message]:
    """Everything that is registered of ``program``, each before what needs it. Raises ``InputInvalid`` for what Flyte
    has no form for."""
    only_mapped = _only_mapped(program)
    return [
        Message(each.kind, each.name, each.make())
        for each in encodings(program, declared, registration)
        # The maps of tasks that are only mapped are tasks of their own.
        if each.kind != "task" or each.mapped is not None or each.name not in only_mapped
    ]


class Encoding(NamedTuple):
    """A message that can be made, and whose it is. ``make`` raises ``InputInvalid``. ``mapped`` is what a task runs
    that stands for a map."""

    kind: Kind
    name: str
    make: Callable[[], Any]
    mapped: ArrayTarget | None = None


def encodings(program: Program, declared: Declarations, registration: Registration) -> Iterator[Encoding]:
    """What may be registered of ``program``, each before what needs it, tasks that are only mapped too. Raises
    ``InputInvalid`` for a map of a task that is not there."""
    nothing = TaskDeclaration()

    def task(spec: TaskSpec) -> Any:
        body = encode_task(spec, declared.tasks.get(spec.name, nothing), registration, declared.defaults)
        _describe(body, spec.name, spec.doc, declared)
        return body

    def mapped(name: str, target: ArrayTarget) -> Any:
        spec = program.tasks[target.target.name]
        said = declared.tasks.get(spec.name, nothing)
        return encode_map_task(name, target, interface_of(target, program), spec, said, registration, declared.defaults)

    def workflow(graph: Graph) -> Any:
        body = encode_workflow(graph, program, declared, registration)
        _describe(body, graph.name, graph.doc, declared)
        return body

    def plan_of(plan: LaunchPlanSpec) -> Any:
        interface = program.workflows[plan.workflow].interface
        return encode_launch_plan(plan, interface, registration, declared.defaults)

    for name, spec in program.tasks.items():
        yield Encoding("task", name, partial(task, spec))
    maps: dict[str, ArrayTarget] = {}
    for graph in program.workflows.values():
        for node in nodes_of(graph):
            target = node.target
            if not (isinstance(target, ArrayTarget) and isinstance(target.target, TaskTarget)):
                continue
            if target.target.name in program.tasks:
                maps.setdefault(map_task_name(target, program), target)
    for name, target in maps.items():
        yield Encoding("task", name, partial(mapped, name, target), target)
    ordered = _inner_first(program)
    for graph in ordered:
        yield Encoding("workflow", graph.name, partial(workflow, graph))
    plans = {graph.name: default_plan(graph) for graph in ordered} | program.launch_plans
    for name, plan in plans.items():
        yield Encoding("launch_plan", name, partial(plan_of, plan))


def _describe(body: Any, name: str, doc: str, declared: Declarations) -> None:
    if name in declared.docs:
        describe_as(body.description, declared.docs[name])
    elif name in declared.undescribed and not doc:
        body.ClearField("description")


def _only_mapped(program: Program) -> set[str]:
    """Tasks that nodes run for the items of lists and in no other way."""
    mapped: set[str] = set()
    run: set[str] = set()
    for graph in program.workflows.values():
        for node in nodes_of(graph):
            target = node.target
            if isinstance(target, TaskTarget):
                run.add(target.name)
            elif isinstance(target, ArrayTarget) and isinstance(target.target, TaskTarget):
                mapped.add(target.target.name)
    return mapped - run


def _inner_first(program: Program) -> list[Graph]:
    launchable = [graph for graph in program.workflows.values() if not is_arm(graph.name)]
    # A workflow holds all of those that are inside those inside it: it has more of them than any of them has.
    return sorted(launchable, key=lambda graph: len(subworkflows(graph, program)))
