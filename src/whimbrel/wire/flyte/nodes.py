"""Nodes as ``flyteidl.core.Node`` messages, whatever they run.

Arms of a branch have ids of their own there, ``n0`` and so on, as flytekit gives them. What a bracket adds to its edges
(that a teardown runs whatever happened) Flyte cannot say: on its side the edges are all there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from flyteidl.core import workflow_pb2

from whimbrel.errors import InputInvalid
from whimbrel.model.declared import Declarations, NodeDeclaration
from whimbrel.model.literal_types import LiteralType
from whimbrel.model.literals import DurationLiteral
from whimbrel.model.program import (
    START,
    ArrayTarget,
    Binding,
    BranchTarget,
    Comparison,
    Condition,
    GateKind,
    GateTarget,
    LaunchPlanTarget,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    TaskTarget,
    WorkflowTarget,
    overlay,
)
from whimbrel.wire.flyte.bindings import BindingEncoder
from whimbrel.wire.flyte.ids import LAUNCH_PLAN, TASK, WORKFLOW, Registration, reference_id
from whimbrel.wire.flyte.targets import interface_of, map_task_name, short_name
from whimbrel.wire.flyte.tasks import bound_inputs, duration, encode_resources
from whimbrel.wire.flyte.types import encode_type
from whimbrel.wire.names import dns_name

NOTHING = NodeDeclaration()


class NodeEncoder:
    """Encodes the nodes of one workflow of ``program``."""

    def __init__(self, workflow: str, program: Program, declared: Declarations, registration: Registration) -> None:
        self._program = program
        self._declared = declared.nodes.get(workflow, {})
        self._defaults = declared.defaults
        ids = {id: said.id for id, said in self._declared.items() if said.id}
        twice = {id for id in ids.values() if list(ids.values()).count(id) > 1}
        if twice:
            raise InputInvalid(f"{workflow}: several nodes are called {', '.join(twice)}; give each a name of its own.")
        self.bindings = BindingEncoder(ids, declared.defaults)
        self._registration = registration

    def encode(self, node: Node, *, id: str = "") -> Any:
        """A ``Node`` message. ``id`` is the one that it has among the arms of a branch."""
        declared = self._declared.get(node.id, NOTHING)
        message = workflow_pb2.Node(id=declared.id or id or node.id)
        target = node.target
        # A name that is the node's id there is no label.
        label = declared.name if declared.id else node.name
        message.metadata.name = label or short_name(target, self._program)
        message.metadata.retries.SetInParent()
        message.upstream_node_ids.extend(self._upstream(node))
        match target:
            case BranchTarget():
                self._branch(message, node, target)
                return message
            case GateTarget():
                self._gate(message, node, target)
                return message
            case ArrayTarget():
                self._array(message, node, target)
            case TaskTarget() | WorkflowTarget() | LaunchPlanTarget():
                self._metadata(message.metadata, node, target)
                self._runs(message, node, target)
        message.inputs.extend(self._bindings(node, target))
        return message

    def _bindings(self, node: Node, target: TaskTarget | WorkflowTarget | LaunchPlanTarget | ArrayTarget) -> list[Any]:
        interface = interface_of(target, self._program)
        kinds: dict[str, LiteralType] = {name: parameter.type for name, parameter in interface.inputs.items()}
        return self.bindings.bindings(node.inputs, kinds)

    # --- what it runs ------------------------------------------------------------------------------------------------

    def _runs(self, message: Any, node: Node, target: TaskTarget | WorkflowTarget | LaunchPlanTarget) -> None:
        match target:
            case TaskTarget(name=name):
                message.task_node.reference_id.CopyFrom(self._id(TASK, name, self._program.tasks))
                if name in self._program.tasks:
                    self._overrides(message.task_node.overrides, node)
            case WorkflowTarget(name=name):
                message.workflow_node.sub_workflow_ref.CopyFrom(self._id(WORKFLOW, name, self._program.workflows))
            case LaunchPlanTarget(name=name):
                message.workflow_node.launchplan_ref.CopyFrom(self._id(LAUNCH_PLAN, name, self._program.launch_plans))

    def _id(self, kind: int, name: str, own: Any) -> Any:
        if name not in own and name in self._program.references:
            return reference_id(self._program.references[name])
        return self._registration.identifier(kind, name)

    def _overrides(self, message: Any, node: Node) -> None:
        message.SetInParent()
        declared = self._declared.get(node.id, NOTHING)
        if declared.requests or declared.limits:
            encode_resources(message.resources, declared.requests, declared.limits)
        if node.overrides.image:
            message.container_image = self._registration.image_of(node.overrides.image)

    def _metadata(self, message: Any, node: Node, target: TaskTarget | WorkflowTarget | LaunchPlanTarget) -> None:
        below = Metadata()
        if isinstance(target, TaskTarget):
            if target.name in self._program.tasks:
                below = self._program.tasks[target.name].metadata
        elif target.name not in self._program.references:
            # flytekit always says whether a workflow in a workflow may be interrupted.
            message.interruptible = False
            if isinstance(target, WorkflowTarget) and target.name in self._program.workflows:
                below = self._program.workflows[target.name].metadata
        said = overlay(below, node.overrides)
        message.retries.retries = said.retries or 0
        if said.timeout is not None:
            message.timeout.CopyFrom(duration(said.timeout))
        if said.interruptible is not None:
            message.interruptible = said.interruptible
        own = node.overrides
        if own.cache is not None:
            message.cacheable = True
            message.cache_version = own.cache.version
            if own.cache.serialize:
                message.cache_serializable = True
        elif own.cache_off:
            message.cacheable = False

    def _array(self, message: Any, node: Node, target: ArrayTarget) -> None:
        inner = message.array_node.node
        if isinstance(target.target, ArrayTarget):
            raise InputInvalid(f"{node.id} is a map of a map, which Flyte has not; put the inner one into a workflow.")
        self._metadata(inner.metadata, node, target.target)
        if isinstance(target.target, TaskTarget):
            name = map_task_name(target, self._program)
            inner.metadata.name = inner.id = name
            inner.task_node.reference_id.CopyFrom(self._registration.identifier(TASK, name))
            self._overrides(inner.task_node.overrides, node)
        else:
            inner.metadata.name = target.target.name
            inner.metadata.ClearField("interruptible")
            inner.id = dns_name(target.target.name)
            message.array_node.execution_mode = workflow_pb2.ArrayNode.FULL_STATE
            self._runs(inner, node, target.target)
        inner.inputs.extend(self._bindings(node, target))
        if target.concurrency:
            message.array_node.parallelism = target.concurrency
        if target.min_successes is not None:
            message.array_node.min_successes = target.min_successes
        else:
            message.array_node.min_success_ratio = target.min_success_ratio
        message.array_node.is_original_sub_node_interface.value = not isinstance(target.target, TaskTarget)
        message.array_node.bound_inputs.extend(bound_inputs(target, interface_of(target, self._program)))

    def _gate(self, message: Any, node: Node, target: GateTarget) -> None:
        if target.timeout is not None:
            message.metadata.timeout.CopyFrom(duration(target.timeout))
        match target.kind:
            case GateKind.APPROVE:
                message.gate_node.approve.signal_id = target.name
                if "value" in node.inputs:
                    # Flyte's approvals pass on what they are given under the name of their output.
                    kinds = {"o0": target.interface.outputs["o0"].type}
                    message.inputs.extend(self.bindings.bindings({"o0": node.inputs["value"]}, kinds))
            case GateKind.SIGNAL:
                signal = message.gate_node.signal
                signal.signal_id = target.name
                signal.output_variable_name = "o0"
                signal.type.CopyFrom(encode_type(target.interface.outputs["o0"].type, self._defaults))
            case GateKind.SLEEP:
                given = node.inputs.get("duration")
                if not (isinstance(given, LiteralBinding) and isinstance(given.value, DurationLiteral)):
                    raise InputInvalid(f"{node.id} sleeps as long as a step says, which Flyte cannot; give it a span.")
                span = given.value
                seconds = span.days * 86_400 + span.seconds + span.microseconds / 1e6
                message.gate_node.sleep.duration.CopyFrom(duration(seconds))

    # --- branches ----------------------------------------------------------------------------------------------------

    def _branch(self, message: Any, node: Node, target: BranchTarget) -> None:
        asked = [promise for case in target.cases for promise in condition_promises(case.condition)]
        message.inputs.extend(self.bindings.branch_inputs(asked))
        block = message.branch_node.if_else
        for number, case in enumerate(target.cases):
            into = block.case if number == 0 else block.other.add()
            into.condition.CopyFrom(self.bindings.condition(case.condition))
            into.then_node.CopyFrom(self._arm(case.node, node))
        if target.otherwise is not None:
            block.else_node.CopyFrom(self._arm(target.otherwise, node))
        else:
            block.error.failed_node_id = target.name
            block.error.message = target.message

    def _arm(self, arm: Node, branch: Node) -> Any:
        return self.encode(arm, id=arm.id.removeprefix(f"{branch.id}-"))

    def _upstream(self, node: Node) -> list[str]:
        """The nodes that it waits for. A branch waits for those of its conditions; its arms say the rest themselves."""
        target = node.target
        if not isinstance(target, BranchTarget):
            own = [promise.node for binding in node.inputs.values() for promise in promises(binding)]
            return self._named((*own, *node.upstream))
        asked = [promise.node for case in target.cases for promise in condition_promises(case.condition)]
        inside = set(_arm_promises(target))
        ordered = [id for id in node.upstream if id not in inside]
        return self._named((*asked, *ordered))

    def _named(self, ids: Iterable[str]) -> list[str]:
        return list(dict.fromkeys(self.bindings.node(id) for id in ids if id != START))


def promises(binding: Binding) -> Iterator[PromiseBinding]:
    """Every promise in ``binding``."""
    match binding:
        case PromiseBinding():
            yield binding
        case ListBinding(items=items):
            for item in items:
                yield from promises(item)
        case MapBinding(items=fields):
            for item in fields.values():
                yield from promises(item)


def condition_promises(condition: Condition) -> Iterator[PromiseBinding]:
    """Every promise in ``condition``."""
    if isinstance(condition, Comparison):
        yield from promises(condition.left)
        yield from promises(condition.right)
    else:
        yield from condition_promises(condition.left)
        yield from condition_promises(condition.right)


def _arm_promises(target: BranchTarget) -> Iterator[str]:
    arms = [case.node for case in target.cases]
    if target.otherwise is not None:
        arms.append(target.otherwise)
    for arm in arms:
        for binding in arm.inputs.values():
            yield from (promise.node for promise in promises(binding))
        if isinstance(arm.target, BranchTarget):
            yield from (p.node for case in arm.target.cases for p in condition_promises(case.condition))
            yield from _arm_promises(arm.target)
