"""What is registered, as messages: ids, the bodies as they came, the programs in them, and what ``Get…`` answers.

Knows: the messages and the model. Must not know: where entities are kept, who asks.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
from flyteidl.admin import launch_plan_pb2, project_pb2, task_pb2, workflow_pb2
from flyteidl.core import identifier_pb2
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import Struct
from msgspec.structs import replace

from whimbrel.errors import InputInvalid
from whimbrel.model.codec import decoder, encode
from whimbrel.model.declared import Declarations
from whimbrel.model.interface import Interface
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.program import Program
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.wire.flyte.interface import encode_interface
from whimbrel.wire.flyte.launch_plans import decode_launch_plan
from whimbrel.wire.flyte.listing import ARCHIVED, read_limit, read_token
from whimbrel.wire.flyte.reading import decode_program
from whimbrel.wire.flyte.types import encode_type

ACTIVE, INACTIVE = "ACTIVE", "INACTIVE"
"""The states of launch plans."""

_LONGEST = 255
"""Letters of each part of an id: what Flyte's own server takes."""
_KINDS = {
    EntityKind.TASK: identifier_pb2.TASK,
    EntityKind.WORKFLOW: identifier_pb2.WORKFLOW,
    EntityKind.LAUNCH_PLAN: identifier_pb2.LAUNCH_PLAN,
}
_DESTINATIONS = ("--dest-dir", "--dynamic-dest-dir")
_READ_KINDS = {number: kind for kind, number in _KINDS.items()}
_BODIES = {
    EntityKind.TASK: task_pb2.TaskSpec,
    EntityKind.WORKFLOW: workflow_pb2.WorkflowSpec,
    EntityKind.LAUNCH_PLAN: launch_plan_pb2.LaunchPlanSpec,
}


class Native(Struct, frozen=True):
    """What our own client said of an entity. ``body`` is the digest of all that it is, which takes the place of the
    message when it is registered again; ``remark`` says what does not hold for it."""

    body: str
    bundle: str
    python: str
    remark: str = ""
    declared: Declarations = Declarations()


class Assembled(Struct, frozen=True):
    """A program, and the ids of its tasks and launch plans by the names that they have in it; of the plans, the
    versions of their workflows. ``native``: it was not read from a message; the message was made of it, and is empty
    where there is no form for it."""

    program: Program
    tasks: dict[str, EntityId] = {}
    plans: dict[str, EntityId] = {}
    workflows: dict[str, str] = {}
    native: Native | None = None


_assembled = decoder(Assembled)


def read_id(message: Any, kind: EntityKind | None = None) -> EntityId:
    """The id in an ``Identifier``. Raises ``InputInvalid`` for one that is not complete, or not of ``kind``."""
    found = _READ_KINDS.get(message.resource_type)
    # Clients that ask for a task by its id need not say that it is one.
    found = kind if found is None or message.resource_type == identifier_pb2.UNSPECIFIED else found
    if found is None or (kind is not None and found is not kind):
        raise InputInvalid(f"the id of {message.name!r} is not that of a {(kind or 'task, workflow or launch plan')}.")
    for field in ("project", "domain", "name"):
        if not getattr(message, field):
            raise InputInvalid(f"an id without a {field}; say project, domain, name and version.")
    for field in ("project", "domain", "name", "version"):
        if len(getattr(message, field)) > _LONGEST:
            raise InputInvalid(f"the {field} of an id has at most {_LONGEST} letters; use a shorter one.")
    return EntityId(found, message.project, message.domain, message.name, message.version)


def kind_of(number: int) -> EntityKind:
    """The kind that a ``ResourceType`` is. Raises ``InputInvalid``."""
    found = _READ_KINDS.get(number)
    if found is None:
        raise InputInvalid(f"there is nothing of the kind {number}; say 1 (task), 2 (workflow) or 3 (launch plan).")
    return found


def number_of(kind: EntityKind) -> int:
    """The ``ResourceType`` of a kind."""
    number: int = _KINDS[kind]
    return number


def write_id(into: Any, id: EntityId) -> None:
    """Fill an ``Identifier``."""
    into.resource_type = _KINDS[id.kind]
    into.project, into.domain, into.name, into.version = id.project, id.domain, id.name, id.version


def stamp(seconds: float) -> Any:
    """A ``Timestamp``."""
    whole = int(seconds // 1)
    return Timestamp(seconds=whole, nanos=round((seconds - whole) * 1e6) * 1000)


def body_bytes(message: Any) -> bytes:
    """The bytes of a body; equal ones have equal bytes."""
    data: bytes = message.SerializeToString(deterministic=True)
    return data


def body(entity: Entity) -> Any:
    """The body of an entity as it came."""
    message = _BODIES[entity.id.kind]()
    try:
        message.ParseFromString(entity.message)
    except DecodeError as error:
        raise InputInvalid(f"{entity.id} cannot be read: {error}") from None
    return message


def same_body(entity: Entity, message: bytes) -> bool:
    """Whether ``message`` says what the body of ``entity`` says. The order of some lists has no meaning, and is another
    each time that flytekit compiles."""
    if entity.message == message:
        return True
    if entity.id.kind is EntityKind.TASK:
        return _placeless(entity.message) == _placeless(message)
    return entity.id.kind is EntityKind.WORKFLOW and _ordered(entity.message) == _ordered(message)


def _placeless(message: bytes) -> bytes:
    """A ``TaskSpec`` without the directory that its code is unpacked in, another one for what eager tasks register:
    every attempt has its own."""
    spec = task_pb2.TaskSpec.FromString(message)
    args = spec.template.container.args
    for at, each in enumerate(args[:-1]):
        if each in _DESTINATIONS:
            args[at + 1] = ""
    return body_bytes(spec)


def _ordered(message: bytes) -> bytes:
    spec = workflow_pb2.WorkflowSpec.FromString(message)
    for template in (spec.template, *spec.sub_workflows):
        for node in _nodes(template):
            node.upstream_node_ids.sort()
            node.inputs.sort(key=lambda binding: binding.var)
    spec.sub_workflows.sort(key=body_bytes)
    return body_bytes(spec)


def model_bytes(assembled: Assembled) -> bytes:
    """What is kept of a program."""
    return encode(assembled)


def assembled(entity: Entity) -> Assembled:
    """What was kept of the program of an entity."""
    found: Assembled = _assembled.decode(entity.model)
    return found


class _Plans(Struct, frozen=True):
    launch_plans: dict[str, LaunchPlanSpec] = {}


class _PlansOnly(Struct, frozen=True):
    """Of what is kept of a program: its launch plans. The rest is skipped unread."""

    program: _Plans


_plans_only = decoder(_PlansOnly)


def plan_of(entity: Entity) -> LaunchPlanSpec:
    """The launch plan that an entity is. Raises ``InputInvalid`` for bytes that are none."""
    try:
        found: _PlansOnly = _plans_only.decode(entity.model)
        return found.program.launch_plans[entity.id.name]
    except (msgspec.DecodeError, KeyError) as error:
        raise InputInvalid(f"{entity.id} cannot be read: {error!r}; register it again.") from None


# --- programs ----------------------------------------------------------------------------------------------------


def task_program(id: EntityId, spec: Any) -> Assembled:
    """The program of a ``TaskSpec``: the task alone. Raises ``InputInvalid``."""
    template = type(spec.template)()
    template.CopyFrom(spec.template)
    write_id(template.id, id)
    program, _ = decode_program([template], [])
    task = program.tasks[id.name]
    # What is registered does not change: its body says what it does.
    code = hashlib.sha256(body_bytes(template)).hexdigest()[:32]
    return Assembled(Program({id.name: replace(task, code_digest=task.code_digest or code)}), {id.name: id})


def wanted_by(spec: Any) -> list[EntityId]:
    """The tasks and launch plans that the nodes of a ``WorkflowSpec`` run, each once. Raises ``InputInvalid``."""
    found: dict[EntityId, None] = {}
    for template in (spec.template, *spec.sub_workflows):
        for node in _nodes(template):
            match node.WhichOneof("target"):
                case "task_node":
                    found[read_id(node.task_node.reference_id, EntityKind.TASK)] = None
                case "workflow_node" if node.workflow_node.WhichOneof("reference") == "launchplan_ref":
                    found[read_id(node.workflow_node.launchplan_ref, EntityKind.LAUNCH_PLAN)] = None
                case _:
                    continue
    return list(found)


def _nodes(template: Any) -> Iterator[Any]:
    waiting = list(template.nodes)
    if template.HasField("failure_node"):
        waiting.append(template.failure_node)
    while waiting:
        node = waiting.pop()
        yield node
        match node.WhichOneof("target"):
            case "branch_node":
                block = node.branch_node.if_else
                waiting.extend(arm.then_node for arm in (block.case, *block.other))
                if block.WhichOneof("default") == "else_node":
                    waiting.append(block.else_node)
            case "array_node":
                waiting.append(node.array_node.node)
            case _:
                continue


def workflow_program(spec: Any, entities: Iterable[Entity]) -> Assembled:
    """The program of a ``WorkflowSpec``; ``entities`` are those that its nodes run. Raises ``InputInvalid``."""
    templates: dict[str, Any] = {}
    below = Assembled(Program({}, {}, {}, {}), {})
    plans: list[Any] = []
    for entity in entities:
        if not entity.message:
            raise InputInvalid(f"{entity.id} cannot be used by clients of Flyte: {_remark(entity)}")
        below = merged(below, assembled(entity))
        if entity.id.kind is EntityKind.TASK:
            templates[entity.id.name] = body(entity).template
            write_id(templates[entity.id.name].id, entity.id)
        else:
            plan = launch_plan_pb2.LaunchPlan(spec=body(entity))
            write_id(plan.id, entity.id)
            plans.append(plan)
    program, _ = decode_program(templates.values(), [*spec.sub_workflows, spec.template], plans)
    own = Assembled(Program({}, program.workflows, {}, program.references), {})
    return merged(own, below)


def launch_plan_program(id: EntityId, spec: Any, workflow: Entity) -> Assembled:
    """The program of a ``LaunchPlanSpec``: that of its workflow, and the plan. Raises ``InputInvalid``."""
    message = launch_plan_pb2.LaunchPlan(spec=spec)
    write_id(message.id, id)
    inner = assembled(workflow)
    plan = decode_launch_plan(message, interface_of(workflow))
    own = Assembled(Program({}, {}, {id.name: plan}), {}, {id.name: id}, {id.name: workflow.id.version})
    return merged(inner, own)


def merged(one: Assembled, other: Assembled) -> Assembled:
    """Both. Raises ``InputInvalid`` where a name stands for two things."""
    for ours, theirs in (
        (one.tasks, other.tasks),
        (one.plans, other.plans),
        (one.program.workflows, other.program.workflows),
        (one.program.launch_plans, other.program.launch_plans),
    ):
        for name in set(ours) & set(theirs):
            if ours[name] != theirs[name]:
                raise InputInvalid(f"two versions of {name} in one workflow; use the same one everywhere in it.")
    return Assembled(
        one.program.merged(other.program),
        {**one.tasks, **other.tasks},
        {**one.plans, **other.plans},
        {**one.workflows, **other.workflows},
    )


def interface_of(entity: Entity) -> Interface:
    """What an entity takes and gives. A task that is a map is kept as a workflow of one node."""
    program, name = assembled(entity).program, entity.id.name
    entities: Mapping[str, Any] = program.workflows
    if entity.id.kind is EntityKind.LAUNCH_PLAN:
        plan = program.launch_plans[name]
        return Interface(plan.interface.inputs, program.workflows[plan.workflow].interface.outputs)
    if entity.id.kind is EntityKind.TASK and name in program.tasks:
        entities = program.tasks
    found: Interface = entities[name].interface
    return found


def _remark(entity: Entity) -> str:
    native = None if entity.message else assembled(entity).native
    return "" if native is None else native.remark


def spec_bytes(kind: EntityKind, message: Any) -> bytes:
    """The body that is kept of a ``TaskSpec``, a ``WorkflowSpec`` or a ``LaunchPlan``."""
    return body_bytes(message.spec if kind is EntityKind.LAUNCH_PLAN else message)


# --- answers -----------------------------------------------------------------------------------------------------


def fill_task(into: Any, entity: Entity) -> None:
    """An ``admin.Task``."""
    write_id(into.id, entity.id)
    spec = body(entity)
    into.closure.compiled_task.template.CopyFrom(spec.template)
    write_id(into.closure.compiled_task.template.id, entity.id)
    into.closure.created_at.CopyFrom(stamp(entity.created_at))
    into.short_description = spec.description.short_description or _remark(entity)


def fill_workflow(into: Any, entity: Entity, tasks: Iterable[Entity] = ()) -> None:
    """An ``admin.Workflow``. ``tasks`` are those that it names anywhere; lists leave them out."""
    write_id(into.id, entity.id)
    spec = body(entity)
    compiled = into.closure.compiled_workflow
    compiled.primary.template.CopyFrom(spec.template)
    write_id(compiled.primary.template.id, entity.id)
    for template in spec.sub_workflows:
        compiled.sub_workflows.add().template.CopyFrom(template)
    for task in tasks:
        template = compiled.tasks.add().template
        template.CopyFrom(body(task).template)
        write_id(template.id, task.id)
    into.closure.created_at.CopyFrom(stamp(entity.created_at))
    into.short_description = spec.description.short_description or _remark(entity)


def fill_launch_plan(into: Any, entity: Entity) -> None:
    """An ``admin.LaunchPlan``."""
    write_id(into.id, entity.id)
    into.spec.CopyFrom(body(entity))
    closure = into.closure
    closure.state = launch_plan_pb2.LaunchPlanState.Value(entity.state or INACTIVE)
    plan = assembled(entity).program.launch_plans[entity.id.name]
    closure.expected_inputs.CopyFrom(into.spec.default_inputs)
    closure.expected_outputs.CopyFrom(encode_interface(Interface({}, plan.interface.outputs)).outputs)
    closure.created_at.CopyFrom(stamp(entity.created_at))
    closure.updated_at.CopyFrom(stamp(entity.updated_at))


def write_type(into: Any, kind: Any) -> None:
    """Fill a ``LiteralType``."""
    into.CopyFrom(encode_type(kind))


def state_of(number: int) -> str:
    """The name of a ``LaunchPlanState``. Raises ``InputInvalid``."""
    try:
        name: str = launch_plan_pb2.LaunchPlanState.Name(number)
    except ValueError:
        raise InputInvalid(f"{number} is no state of a launch plan; it is ACTIVE or INACTIVE.") from None
    return name


def active_query(request: Any) -> EntityQuery:
    """What an ``ActiveLaunchPlanListRequest`` asks. Raises ``InputInvalid``."""
    active = Filter("state", Operator.EQ, (ACTIVE,))
    limit, offset = read_limit(request.limit), read_token(request.token)
    return EntityQuery(
        EntityKind.LAUNCH_PLAN, request.project, request.domain, filters=(active,), limit=limit, offset=offset
    )


def project_bytes(id: str, name: str, description: str) -> bytes:
    """The body that is kept of a project."""
    return body_bytes(project_pb2.Project(id=id, name=name or id, description=description))


def read_project(entity: Entity) -> tuple[str, str]:
    """What a project is called, and what it is for."""
    message = project_pb2.Project.FromString(entity.message)
    return message.name or entity.id.name, message.description


def project_state(message: Any) -> str:
    """The state in a ``Project``, "" for active. Raises ``InputInvalid``."""
    if message.state not in (project_pb2.Project.ACTIVE, project_pb2.Project.ARCHIVED):
        raise InputInvalid(f"a project cannot be given the state {message.state}; 0 is active, 1 archived.")
    return ARCHIVED if message.state == project_pb2.Project.ARCHIVED else ""


def fill_project(into: Any, entity: Entity, domains: Iterable[str]) -> None:
    """An ``admin.Project``."""
    into.ParseFromString(entity.message)
    into.id = entity.id.name
    into.name = into.name or entity.id.name
    into.ClearField("domains")
    for name in domains:
        into.domains.add(id=name, name=name)
