"""What a registry keeps: entities by (kind, project, domain, name, version), and the questions that lists answer.

Knows: ids and filters as data. Must not know: what the bytes of an entity mean, where it is kept.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class EntityKind(StrEnum):
    """What is registered. A child is an execution that a part of another's run is. What people say of a name, and
    settings of places, can be changed; the versions of those say which kind of thing they are of. The version of
    executions, projects and backfills is ""; a project is in no domain."""

    TASK = "task"
    WORKFLOW = "workflow"
    LAUNCH_PLAN = "launch_plan"
    EXECUTION = "execution"
    CHILD = "child_execution"
    PROJECT = "project"
    NAME = "name"
    ATTRIBUTES = "attributes"
    BACKFILL = "backfill"


class EntityId(Struct, frozen=True, gc=False, order=True):
    """The full id of an entity."""

    kind: EntityKind
    project: str
    domain: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        place = "/".join(part for part in (self.project, self.domain) if part)
        version = f", version {self.version}" if self.version else ""
        return f"the {self.kind.value.replace('_', ' ')} {self.name} ({place}{version})"


class Entity(Struct, frozen=True, gc=False):
    """A row of the registry. Only ``state`` and ``updated_at`` ever change.

    ``message`` is the body as it came, ``model`` what it was read as; the registry's owner knows the forms of both.
    Times are seconds since the epoch.
    """

    id: EntityId
    message: bytes
    model: bytes
    state: str
    created_at: float
    updated_at: float


class Operator(StrEnum):
    """How a field is compared, by the names of Flyte's filters."""

    EQ = "eq"
    NE = "ne"
    GT = "gt"
    GTE = "gte"
    LT = "lt"
    LTE = "lte"
    CONTAINS = "contains"
    VALUE_IN = "value_in"
    VALUE_NOT_IN = "value_not_in"


FIELDS = ("project", "domain", "name", "version", "state", "created_at", "updated_at")
"""What entities are filtered and sorted by."""

TIMES = frozenset({"created_at", "updated_at"})
"""The fields that are numbers."""


class Filter(Struct, frozen=True, gc=False):
    """``field operator values``; all but the operators on sets have one value. Values of ``TIMES`` are numbers."""

    field: str
    operator: Operator
    values: tuple[str | float, ...]


class EntityQuery(Struct, frozen=True, gc=False):
    """Which entities, in which order, and which page of them. "" for ``project``, ``domain`` or ``name`` is any."""

    kind: EntityKind
    project: str = ""
    domain: str = ""
    name: str = ""
    filters: tuple[Filter, ...] = ()
    sort: str = "created_at"
    descending: bool = True
    limit: int = 100
    offset: int = 0


class HeadQuery(Struct, frozen=True, gc=False):
    """Which names: of that kind and place, with ``text`` in them (ASCII letters in any case), behind the name
    ``after``. ``state`` is the one that at most one version of each has."""

    kind: EntityKind
    project: str
    domain: str
    text: str = ""
    after: str = ""
    state: str = ""
    limit: int = 100


class EntityHead(Struct, frozen=True, gc=False):
    """A name: its newest version, how many there are, and the one that has the state that was asked for ("")."""

    latest: Entity
    versions: int
    chosen: str = ""
