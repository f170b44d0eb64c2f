"""What a node takes and gives, whatever it runs.

Knows the IR. Must not know what is right and wrong about a graph.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from msgspec.structs import replace

from whimbrel.graph.passes import arms
from whimbrel.model.interface import Interface, Variable
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literal_types import NONE, ListType, LiteralType, UnionType
from whimbrel.model.program import (
    ArrayTarget,
    BranchTarget,
    GateTarget,
    Graph,
    LaunchPlanTarget,
    Node,
    Program,
    TaskSpec,
    TaskTarget,
    WorkflowTarget,
)

Called: TypeAlias = TaskTarget | WorkflowTarget | LaunchPlanTarget
"""A target that names an entity of the program."""

Interfaces: TypeAlias = Callable[[Called], Interface | None]
"""The interface of an entity; ``None`` if it is not in the program."""


def program_interfaces(program: Program) -> Interfaces:
    """Looks interfaces up in ``program``."""

    def look(target: Called) -> Interface | None:
        entities: Mapping[str, TaskSpec | Graph | LaunchPlanSpec]
        match target:
            case TaskTarget():
                entities = program.tasks
            case WorkflowTarget():
                entities = program.workflows
            case LaunchPlanTarget():
                entities = program.launch_plans
        entity = entities.get(target.name) or program.references.get(target.name)
        return None if entity is None else entity.interface

    return look


def called(target: Called | ArrayTarget) -> Called:
    """What is run in the end: that of a map is what it runs for each item."""
    while isinstance(target, ArrayTarget):
        target = target.target
    return target


def target_interface(target: Called | ArrayTarget | GateTarget, interfaces: Interfaces) -> Interface | None:
    """The interface of anything but a branch; ``None`` if what it names is not in the program."""
    if isinstance(target, GateTarget):
        return target.interface
    if not isinstance(target, ArrayTarget):
        return interfaces(target)
    inner = target_interface(target.target, interfaces)
    return None if inner is None else array_interface(target, inner)


def array_interface(target: ArrayTarget, item: Interface) -> Interface:
    """What a map takes and gives whose items take and give ``item``: lists of it."""
    inputs = {
        name: replace(parameter, type=ListType(parameter.type), default=None) if name in target.mapped else parameter
        for name, parameter in item.inputs.items()
    }
    outputs = {name: Variable(ListType(_given(target, output.type))) for name, output in item.outputs.items()}
    return Interface(inputs, outputs)


def _given(target: ArrayTarget, kind: LiteralType) -> LiteralType:
    if not target.partial:
        return kind
    variants = kind.variants if isinstance(kind, UnionType) else (kind,)
    return kind if NONE in variants else UnionType((*variants, NONE))


def node_outputs(node: Node, interfaces: Interfaces) -> dict[str, LiteralType]:
    """Literal types by output. A branch has the outputs that every arm has; those of different types as a union."""
    if not isinstance(node.target, BranchTarget):
        interface = target_interface(node.target, interfaces)
        return {} if interface is None else {name: output.type for name, output in interface.outputs.items()}
    given = [node_outputs(arm, interfaces) for arm in arms(node.target) if not fails(arm)]
    if not given:
        return {}
    found: dict[str, LiteralType] = {}
    for name in given[0]:
        kinds: list[LiteralType] = []
        for outputs in given:
            if name in outputs and outputs[name] not in kinds:
                kinds.append(outputs[name])
        if all(name in outputs for outputs in given):
            found[name] = kinds[0] if len(kinds) == 1 else UnionType(tuple(kinds))
    return found


def fails(node: Node) -> bool:
    """Whether the arm is a ``fail``: a branch without arms."""
    target = node.target
    return isinstance(target, BranchTarget) and not target.cases and target.otherwise is None


def all_nodes(graph: Graph) -> tuple[Node, ...]:
    """The nodes of ``graph``, its failure node included."""
    return graph.nodes if graph.failure_node is None else (*graph.nodes, graph.failure_node)


def called_in(nodes: Iterable[Node]) -> list[Called]:
    """The entities that ``nodes`` run, each once, those of branches and maps included."""
    found: dict[Called, None] = {}
    stack = list(nodes)
    while stack:
        target = stack.pop().target
        if isinstance(target, BranchTarget):
            stack.extend(arms(target))
        elif not isinstance(target, GateTarget):
            found[called(target)] = None
    return list(found)


def workflows_in(nodes: Iterable[Node], plans: Mapping[str, LaunchPlanSpec]) -> list[str]:
    """The workflows that ``nodes`` run, by name, those of launch plans included."""
    found: dict[str, None] = {}
    for entity in called_in(nodes):
        plan = plans.get(entity.name) if isinstance(entity, LaunchPlanTarget) else None
        if plan is not None:
            found[plan.workflow] = None
        elif isinstance(entity, WorkflowTarget):
            found[entity.name] = None
    return list(found)
