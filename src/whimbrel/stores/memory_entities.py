"""The entities of the store in memory: the twin of `sql/entities.py`.

Knows: the port. Must not know: disk, SQL.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from typing import Any

from msgspec.structs import replace

from whimbrel.model.registered import (
    FIELDS,
    Entity,
    EntityHead,
    EntityId,
    EntityKind,
    EntityQuery,
    Filter,
    HeadQuery,
    Operator,
)

_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)
"""What every database does; of other letters each has its own opinion."""


class MemoryEntities:
    """Implements ``EntityStore``."""

    def __init__(self) -> None:
        super().__init__()
        self.watch_plans: Callable[[EntityId], None] | None = None
        """Hears of every launch plan whose state may have changed."""
        self._entities: dict[EntityId, Entity] = {}

    async def add_entity(self, entity: Entity) -> Entity:
        """See ``EntityStore``."""
        kept = self._entities.setdefault(entity.id, entity)
        self._tell(entity.id)
        return kept

    async def add_entities(self, entities: Sequence[Entity], *, sole: str = "", others: str = "") -> bool:
        """See ``EntityStore``."""
        if any(entity.id in self._entities for entity in entities):
            return False
        for entity in entities:
            self._entities[entity.id] = entity
        for entity in entities:
            if sole and entity.state == sole:
                await self.set_entity_state(entity.id, sole, entity.updated_at, alone=others)
            self._tell(entity.id)
        return True

    async def put_entity(self, entity: Entity) -> None:
        """See ``EntityStore``."""
        self._entities[entity.id] = entity

    async def drop_entity(self, id: EntityId) -> bool:
        """See ``EntityStore``."""
        return self._entities.pop(id, None) is not None

    async def entity(self, id: EntityId) -> Entity | None:
        """See ``EntityStore``."""
        return self._entities.get(id)

    async def entities(self, query: EntityQuery) -> list[Entity]:
        """See ``EntityStore``."""
        for field in (query.sort, *(filter.field for filter in query.filters)):
            if field not in FIELDS:
                raise ValueError(f"entities have no field {field!r}; they have {', '.join(FIELDS)}")
        found = [row for row in self._entities.values() if row.id.kind is query.kind and _wanted(row, query)]
        found.sort(key=lambda row: row.id)
        found.sort(key=lambda row: _value(row, query.sort), reverse=query.descending)
        first = max(query.offset, 0)
        return found[first : first + max(query.limit, 0)]

    async def entity_heads(self, query: HeadQuery) -> list[EntityHead]:
        """See ``EntityStore``."""
        rows = [row for row in self._entities.values() if (row.id.kind, row.id.project, row.id.domain) == _place(query)]
        wanted = query.text.translate(_LOWER)
        names = {row.id.name for row in rows if row.id.name > query.after and wanted in row.id.name.translate(_LOWER)}
        found = []
        for name in sorted(names)[: query.limit]:
            same = [row for row in rows if row.id.name == name]
            latest = min(same, key=lambda row: (-row.created_at, row.id.version))
            chosen = next((row.id.version for row in same if query.state and row.state == query.state), "")
            found.append(EntityHead(latest, len(same), chosen))
        return found

    async def entity_names(
        self, kind: EntityKind, project: str, domain: str, *, limit: int = 100, offset: int = 0
    ) -> list[str]:
        """See ``EntityStore``."""
        names = {
            id.name
            for id in self._entities
            if id.kind is kind and project in ("", id.project) and domain in ("", id.domain)
        }
        return sorted(names)[offset : offset + limit]

    async def set_entity_state(self, id: EntityId, state: str, at: float, *, alone: str = "") -> bool:
        """See ``EntityStore``."""
        if id not in self._entities:
            return False
        for other, row in self._entities.items():
            if alone and row.state == state and other != id and replace(other, version=id.version) == id:
                self._entities[other] = replace(row, state=alone, updated_at=at)
        self._entities[id] = replace(self._entities[id], state=state, updated_at=at)
        self._tell(id)
        return True

    def _tell(self, id: EntityId) -> None:
        if id.kind is EntityKind.LAUNCH_PLAN and self.watch_plans is not None:
            self.watch_plans(id)


def _place(query: HeadQuery) -> tuple[EntityKind, str, str]:
    return query.kind, query.project, query.domain


def _wanted(row: Entity, query: EntityQuery) -> bool:
    same = all(
        wanted in ("", getattr(row.id, field))
        for field, wanted in (("project", query.project), ("domain", query.domain), ("name", query.name))
    )
    return same and all(holds(_value(row, filter.field), filter) for filter in query.filters)


def _value(row: Entity, field: str) -> Any:
    return getattr(row.id if field in ("project", "domain", "name", "version") else row, field)


def holds(value: Any, filter: Filter) -> bool:
    """Whether a field that has ``value`` passes."""
    wanted: tuple[Any, ...] = filter.values
    match filter.operator:
        case Operator.EQ:
            return bool(value == wanted[0])
        case Operator.NE:
            return bool(value != wanted[0])
        case Operator.GT:
            return bool(value > wanted[0])
        case Operator.GTE:
            return bool(value >= wanted[0])
        case Operator.LT:
            return bool(value < wanted[0])
        case Operator.LTE:
            return bool(value <= wanted[0])
        case Operator.CONTAINS:
            return bool(wanted[0]) and wanted[0] in value
        case Operator.VALUE_IN:
            return value in wanted
        case Operator.VALUE_NOT_IN:
            return value not in wanted
