"""Messages as a program: what a client registers becomes what an engine runs.

Names of entities are those of their ids; projects, domains and versions are the business of whoever registers. What
the messages do not say (brackets, exact types, what only whimbrel knows) is not there afterwards.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from flyteidl.core import literals_pb2, security_pb2, tasks_pb2, workflow_pb2
from msgspec import UNSET, UnsetType

from whimbrel.errors import InputInvalid
from whimbrel.model import literals as lit
from whimbrel.model.declared import Accelerator, ContainerSpec, Declarations, NodeDeclaration, TaskDeclaration
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import ANY, DURATION, ListType, LiteralType, MapType, UnionType, attribute
from whimbrel.model.program import (
    START,
    ArrayTarget,
    Binding,
    BranchCase,
    BranchTarget,
    CacheSpec,
    CodeRef,
    Command,
    Comparison,
    Condition,
    FailurePolicy,
    GateKind,
    GateTarget,
    Graph,
    Junction,
    LaunchPlanTarget,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    Reference,
    ReferenceKind,
    Resources,
    TaskKind,
    TaskSpec,
    TaskTarget,
    WorkflowTarget,
)
from whimbrel.model.secrets import SecretMount, SecretRequest
from whimbrel.wire.flyte.bindings import OPERATORS
from whimbrel.wire.flyte.interface import decode_interface, encode_interface
from whimbrel.wire.flyte.launch_plans import decode_launch_plan
from whimbrel.wire.flyte.literals import decode_literal
from whimbrel.wire.flyte.nodes import promises
from whimbrel.wire.flyte.schema import schema_defaults
from whimbrel.wire.flyte.structs import plain
from whimbrel.wire.flyte.targets import MAP_SUFFIX, interface_of, short_name
from whimbrel.wire.flyte.types import decode_type

_MOUNTS = {
    security_pb2.Secret.ANY: SecretMount.ANY,
    security_pb2.Secret.ENV_VAR: SecretMount.ENV_VAR,
    security_pb2.Secret.FILE: SecretMount.FILE,
}
SETTINGS = "_F_SS_C"
"""The variable in which flytekit gives a container the settings that it was registered with."""
_READ_OPERATORS = {number: operator for operator, number in OPERATORS.items()}


def decode_program(
    tasks: Iterable[Any], workflows: Iterable[Any], plans: Iterable[Any] = ()
) -> tuple[Program, Declarations]:
    """The program of ``TaskTemplate``, ``WorkflowTemplate`` and ``LaunchPlan`` messages. Raises ``InputInvalid``.

    An entity that a node names and that is not among them becomes a reference, of which only the id is known.
    """
    program = Program({}, {}, {}, {})
    declared = Declarations({}, {}, {}, ())
    for template in tasks:
        spec = decode_task(template)
        program.tasks[spec.name] = spec
        declared.tasks[spec.name] = decode_declaration(template)
        declared.defaults.update(_defaults(template.interface))
    templates = list(workflows)
    for template in templates:  # interfaces first: nodes need them
        name = template.id.name
        program.workflows[name] = Graph(name, decode_interface(template.interface))
        declared.defaults.update(_defaults(template.interface))
    for plan in plans:
        graph = program.workflows.get(plan.spec.workflow_id.name)
        program.launch_plans[plan.id.name] = decode_launch_plan(plan, None if graph is None else graph.interface)
    for template in templates:
        reader = _Reader(program)
        program.workflows[template.id.name] = reader.graph(template)
        if reader.declared:
            declared.nodes[template.id.name] = reader.declared
    return program, declared


def _defaults(interface: Any) -> dict[str, dict[str, Any]]:
    """The defaults of fields of structs in a ``TypedInterface``, by struct."""
    found: dict[str, dict[str, Any]] = {}
    variables = [*interface.inputs.variables.values(), *interface.outputs.variables.values()]
    waiting = [variable.type for variable in variables]
    while waiting:
        kind = waiting.pop()
        match kind.WhichOneof("type"):
            case "collection_type":
                waiting.append(kind.collection_type)
            case "map_value_type":
                waiting.append(kind.map_value_type)
            case "union_type":
                waiting.extend(kind.union_type.variants)
            case "simple":
                found |= schema_defaults(plain(kind.metadata))
            case _:
                pass  # has no structs in it
    return found


# --- tasks ------------------------------------------------------------------------------------------------------------


def decode_task(template: Any) -> TaskSpec:
    """The task of a ``TaskTemplate``. A map's is that of an item. Raises ``InputInvalid``."""
    name = template.id.name
    args = [*template.container.command, *template.container.args]
    loader = dict(pairwise(args))
    interface = decode_interface(template.interface)
    mapped: tuple[str, ...] = ()
    if name.endswith(MAP_SUFFIX):
        bound = loader.get("vars", "").split(",")
        mapped = tuple(each for each in interface.inputs if each not in bound)
        interface = _item_interface(interface, bound)
    return TaskSpec(
        name,
        interface,
        CodeRef(loader.get("task-module", ""), loader.get("task-name", "")),
        _kind(template),
        _task_metadata(template),
        code_digest=_version_digest(template.id),
        secrets=tuple(_secret(each) for each in template.security_context.secrets),
        deck=template.metadata.generates_deck.value,
        command=_command(template, tuple(args), mapped),
    )


def _kind(template: Any) -> TaskKind:
    """An eager task of flytekit's calls others through its own client: to the engine it is a task like any other. That
    a task is dynamic is said nowhere; but of the rest only those are given the settings of their registration."""
    settings = any(pair.key == SETTINGS for pair in template.container.env)
    return TaskKind.DYNAMIC if settings and not template.metadata.is_eager else TaskKind.TASK


def _command(template: Any, args: tuple[str, ...], mapped: tuple[str, ...]) -> Command | UnsetType:
    if not args:
        return UNSET
    id = template.id
    return Command(args, mapped, template.metadata.is_eager, id.project, id.domain, id.version)


def _version_digest(id: Any) -> str:
    """What stands for the digest of the code: what is registered under a version does not change."""
    whole = f"{id.project}\n{id.domain}\n{id.name}\n{id.version}"
    return hashlib.sha256(whole.encode()).hexdigest()[:32] if id.version else ""


def _secret(message: Any) -> SecretRequest:
    mount = _MOUNTS[message.mount_requirement]
    return SecretRequest(message.group, message.key, message.group_version, mount, message.env_var)


def _item_interface(interface: Interface, bound: list[str]) -> Interface:
    def item(kind: LiteralType) -> LiteralType:
        return kind.item if isinstance(kind, ListType) else kind

    return Interface(
        {
            name: each if name in bound else Parameter(item(each.type), each.description)
            for name, each in interface.inputs.items()
        },
        {name: Variable(item(each.type), each.description) for name, each in interface.outputs.items()},
    )


def _task_metadata(template: Any) -> Metadata:
    said = template.metadata
    cache = None
    if said.discoverable:
        cache = CacheSpec(said.discovery_version, tuple(said.cache_ignore_input_vars), said.cache_serializable)
    return Metadata(
        retries=said.retries.retries or None,
        timeout=said.timeout.ToTimedelta().total_seconds() if said.HasField("timeout") else None,
        cache=cache,
        interruptible=said.interruptible if said.HasField("interruptible") else None,
        environment={pair.key: pair.value for pair in template.container.env},
        image=template.container.image,
    )


def decode_declaration(template: Any) -> TaskDeclaration:
    """What a ``TaskTemplate`` says that engines do not act on."""
    container = template.container
    own = None
    if "task-module" not in container.args:
        data = container.data_config
        own = ContainerSpec(
            container.image, tuple(container.command), tuple(container.args), data.input_path, data.output_path
        )
    return TaskDeclaration(
        *_resources(container.resources),
        template.metadata.deprecated_error_message,
        template.metadata.pod_template_name,
        template.type,
        template.task_type_version,
        plain(template.custom),
        dict(template.config),
        own,
        *_extended(template),
    )


def _extended(template: Any) -> tuple[Accelerator | None, str | None]:
    asked = template.extended_resources
    accelerator = None
    if asked.HasField("gpu_accelerator"):
        device = asked.gpu_accelerator
        whole = "" if device.unpartitioned else None
        accelerator = Accelerator(device.device, device.partition_size or whole)
    return accelerator, asked.shared_memory.size_limit if asked.HasField("shared_memory") else None


def _resources(message: Any) -> tuple[Resources | None, Resources | None]:
    fields = {
        tasks_pb2.Resources.CPU: "cpu",
        tasks_pb2.Resources.MEMORY: "mem",
        tasks_pb2.Resources.GPU: "gpu",
        tasks_pb2.Resources.EPHEMERAL_STORAGE: "storage",
    }

    def read(entries: Any) -> Resources | None:
        found = {fields[entry.name]: entry.value for entry in entries if entry.name in fields}
        return Resources(**found) if found else None

    return read(message.requests), read(message.limits)


# --- workflows --------------------------------------------------------------------------------------------------------


class _Reader:
    """Reads the nodes of one workflow; ``declared`` is what they say that engines do not act on."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self.declared: dict[str, NodeDeclaration] = {}

    def graph(self, template: Any) -> Graph:
        """The graph of a ``WorkflowTemplate``."""
        interface = decode_interface(template.interface)
        kinds = {name: output.type for name, output in interface.outputs.items()}
        policy = FailurePolicy.FAIL_IMMEDIATELY
        if template.metadata.on_failure == workflow_pb2.WorkflowMetadata.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE:
            policy = FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
        return Graph(
            template.id.name,
            interface,
            tuple(self.node(node) for node in template.nodes if node.id not in (START, "end-node")),
            {each.var: self.binding(each.binding, kinds.get(each.var, ANY)) for each in template.outputs},
            policy,
            Metadata(interruptible=template.metadata_defaults.interruptible or None),
            failure_node=self.node(template.failure_node) if template.HasField("failure_node") else None,
        )

    def node(self, message: Any, *, prefix: str = "") -> Node:
        """One node; ``prefix`` is put before the ids of those in arms."""
        id = f"{prefix}{message.id}"
        upstream = tuple(each for each in message.upstream_node_ids if each != START)
        match message.WhichOneof("target"):
            case "branch_node":
                target: Any = self._branch(message, id)
                inputs: dict[str, Binding] = {}
                own = [each.binding.promise.node_id for each in message.inputs]
                upstream = tuple(dict.fromkeys([*(name for name in own if name), *upstream, *_needed(target, id)]))
            case "gate_node":
                target, inputs = self._gate(message)
            case "task_node" | "workflow_node" | "array_node" as which:
                target = self._array(message.array_node) if which == "array_node" else self._target(message)
                bound = interface_of(target, self._program, missing=Interface())
                kinds = {name: each.type for name, each in bound.inputs.items()}
                inputs = {each.var: self.binding(each.binding, kinds.get(each.var, ANY)) for each in message.inputs}
            case other:
                raise InputInvalid(f"the node {id} runs {other or 'nothing'}; send one of the kinds that Flyte knows.")
        name = message.metadata.name
        label = "" if name == short_name(target, self._program) else name
        return Node(id, target, inputs, upstream if not prefix else (), label, self._overrides(message, target, id))

    def _target(self, message: Any) -> TaskTarget | WorkflowTarget | LaunchPlanTarget:
        match message.WhichOneof("target"):
            case "task_node":
                id = message.task_node.reference_id
                self._refer(ReferenceKind.TASK, id, self._program.tasks)
                return TaskTarget(id.name)
            case "workflow_node" if message.workflow_node.WhichOneof("reference") == "sub_workflow_ref":
                id = message.workflow_node.sub_workflow_ref
                self._refer(ReferenceKind.WORKFLOW, id, self._program.workflows)
                return WorkflowTarget(id.name)
            case "workflow_node":
                id = message.workflow_node.launchplan_ref
                self._refer(ReferenceKind.LAUNCH_PLAN, id, self._program.launch_plans)
                return LaunchPlanTarget(id.name)
            case other:
                raise InputInvalid(f"a map runs {other or 'nothing'}; it can run tasks and launch plans.")

    def _refer(self, kind: ReferenceKind, id: Any, own: Mapping[str, object]) -> None:
        if id.name not in own and id.name not in self._program.references:
            reference = Reference(kind, id.project, id.domain, id.name, id.version)
            self._program.references[id.name] = reference

    def _array(self, message: Any) -> ArrayTarget:
        inner = self._target(message.node)
        bound = set(message.bound_inputs)
        mapped = tuple(each.var for each in message.node.inputs if each.var not in bound)
        least = message.min_successes if message.WhichOneof("success_criteria") == "min_successes" else None
        ratio = message.min_success_ratio if message.WhichOneof("success_criteria") == "min_success_ratio" else 1.0
        # A ratio is a float of 32 bits there.
        return ArrayTarget(message.node.id, inner, mapped, message.parallelism, least, round(ratio, 6))

    def _gate(self, message: Any) -> tuple[GateTarget, dict[str, Binding]]:
        gate, said = message.gate_node, message.metadata
        timeout = said.timeout.ToTimedelta().total_seconds() if said.HasField("timeout") else None
        match gate.WhichOneof("condition"):
            case "signal":
                interface = Interface({}, {"o0": Variable(decode_type(gate.signal.type))})
                return GateTarget(gate.signal.signal_id, GateKind.SIGNAL, interface, timeout), {}
            case "sleep":
                span = gate.sleep.duration.ToTimedelta()
                literal = lit.DurationLiteral(span.days, span.seconds, span.microseconds)
                interface = Interface({"duration": Parameter(DURATION)})
                given: dict[str, Binding] = {"duration": LiteralBinding(literal)}
                return GateTarget("sleep", GateKind.SLEEP, interface, timeout), given
            case _:
                interface, given = Interface(), {}
                for each in message.inputs:  # at most one
                    interface = Interface({"value": Parameter(ANY)}, {"o0": Variable(ANY)})
                    given = {"value": self.binding(each.binding, ANY)}
                return GateTarget(gate.approve.signal_id, GateKind.APPROVE, interface, timeout), given

    # --- branches ----------------------------------------------------------------------------------------------------

    def _branch(self, message: Any, id: str) -> BranchTarget:
        given = {each.var: _promise(each.binding.promise) for each in message.inputs}
        block = message.branch_node.if_else
        arms = [block.case, *block.other]
        cases = tuple(
            BranchCase(_condition(arm.condition, given), self.node(arm.then_node, prefix=f"{id}-")) for arm in arms
        )
        otherwise = None
        if block.WhichOneof("default") == "else_node":
            otherwise = self.node(block.else_node, prefix=f"{id}-")
        return BranchTarget(message.metadata.name, cases, otherwise, block.error.message)

    # --- bindings ----------------------------------------------------------------------------------------------------

    def binding(self, message: Any, kind: LiteralType) -> Binding:
        """A ``BindingData`` where a value of type ``kind`` is wanted."""
        match message.WhichOneof("value"):
            case "promise":
                return _promise(message.promise)
            case "scalar":
                return LiteralBinding(decode_literal(literals_pb2.Literal(scalar=message.scalar), kind))
            case "collection":
                variant, chosen = _container(kind, ListType)
                item = attribute(chosen, 0) or ANY
                items = tuple(self.binding(each, item) for each in message.collection.bindings)
                values = [each.value for each in items if isinstance(each, LiteralBinding)]
                if len(values) < len(items):
                    return ListBinding(items)
                return LiteralBinding(_wrapped(lit.ListLiteral(tuple(values)), variant))
            case "map":
                variant, chosen = _container(kind, MapType)
                fields = {
                    key: self.binding(message.map.bindings[key], attribute(chosen, key) or ANY)
                    for key in sorted(message.map.bindings)
                }
                known = {key: each.value for key, each in fields.items() if isinstance(each, LiteralBinding)}
                if len(known) < len(fields):
                    return MapBinding(fields)
                return LiteralBinding(_wrapped(lit.MapLiteral(known), variant))
            case other:
                raise InputInvalid(f"a binding holds {other or 'nothing'}; send a value or a promise.")

    # --- options -----------------------------------------------------------------------------------------------------

    def _overrides(self, message: Any, target: Any, id: str) -> Metadata:
        inner = message.array_node.node if isinstance(target, ArrayTarget) else message
        if isinstance(target, GateTarget | BranchTarget):
            return Metadata()
        if inner.WhichOneof("target") == "task_node":
            overrides = inner.task_node.overrides
            requests, limits = _resources(overrides.resources)
            if requests or limits:
                self.declared[id] = NodeDeclaration(requests=requests, limits=limits)
            image = overrides.container_image
        else:
            image = ""
        said = inner.metadata
        return Metadata(
            retries=said.retries.retries or None,
            timeout=said.timeout.ToTimedelta().total_seconds() if said.HasField("timeout") else None,
            cache=CacheSpec(said.cache_version, (), said.cache_serializable) if said.cacheable else None,
            cache_off=said.WhichOneof("cacheable_value") is not None and not said.cacheable,
            interruptible=said.interruptible if said.HasField("interruptible") else None,
            image=image,
        )


def _promise(message: Any) -> PromiseBinding:
    steps = [(step.string_value if step.HasField("string_value") else step.int_value) for step in message.attr_path]
    return PromiseBinding(message.node_id or START, message.var, tuple(steps))


def _condition(message: Any, given: Mapping[str, PromiseBinding]) -> Condition:
    if message.WhichOneof("expr") == "comparison":
        asked = message.comparison
        operator = _READ_OPERATORS[asked.operator]
        return Comparison(operator, _operand(asked.left_value, given), _operand(asked.right_value, given))
    both = message.conjunction
    word = "or" if both.operator else "and"
    return Junction(word, _condition(both.left_expression, given), _condition(both.right_expression, given))


def _operand(message: Any, given: Mapping[str, PromiseBinding]) -> Binding:
    match message.WhichOneof("val"):
        case "var":
            if message.var not in given:
                raise InputInvalid(f"a condition asks for {message.var!r}, which its branch is not given.")
            return given[message.var]
        case "primitive":
            scalar = literals_pb2.Scalar(primitive=message.primitive)
        case _:
            scalar = message.scalar
    return LiteralBinding(decode_literal(literals_pb2.Literal(scalar=scalar), ANY))


def _needed(target: BranchTarget, id: str) -> list[str]:
    """The nodes around a branch that its arms need; it waits for them, as in every graph of ours."""
    arms = [case.node for case in target.cases] + ([] if target.otherwise is None else [target.otherwise])
    found: list[str] = []
    for arm in arms:
        for binding in arm.inputs.values():
            found += [promise.node for promise in promises(binding) if promise.node != START]
        found += [each for each in arm.upstream if not each.startswith(f"{id}-")]
    return found


def _container(kind: LiteralType, wanted: type) -> tuple[int, LiteralType]:
    """Which variant of a union is such a container, and its type; -1 where there is no union."""
    if isinstance(kind, UnionType):
        for number, variant in enumerate(kind.variants):
            if isinstance(variant, wanted):
                return number, variant
    return -1, kind


def _wrapped(literal: lit.Literal, variant: int) -> lit.Literal:
    return literal if variant < 0 else lit.UnionLiteral(variant, literal)


# --- what a dynamic task gives ----------------------------------------------------------------------------------------


def decode_dynamic(message: Any, name: str, outputs: Mapping[str, Variable]) -> tuple[Graph, Program]:
    """A ``DynamicJobSpec``: the graph that is to be run in place of the task ``name``, which gives ``outputs``, and the
    entities that come with it. Raises ``InputInvalid``."""
    template = workflow_pb2.WorkflowTemplate(nodes=message.nodes, outputs=message.outputs)
    template.id.name = name
    template.interface.CopyFrom(encode_interface(Interface({}, dict(outputs))))
    program, _ = decode_program(message.tasks, [*message.subworkflows, template])
    graph = program.workflows.pop(name)
    return graph, program
