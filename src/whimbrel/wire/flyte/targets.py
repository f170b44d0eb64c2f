"""What the targets of a program are on Flyte's side: their interfaces and their names. Pure: no protobuf."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from msgspec.structs import replace

from whimbrel.errors import InputInvalid
from whimbrel.model.codec import canonical
from whimbrel.model.interface import Interface, Variable
from whimbrel.model.literal_types import NONE, ListType, LiteralType, UnionType
from whimbrel.model.program import (
    ArrayTarget,
    BranchTarget,
    GateKind,
    GateTarget,
    Graph,
    LaunchPlanTarget,
    Node,
    Program,
    TaskSpec,
    TaskTarget,
    WorkflowTarget,
)

_ARM = re.compile(r"\.n[\w-]*-(arm\d+|else)$")
# With this many hex digits flytekit names its maps; the digest is of other things than its own.
_MAP_DIGITS = 32
MAP_SUFFIX = "-arraynode"
"""What the names of tasks that are maps end in."""


def interface_of(
    target: TaskTarget | WorkflowTarget | LaunchPlanTarget | ArrayTarget,
    program: Program,
    *,
    missing: Interface | None = None,
) -> Interface:
    """What a target takes and gives; ``missing``, or ``InputInvalid``, for one that is not in the program."""
    match target:
        case ArrayTarget():
            return map_interface(target, interface_of(target.target, program, missing=missing))
        case TaskTarget(name=name):
            found: TaskSpec | Graph | None = program.tasks.get(name)
        case WorkflowTarget(name=name):
            found = program.workflows.get(name)
        case LaunchPlanTarget(name=name):
            # A plan's own has no fixed inputs; its node may not bind them either.
            plan = program.launch_plans.get(name)
            if plan is not None:
                outputs = (
                    program.workflows[plan.workflow].interface.outputs if plan.workflow in program.workflows else {}
                )
                return Interface(plan.interface.inputs, plan.interface.outputs or outputs)
            found = None
    if found is None and name in program.references:
        return program.references[name].interface
    if found is None and missing is not None:
        return missing
    if found is None:
        raise InputInvalid(f"{name} is not in the program; compile it from its source.")
    return found.interface


def map_interface(target: ArrayTarget, item: Interface) -> Interface:
    """What a map takes and gives: lists of what an item does."""
    inputs = {
        name: replace(parameter, type=ListType(parameter.type), default=None) if name in target.mapped else parameter
        for name, parameter in item.inputs.items()
    }
    outputs = {
        name: Variable(ListType(_maybe(output.type) if target.partial else output.type), output.description)
        for name, output in item.outputs.items()
    }
    return Interface(inputs, outputs)


def _maybe(kind: LiteralType) -> LiteralType:
    variants = kind.variants if isinstance(kind, UnionType) else (kind,)
    return kind if NONE in variants else UnionType((*variants, NONE))


def map_task_name(target: ArrayTarget, program: Program) -> str:
    """The name of the task that a map over a task is registered as: one for each way of mapping it."""
    assert isinstance(target.target, TaskTarget)
    if target.target.name.endswith(MAP_SUFFIX):
        return target.target.name  # read from a message: it has been named
    module, _, name = target.target.name.rpartition(".")
    shape = (target.target.name, sorted(target.mapped), target.partial, interface_of(target, program))
    digest = hashlib.sha256(canonical(shape)).hexdigest()[:_MAP_DIGITS]
    return f"{module}.map_{name}_{digest}{MAP_SUFFIX}"


def is_arm(name: str) -> bool:
    """Whether a workflow was made of an arm of a conditional: nobody launches it by itself."""
    return _ARM.search(name) is not None


def nodes_of(graph: Graph) -> Iterator[Node]:
    """Every node, those in arms and the failure node included."""
    stack = [*reversed(graph.nodes)]
    if graph.failure_node is not None:
        stack.insert(0, graph.failure_node)
    while stack:
        node = stack.pop()
        yield node
        if isinstance(node.target, BranchTarget):
            arms = [case.node for case in node.target.cases]
            if node.target.otherwise is not None:
                arms.append(node.target.otherwise)
            stack.extend(reversed(arms))


def subworkflows(graph: Graph, program: Program) -> list[str]:
    """The workflows that run inside ``graph``, those inside them too, each once."""
    found: dict[str, None] = {}

    def look(inside: Graph) -> None:
        for node in nodes_of(inside):
            target = node.target
            while isinstance(target, ArrayTarget):
                target = target.target
            if isinstance(target, WorkflowTarget) and target.name not in found and target.name in program.workflows:
                found[target.name] = None
                look(program.workflows[target.name])

    look(graph)
    return list(found)


def short_name(target: object, program: Program) -> str:
    """What a node is called that was given no name: by what it runs."""
    match target:
        case ArrayTarget(target=TaskTarget()):
            return map_task_name(target, program)
        case ArrayTarget(target=inner):
            return inner.name
        case LaunchPlanTarget(name=name) if name in program.launch_plans:
            return program.launch_plans[name].workflow.rpartition(".")[2]
        case GateTarget(kind=GateKind.SLEEP):
            return "sleep-gate"
        case GateTarget(name=name) | BranchTarget(name=name):
            return name
        case TaskTarget(name=name) | WorkflowTarget(name=name) | LaunchPlanTarget(name=name):
            return name.rpartition(".")[2]
        case _:
            return ""
