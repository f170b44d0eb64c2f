"""What people say of names and places: descriptions of named entities, attributes of projects, domains and workflows;
and what the latter mean for an execution.

Knows: the messages. Must not know: where any of it is kept.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flyteidl.admin import common_pb2, execution_pb2, matchable_resource_pb2
from google.protobuf.message import DecodeError

from whimbrel.errors import InputInvalid
from whimbrel.model.registered import Entity, EntityId, EntityKind
from whimbrel.wire.flyte.entities import body, kind_of, number_of
from whimbrel.wire.flyte.listing import ARCHIVED

_RESOURCE = matchable_resource_pb2.MatchableResource
EXECUTION_CONFIG = "WORKFLOW_EXECUTION_CONFIG"
"""The kind of attributes that executions are settled by."""
_TARGETS = {
    field.name: _RESOURCE.Name(number)
    for number, field in enumerate(matchable_resource_pb2.MatchingAttributes.DESCRIPTOR.oneofs_by_name["target"].fields)
}
"""The kind of each field of ``MatchingAttributes``: both are listed in the same order."""

# --- attributes --------------------------------------------------------------------------------------------------


def attributes_place(message: Any) -> tuple[str, str, str]:
    """Project, domain and workflow of a message that has some of them. Raises ``InputInvalid`` for one left out."""
    found = []
    for name in ("project", "domain", "workflow"):
        known = name in message.DESCRIPTOR.fields_by_name
        if known and not getattr(message, name):
            raise InputInvalid(f"attributes of no {name}; say which.")
        found.append(getattr(message, name) if known else "")
    return found[0], found[1], found[2]


def attributes_id(message: Any, kind: str) -> EntityId:
    """The id under which attributes of a place are kept. Raises ``InputInvalid``."""
    return EntityId(EntityKind.ATTRIBUTES, *attributes_place(message), kind)


def kind_of_attributes(number: int) -> str:
    """The name of a ``MatchableResource``. Raises ``InputInvalid``."""
    if number not in _RESOURCE.values():
        raise InputInvalid(f"there are no attributes {number}; there are 0 to {max(_RESOURCE.values())}.")
    name: str = _RESOURCE.Name(number)
    return name


def kind_of_matching(message: Any) -> str:
    """Which kind of attributes a ``MatchingAttributes`` holds. Raises ``InputInvalid`` for none."""
    field = message.WhichOneof("target")
    if field is None:
        raise InputInvalid("matching_attributes are empty; set one of them.")
    kind: str = _TARGETS[field]
    return kind


def fill_configuration(into: Any, entity: Entity) -> None:
    """A ``MatchableAttributesConfiguration``."""
    into.attributes.ParseFromString(entity.message)
    into.project, into.domain, into.workflow = entity.id.project, entity.id.domain, entity.id.name


def settled(spec: Any, plan: Entity | None, attributes: Iterable[Entity]) -> Any:
    """An ``ExecutionSpec`` with what it leaves open: from the launch plan, then from ``attributes``, the nearest
    first."""
    whole = execution_pb2.ExecutionSpec()
    whole.CopyFrom(spec)
    below = [] if plan is None else [body(plan)]
    for entity in attributes:
        matching = matchable_resource_pb2.MatchingAttributes()
        matching.ParseFromString(entity.message)
        below.append(matching.workflow_execution_config)
    for each in below:
        for pairs in ("labels", "annotations"):
            ours, theirs = getattr(whole, pairs).values, getattr(each, pairs).values
            for key in theirs:
                if key not in ours:
                    ours[key] = theirs[key]
        known = {pair.key for pair in whole.envs.values}
        whole.envs.values.extend(pair for pair in each.envs.values if pair.key not in known)
        whole.max_parallelism = whole.max_parallelism or each.max_parallelism
        whole.overwrite_cache = whole.overwrite_cache or each.overwrite_cache
        if not whole.raw_output_data_config.output_location_prefix:
            whole.raw_output_data_config.CopyFrom(each.raw_output_data_config)
        if not whole.HasField("interruptible") and each.HasField("interruptible"):
            whole.interruptible.CopyFrom(each.interruptible)
    return whole


# --- names -------------------------------------------------------------------------------------------------------


def name_id(resource_type: int, id: Any) -> tuple[EntityKind, EntityId]:
    """The kind of a named entity, and the id under which is kept what people say of it. Raises ``InputInvalid``."""
    kind = kind_of(resource_type)
    for field in ("project", "domain", "name"):
        if not getattr(id, field):
            raise InputInvalid(f"a named entity without a {field}; say project, domain and name.")
    return kind, EntityId(EntityKind.NAME, id.project, id.domain, id.name, kind.value)


def metadata_state(message: Any) -> str:
    """The state in a ``NamedEntityMetadata``, "" for active. Raises ``InputInvalid``."""
    if message.state not in common_pb2.NamedEntityState.values():
        raise InputInvalid(f"{message.state} is no state of a named entity; 0 is active, 1 archived.")
    return ARCHIVED if message.state == common_pb2.NAMED_ENTITY_ARCHIVED else ""


def fill_named(into: Any, kind: EntityKind, id: EntityId, said: Entity | None) -> None:
    """A ``NamedEntity``. ``said`` is the row under its id, if there is one."""
    into.resource_type = number_of(kind)
    into.id.project, into.id.domain, into.id.name = id.project, id.domain, id.name
    into.metadata.SetInParent()
    if said is not None:
        try:
            into.metadata.ParseFromString(said.message)
        except DecodeError as error:
            raise InputInvalid(f"what was said of {id.name} cannot be read: {error}") from None


def description_of(entity: Entity) -> Any | None:
    """The ``DescriptionEntity`` that came with an entity, ``None`` where none did."""
    spec = body(entity)
    if "description" not in spec.DESCRIPTOR.fields_by_name or not spec.HasField("description"):
        return None
    return spec.description
