"""What each method of the services needs: one table, which a test holds to be complete.

A row says what is done, and where: the field of the request that names the place. Every other place that a request
names must be readable to whoever asks.

Knows: the methods by name, messages by their fields. Must not know: who asks.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from whimbrel.model.access import ANY, EVERYWHERE, Action, Place
from whimbrel.wire.flyte import services as flyte

NOWHERE = ""
"""In no place in particular."""
ALL_PLACES = "*"
HERE = "."
"""The request has ``project`` and ``domain`` itself."""
_DEPTH = 90
"""Messages within messages that are looked into; protobuf itself reads no more than a hundred."""
_VALUES = frozenset({"flyteidl.core.Literal", "flyteidl.core.LiteralMap", "flyteidl.core.LiteralType"})
"""Messages that name no place, and may be large."""


class Right(NamedTuple):
    """What a method needs. ``where`` is a path of fields, ``project:`` and a field (all of a project), ``url:`` and a
    field (a place in an address), or one of the words above."""

    action: Action
    where: str = NOWHERE


_READ, _LAUNCH, _ANSWER = Action.READ, Action.LAUNCH, Action.ANSWER
_REGISTER, _ADMIN, _SELF, _OPEN = Action.REGISTER, Action.ADMIN, Action.SELF, Action.OPEN
_EXECUTION, _OF_EXECUTION = "id.execution_id", "workflow_execution_id"
_OF_TRY, _OF_NODE = "id.node_execution_id.execution_id", "node_execution_id.execution_id"

RIGHTS: dict[str, dict[str, Right]] = {
    flyte.ADMIN: {
        "CreateTask": Right(_REGISTER, "id"),
        "GetTask": Right(_READ, "id"),
        "ListTaskIds": Right(_READ, HERE),
        "ListTasks": Right(_READ, "id"),
        "CreateWorkflow": Right(_REGISTER, "id"),
        "GetWorkflow": Right(_READ, "id"),
        "ListWorkflowIds": Right(_READ, HERE),
        "ListWorkflows": Right(_READ, "id"),
        "CreateLaunchPlan": Right(_REGISTER, "id"),
        "GetLaunchPlan": Right(_READ, "id"),
        "GetActiveLaunchPlan": Right(_READ, "id"),
        "ListActiveLaunchPlans": Right(_READ, HERE),
        "ListLaunchPlanIds": Right(_READ, HERE),
        "ListLaunchPlans": Right(_READ, "id"),
        "UpdateLaunchPlan": Right(_REGISTER, "id"),
        "CreateExecution": Right(_LAUNCH, HERE),
        "RelaunchExecution": Right(_LAUNCH, "id"),
        "RecoverExecution": Right(_LAUNCH, "id"),
        "GetExecution": Right(_READ, "id"),
        "UpdateExecution": Right(_ANSWER, "id"),
        "GetExecutionData": Right(_READ, "id"),
        "ListExecutions": Right(_READ, "id"),
        "TerminateExecution": Right(_ANSWER, "id"),
        "GetNodeExecution": Right(_READ, _EXECUTION),
        "GetDynamicNodeWorkflow": Right(_READ, _EXECUTION),
        "ListNodeExecutions": Right(_READ, _OF_EXECUTION),
        "ListNodeExecutionsForTask": Right(_READ, "task_execution_id.node_execution_id.execution_id"),
        "GetNodeExecutionData": Right(_READ, _EXECUTION),
        "RegisterProject": Right(_ADMIN, ALL_PLACES),
        "UpdateProject": Right(_ADMIN, "project:id"),
        "GetProject": Right(_READ, "project:id"),
        "ListProjects": Right(_SELF),
        "GetDomains": Right(_SELF),
        "CreateWorkflowEvent": Right(_ADMIN, "event.execution_id"),
        "CreateNodeEvent": Right(_ADMIN, "event.id.execution_id"),
        "CreateTaskEvent": Right(_ADMIN, "event.parent_node_execution_id.execution_id"),
        "GetTaskExecution": Right(_READ, _OF_TRY),
        "ListTaskExecutions": Right(_READ, _OF_NODE),
        "GetTaskExecutionData": Right(_READ, _OF_TRY),
        "UpdateProjectDomainAttributes": Right(_ADMIN, "attributes"),
        "GetProjectDomainAttributes": Right(_READ, HERE),
        "DeleteProjectDomainAttributes": Right(_ADMIN, HERE),
        "UpdateProjectAttributes": Right(_ADMIN, "project:attributes.project"),
        "GetProjectAttributes": Right(_READ, "project:project"),
        "DeleteProjectAttributes": Right(_ADMIN, "project:project"),
        "UpdateWorkflowAttributes": Right(_ADMIN, "attributes"),
        "GetWorkflowAttributes": Right(_READ, HERE),
        "DeleteWorkflowAttributes": Right(_ADMIN, HERE),
        "ListMatchableAttributes": Right(_ADMIN, ALL_PLACES),
        "ListNamedEntities": Right(_READ, HERE),
        "GetNamedEntity": Right(_READ, "id"),
        "UpdateNamedEntity": Right(_REGISTER, "id"),
        "GetVersion": Right(_SELF),
        "GetDescriptionEntity": Right(_READ, "id"),
        "ListDescriptionEntities": Right(_READ, "id"),
        "GetExecutionMetrics": Right(_READ, "id"),
    },
    flyte.DATA_PROXY: {
        "CreateUploadLocation": Right(_LAUNCH, HERE),
        "CreateDownloadLocation": Right(_READ, ALL_PLACES),
        "CreateDownloadLink": Right(_READ, _OF_NODE),
        "GetData": Right(_READ, "url:flyte_url"),
    },
    flyte.SIGNAL: {
        "GetOrCreateSignal": Right(_READ, _EXECUTION),
        "ListSignals": Right(_READ, _OF_EXECUTION),
        "SetSignal": Right(_ANSWER, _EXECUTION),
    },
    flyte.AUTH_METADATA: {"GetOAuth2Metadata": Right(_OPEN), "GetPublicClientConfig": Right(_OPEN)},
    flyte.IDENTITY: {"UserInfo": Right(_SELF)},
}

_ADDRESS = re.compile(r"flyte://v1/(?P<project>[^/]+)/(?P<domain>[^/]+)/")


def right_of(service: str, method: str) -> Right:
    """What a method needs; what nobody has thought of needs everything."""
    return RIGHTS.get(service, {}).get(method, Right(_ADMIN, ALL_PLACES))


def places_of(right: Right, request: Any) -> list[Place]:
    """The place in which the method is called, then every other place that the request names."""
    kind, colon, field = right.where.partition(":")
    if right.where in (NOWHERE, ALL_PLACES):
        first = EVERYWHERE
    elif colon and kind == "project":
        first = Place(str(_at(request, field)) or ANY, ANY)
    elif colon:
        match = _ADDRESS.match(_at(request, field))
        first = EVERYWHERE if match is None else Place(match["project"], match["domain"])
    else:
        found = request if right.where == HERE else _at(request, right.where)
        first = _place(found)
    others: dict[Place, None] = {}
    if right.action not in (_OPEN, _SELF):
        _collect(request, others, _DEPTH)
    return [first, *(place for place in others if place != first)]


def name_of(request: Any) -> str:
    """What a request is about, for the audit log."""
    for path in ("id", "id.execution_id", "event.id", "project"):
        found = request
        for part in path.split("."):
            found = getattr(found, part, None)
        if isinstance(found, str):
            return found
        name = getattr(found, "name", "")
        if name:
            version = getattr(found, "version", "")
            return f"{name} {version}" if version else str(name)
    return str(getattr(request, "name", "") or getattr(request, "filename", ""))


def _at(message: Any, path: str) -> Any:
    for part in path.split("."):
        message = getattr(message, part)
    return message


def _place(message: Any) -> Place:
    return Place(message.project or ANY, message.domain or ANY)


def _collect(message: Any, into: dict[Place, None], depth: int) -> None:
    """Every place that is named in ``message``. What is nested too deep to be looked into counts as everywhere."""
    if depth == 0:
        into[EVERYWHERE] = None
        return
    project, domain = "", ""
    for field, value in message.ListFields():
        if field.type == field.TYPE_STRING and not field.is_repeated:
            if field.name == "project":
                project = value
            elif field.name == "domain":
                domain = value
        elif field.type == field.TYPE_MESSAGE and field.message_type.full_name not in _VALUES:
            if not field.is_repeated:
                _collect(value, into, depth - 1)
            elif field.message_type.GetOptions().map_entry:
                if field.message_type.fields_by_name["value"].type == field.TYPE_MESSAGE:
                    for each in value.values():
                        _collect(each, into, depth - 1)
            else:
                for each in value:
                    _collect(each, into, depth - 1)
    if project and domain:
        into[Place(project, domain)] = None
