"""Executions as messages: of workflows, of nodes, of tasks. Phases, errors, times.

Knows: the messages and the model. Must not know: runs as the engine keeps them; whoever fills a message says what it
is filled with.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flyteidl.admin import execution_pb2
from flyteidl.core import execution_pb2 as core_pb2
from flyteidl.service import dataproxy_pb2
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import DecodeError
from msgspec import Struct
from msgspec.structs import replace

from whimbrel.errors import InputInvalid
from whimbrel.model.codec import decoder, encode
from whimbrel.model.declared import Declarations, TaskDeclaration
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Parameter, Variable
from whimbrel.model.literals import Literals
from whimbrel.model.program import ArrayTarget, Graph, Program, TaskTarget
from whimbrel.model.registered import Entity, EntityId, EntityKind
from whimbrel.model.run import RAW_OUTPUTS, Phase
from whimbrel.wire.flyte.entities import read_id, stamp, write_id
from whimbrel.wire.flyte.ids import Registration
from whimbrel.wire.flyte.listing import ARCHIVED
from whimbrel.wire.flyte.literals import decode_literals, encode_literals
from whimbrel.wire.flyte.targets import nodes_of, subworkflows
from whimbrel.wire.flyte.tasks import encode_task
from whimbrel.wire.flyte.workflows import encode_template
from whimbrel.wire.rest.launching import LaunchOptions

_WORKFLOW = core_pb2.WorkflowExecution.Phase
_NODE = core_pb2.NodeExecution.Phase
_TASK = core_pb2.TaskExecution.Phase
_ELSEWHERE = {
    # What waits for somebody is under way, to Flyte.
    Phase.PAUSED: "RUNNING",
    Phase.DYNAMIC_RUNNING: "RUNNING",
    Phase.RECOVERED: "SUCCEEDED",
    Phase.SKIPPED: "SUCCEEDED",
    Phase.TIMED_OUT: "FAILED",
    Phase.SUCCEEDING: "RUNNING",
    Phase.FAILING: "RUNNING",
    Phase.ABORTING: "RUNNING",
}
_OURS = frozenset({Fault.SYSTEM, Fault.LOST})


class ExecutionRecord(Struct, frozen=True):
    """What is kept of an execution beside its request: the run that carries it out, and what was launched."""

    run: str
    workflow: str
    """The name of the workflow in the run's program."""
    target: EntityId
    labels: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    tasks: dict[str, EntityId] = {}
    """The ids of the tasks of its program."""
    recovered_from: str = ""
    plans: dict[str, EntityId] = {}
    """The ids of the launch plans of its program."""
    workflows: dict[str, str] = {}
    """The versions of the workflows of those, by the names of the plans."""
    path: str = ""
    """Of a launch plan inside another execution: its node in the run, which is the other's."""
    asked: str = ""
    """The digest of what our own client asked for, "" where another one asked."""
    annotations: dict[str, str] = {}


_records = decoder(ExecutionRecord)


def record_bytes(record: ExecutionRecord) -> bytes:
    """What is kept of a record."""
    return encode(record)


def record_of(entity: Entity) -> ExecutionRecord:
    """The record of an execution."""
    found: ExecutionRecord = _records.decode(entity.model)
    return found


def request_of(entity: Entity) -> Any:
    """The ``ExecutionCreateRequest`` of an execution."""
    message = execution_pb2.ExecutionCreateRequest()
    try:
        message.ParseFromString(entity.message)
    except DecodeError as error:
        raise InputInvalid(f"{entity.id} cannot be read: {error}") from None
    return message


def scheduled_request(
    id: EntityId, plan: EntityId, due: float, given: Literals, inputs: Mapping[str, Parameter]
) -> Any:
    """The ``ExecutionCreateRequest`` of what a schedule launches for the time ``due``."""
    message = execution_pb2.ExecutionCreateRequest(project=id.project, domain=id.domain, name=id.name)
    write_id(message.spec.launch_plan, plan)
    message.spec.metadata.mode = execution_pb2.ExecutionMetadata.SCHEDULED
    message.spec.metadata.scheduled_at.CopyFrom(stamp(due))
    kinds = {name: parameter.type for name, parameter in inputs.items()}
    message.inputs.CopyFrom(encode_literals(given, kinds))
    return message


def read_execution_id(message: Any) -> EntityId:
    """The id in a ``WorkflowExecutionIdentifier``. Raises ``InputInvalid``."""
    for field in ("project", "domain", "name"):
        if not getattr(message, field):
            raise InputInvalid(f"the id of an execution without a {field}; say project, domain and name.")
    return EntityId(EntityKind.EXECUTION, message.project, message.domain, message.name)


DECK: int = dataproxy_pb2.ARTIFACT_TYPE_DECK
"""What links are made for."""
RELAUNCHED, CHILD, RECOVERED = (
    execution_pb2.ExecutionMetadata.RELAUNCH,
    execution_pb2.ExecutionMetadata.CHILD_WORKFLOW,
    execution_pb2.ExecutionMetadata.RECOVERED,
)
"""How an execution came to be."""


_NOBODY = "placeholder"
"""What flytekit says of whoever uses it."""
_CAUSES: dict[int, str] = {
    RELAUNCHED: "relaunch",
    RECOVERED: "recover",
    execution_pb2.ExecutionMetadata.SCHEDULED: "schedule",
}


def cause_of(request: Any) -> tuple[str, EntityId | None]:
    """How an execution came to be, as ``RunOrigin.cause`` says it, and which one it repeats."""
    metadata = request.spec.metadata
    cause, reference = _CAUSES.get(metadata.mode, ""), metadata.reference_execution
    if metadata.mode in (RELAUNCHED, RECOVERED) and reference.project and reference.domain and reference.name:
        return cause, read_execution_id(reference)
    return cause, None


def principal_of(request: Any) -> str:
    """Who asked for an execution, "" where that is not known."""
    principal: str = request.spec.metadata.principal
    return "" if principal == _NOBODY else principal


def child_request(id: EntityId, plan: EntityId, parent: EntityId, node: str, nesting: int) -> Any:
    """The ``ExecutionCreateRequest`` of a launch plan that the node ``node`` of the execution ``parent`` runs."""
    request = execution_pb2.ExecutionCreateRequest(project=id.project, domain=id.domain, name=id.name)
    write_id(request.spec.launch_plan, plan)
    metadata = request.spec.metadata
    metadata.mode, metadata.nesting = CHILD, nesting
    metadata.parent_node_execution.node_id = node
    write_execution_id(metadata.parent_node_execution.execution_id, parent)
    return request


def write_execution_id(into: Any, id: EntityId) -> None:
    """Fill a ``WorkflowExecutionIdentifier``."""
    into.project, into.domain, into.name = id.project, id.domain, id.name


def read_target(spec: Any) -> EntityId:
    """What an ``ExecutionSpec`` launches: a launch plan or a task. Raises ``InputInvalid``."""
    target = read_id(spec.launch_plan, None if spec.launch_plan.resource_type else EntityKind.LAUNCH_PLAN)
    if target.kind not in (EntityKind.LAUNCH_PLAN, EntityKind.TASK):
        raise InputInvalid(f"{target} cannot be launched; launch one of its launch plans, or a task.")
    return target


def as_launched(target: EntityId) -> EntityId:
    """What a client of Flyte would have launched: a workflow's own launch plan in the place of the workflow."""
    return replace(target, kind=EntityKind.LAUNCH_PLAN) if target.kind is EntityKind.WORKFLOW else target


def read_options(spec: Any) -> LaunchOptions:
    """How an ``ExecutionSpec`` says that it is carried out."""
    environment = {pair.key: pair.value for pair in spec.envs.values}
    if spec.raw_output_data_config.output_location_prefix:
        environment[RAW_OUTPUTS] = spec.raw_output_data_config.output_location_prefix
    return LaunchOptions(
        max_parallelism=max(spec.max_parallelism, 0),
        overwrite_cache=spec.overwrite_cache or None,
        interruptible=spec.interruptible.value if spec.HasField("interruptible") else None,
        environment=environment,
        labels=dict(spec.labels.values),
        annotations=dict(spec.annotations.values),
        tags=tuple(spec.tags),
    )


def own_request(
    id: EntityId, target: EntityId, options: LaunchOptions, again: tuple[int, EntityId] | None = None
) -> Any:
    """What our own client asked for, as an ``ExecutionCreateRequest``. Its inputs are those of the run. ``again`` says
    of which execution it is a repetition, and how."""
    request = execution_pb2.ExecutionCreateRequest(project=id.project, domain=id.domain, name=id.name)
    spec = request.spec
    write_id(spec.launch_plan, as_launched(target))
    spec.metadata.mode = execution_pb2.ExecutionMetadata.MANUAL
    if again is not None:
        spec.metadata.mode = again[0]
        write_execution_id(spec.metadata.reference_execution, again[1])
    spec.max_parallelism = options.max_parallelism
    spec.overwrite_cache = bool(options.overwrite_cache)
    if options.interruptible is not None:
        spec.interruptible.value = options.interruptible
    for key, value in options.environment.items():
        spec.envs.values.add(key=key, value=value)
    spec.labels.values.update(options.labels)
    spec.annotations.values.update(options.annotations)
    spec.tags.extend(options.tags)
    return request


def read_inputs(request: Any, inputs: Mapping[str, Parameter]) -> Literals:
    """What an ``ExecutionCreateRequest`` gives, by the types of what is launched. Raises ``InputInvalid``."""
    kinds = {name: parameter.type for name, parameter in inputs.items()}
    given = dict(decode_literals(request.spec.inputs, kinds))
    given.update(decode_literals(request.inputs, kinds))
    return given


def literal_map(into: Any, literals: Literals, variables: Mapping[str, Parameter | Variable]) -> None:
    """Fill a ``LiteralMap``."""
    into.CopyFrom(encode_literals(literals, {name: variable.type for name, variable in variables.items()}))


def fill_state(into: Any, entity: Entity) -> None:
    """Fill an ``ExecutionStateChangeDetails``."""
    into.state = execution_pb2.EXECUTION_ARCHIVED if entity.state == ARCHIVED else execution_pb2.EXECUTION_ACTIVE
    into.occurred_at.CopyFrom(stamp(entity.updated_at))


def execution_state(number: int) -> str:
    """The state that is kept of an ``ExecutionState``. Raises ``InputInvalid``."""
    if number not in execution_pb2.ExecutionState.values():
        raise InputInvalid(f"{number} is no state of an execution; there are 0 (active) and 1 (archived).")
    return ARCHIVED if number == execution_pb2.EXECUTION_ARCHIVED else ""


# --- phases ------------------------------------------------------------------------------------------------------


def workflow_phase(phase: Phase) -> int:
    """The number of the phase of a run."""
    return _number(_WORKFLOW, phase)


def workflow_phase_name(phase: Phase) -> str:
    """Its name, which filters compare."""
    name: str = _WORKFLOW.Name(workflow_phase(phase))
    return name


def phase_name(text: str) -> str:
    """The name of the phase of a run, of its name or its number. Raises ``InputInvalid``."""
    names = {str(number): name for name, number in _WORKFLOW.items()}
    name: str = names.get(text, text.upper())
    if name not in names.values():
        raise InputInvalid(f"there is no phase {text!r}; there are {', '.join(names.values())}.")
    return name


def node_phase(phase: Phase) -> int:
    """The number of the phase of a node."""
    return _number(_NODE, phase)


def task_phase(phase: Phase) -> int:
    """The number of the phase of an attempt."""
    return _number(_TASK, phase)


def _number(enum: Any, phase: Phase) -> int:
    known = enum.keys()
    name = phase.value if phase.value in known else _ELSEWHERE[phase]
    number: int = enum.Value(name)
    return number


def fill_times(closure: Any, created: float, started: float, ended: float) -> None:
    """The times that every closure has. 0.0 is not yet."""
    closure.created_at.CopyFrom(stamp(created or started))
    closure.updated_at.CopyFrom(stamp(ended or started or created))
    if started:
        closure.started_at.CopyFrom(stamp(started))
    if started and ended:
        closure.duration.CopyFrom(Duration(nanos=0, seconds=0))
        closure.duration.FromMicroseconds(max(round((ended - started) * 1e6), 0))


def read_seconds(message: Any) -> float:
    """A ``Duration``, in seconds."""
    return float(message.seconds + message.nanos / 1e9)


def fill_span(into: Any, begun: float, ended: float) -> None:
    """The times of a ``Span``."""
    into.start_time.CopyFrom(stamp(begun))
    into.end_time.CopyFrom(stamp(max(ended, begun)))


def fill_log(into: Any, uri: str) -> None:
    """A ``TaskLog``: where the output of an attempt is."""
    into.uri, into.name = uri, "Logs"
    into.message_format = core_pb2.TaskLog.JSON


def fill_urls(into: Any, address: str, *, deck: bool) -> None:
    """The ``FlyteURLs`` of a node or an attempt at ``flyte://v1/…``."""
    into.inputs, into.outputs = f"{address}/i", f"{address}/o"
    if deck:
        into.deck = f"{address}/d"


def flyte_address(id: EntityId, node: str, attempt: int = -1) -> str:
    """How clients write a node of an execution, or an attempt at it (from 0)."""
    tail = f"/{attempt}" if attempt >= 0 else ""
    return f"flyte://v1/{id.project}/{id.domain}/{id.name}/{node}{tail}"


def fill_error(error: Any, failure: Failure, at: float = 0.0) -> None:
    """Fill a ``core.ExecutionError``."""
    ours = failure.fault in _OURS
    kind = failure.type.rpartition(":")[2] or failure.fault.value
    error.code = f"{'SYSTEM' if ours else 'USER'}:{kind}"
    error.kind = core_pb2.ExecutionError.SYSTEM if ours else core_pb2.ExecutionError.USER
    where = f" (node {failure.node})" if failure.node else ""
    error.message = failure.traceback.rstrip() or f"{failure.title}{where}"
    if at:
        error.timestamp.CopyFrom(stamp(at))


def fill_spec(into: Any, entity: Entity, record: ExecutionRecord) -> None:
    """The ``ExecutionSpec`` as it came; what it launches is said in full."""
    into.CopyFrom(request_of(entity).spec)
    into.ClearField("inputs")
    for key, value in record.labels.items():
        into.labels.values[key] = value
    write_id(into.launch_plan, as_launched(record.target))
    into.metadata.principal = into.metadata.principal or "whimbrel"


# --- what a dynamic node became ----------------------------------------------------------------------------------


def fill_dynamic(into: Any, graph: Graph, program: Program, tasks: Mapping[str, EntityId], place: EntityId) -> None:
    """A ``DynamicWorkflowNodeMetadata``: the graph, and every task that it names. ``place`` is the dynamic task's."""
    into.id.CopyFrom(Registration(place.project, place.domain, place.version).identifier(2, graph.name))
    fill_dynamic_workflow(into.compiled_workflow, graph, program, tasks, place)


def fill_dynamic_workflow(
    compiled: Any, graph: Graph, program: Program, tasks: Mapping[str, EntityId], place: EntityId
) -> None:
    """A ``CompiledWorkflowClosure``: see ``fill_dynamic``."""
    registration = Registration(place.project, place.domain, place.version)
    known = program.merged(Program({}, {graph.name: graph}, {}, {}))
    compiled.primary.template.CopyFrom(encode_template(graph, known, Declarations(), registration))
    inside = [known.workflows[name] for name in subworkflows(graph, known) if name in known.workflows]
    for inner in inside:
        template = compiled.sub_workflows.add().template
        template.CopyFrom(encode_template(inner, known, Declarations(), registration))
    # Each once, however many nodes run it: a graph of thousands must fit a message.
    for name in dict.fromkeys(name for each in (graph, *inside) for name in _tasks_of(each)):
        if name in program.tasks:
            template = compiled.tasks.add().template
            template.CopyFrom(encode_task(program.tasks[name], TaskDeclaration(), registration).template)
            if name in tasks:
                write_id(template.id, tasks[name])


def _tasks_of(graph: Graph) -> Iterator[str]:
    for node in nodes_of(graph):
        target = node.target
        while isinstance(target, ArrayTarget):
            target = target.target
        if isinstance(target, TaskTarget):
            yield target.name
