"""The entities of the SQL store, and the statements of lists, whose conditions are the caller's.

Knows: the port, the fields that may be named. Must not know: what entities mean. All of it is SQL that SQLite and
PostgreSQL share; what callers say goes into parameters, never into the text.
"""

from __future__ import annotations

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
from whimbrel.stores.sql.database import Cursor
from whimbrel.stores.sql.part import SqlPart

_COMPARED = {
    Operator.EQ: "=",
    Operator.NE: "<>",
    Operator.GT: ">",
    Operator.GTE: ">=",
    Operator.LT: "<",
    Operator.LTE: "<=",
}


class SqlEntities(SqlPart):
    """Implements ``EntityStore`` for the store that has the writer and the readers."""

    watch_plans: Callable[[EntityId], None] | None = None
    """Hears of every launch plan whose state may have changed, in the event loop of who changed it."""

    async def add_entity(self, entity: Entity) -> Entity:
        """See ``EntityStore``."""
        key, row = _key(entity.id), _row(entity)

        def work(cursor: Cursor) -> Entity:
            cursor.execute(self._sql.add_entity, row)
            cursor.execute(self._sql.entity, key)
            return _entity(cursor.fetchone())

        kept = await self._write(work)
        self._tell(entity.id)
        return kept

    async def add_entities(self, entities: Sequence[Entity], *, sole: str = "", others: str = "") -> bool:
        """See ``EntityStore``."""

        def work(cursor: Cursor) -> bool:
            # Looked at first: what was written would have to be taken back, and others ride in the same transaction.
            for entity in entities:
                cursor.execute(self._sql.entity, _key(entity.id))
                if cursor.fetchone() is not None:
                    return False
            for entity in entities:
                cursor.execute(self._sql.add_entity, _row(entity))
                if sole and entity.state == sole:
                    said = {**_key(entity.id), "new_state": sole, "at": entity.updated_at, "alone": others}
                    cursor.execute(self._sql.retire_entities, said)
            return True

        kept = await self._write(work)
        for entity in entities:
            self._tell(entity.id)
        return kept

    async def put_entity(self, entity: Entity) -> None:
        """See ``EntityStore``."""
        row = _row(entity)

        def work(cursor: Cursor) -> None:
            cursor.execute(self._sql.drop_entity, _key(entity.id))
            cursor.execute(self._sql.add_entity, row)

        await self._write(work)

    async def drop_entity(self, id: EntityId) -> bool:
        """See ``EntityStore``."""

        def work(cursor: Cursor) -> bool:
            cursor.execute(self._sql.drop_entity, _key(id))
            return cursor.rowcount == 1

        return await self._write(work)

    async def entity(self, id: EntityId) -> Entity | None:
        """See ``EntityStore``."""

        def work(cursor: Cursor) -> Entity | None:
            cursor.execute(self._sql.entity, _key(id))
            row = cursor.fetchone()
            return None if row is None else _entity(row)

        return await self._read(work)

    async def entities(self, query: EntityQuery) -> list[Entity]:
        """See ``EntityStore``."""
        text, values = list_statement(self._sql.entities, query)

        def work(cursor: Cursor) -> list[Entity]:
            cursor.execute(text, values)
            return [_entity(row) for row in cursor.fetchall()]

        return await self._read(work)

    async def entity_heads(self, query: HeadQuery) -> list[EntityHead]:
        """See ``EntityStore``."""
        text, values = names_statement(query)

        def work(cursor: Cursor) -> list[EntityHead]:
            cursor.execute(text, values)
            found = []
            for name, versions in cursor.fetchall():
                place = EntityQuery(query.kind, query.project, query.domain, name, limit=1)
                cursor.execute(*list_statement(self._sql.entities, place))
                latest = _entity(cursor.fetchone())
                chosen = ""
                if query.state:
                    same = replace(place, filters=(Filter("state", Operator.EQ, (query.state,)),))
                    cursor.execute(*list_statement(self._sql.entities, same))
                    row = cursor.fetchone()
                    chosen = "" if row is None else _entity(row).id.version
                found.append(EntityHead(latest, versions, chosen))
            return found

        return await self._read(work)

    async def entity_names(
        self, kind: EntityKind, project: str, domain: str, *, limit: int = 100, offset: int = 0
    ) -> list[str]:
        """See ``EntityStore``."""
        values = {"kind": kind.value, "project": project, "domain": domain, "limit": limit, "offset": offset}

        def work(cursor: Cursor) -> list[str]:
            cursor.execute(self._sql.entity_names, values)
            return [name for (name,) in cursor.fetchall()]

        return await self._read(work)

    async def set_entity_state(self, id: EntityId, state: str, at: float, *, alone: str = "") -> bool:
        """See ``EntityStore``."""
        values = {**_key(id), "new_state": state, "at": at}

        def work(cursor: Cursor) -> bool:
            cursor.execute(self._sql.set_entity_state, values)
            there = cursor.rowcount == 1
            if there and alone:
                cursor.execute(self._sql.retire_entities, {**values, "alone": alone})
            return there

        there = await self._write(work)
        self._tell(id)
        return there

    def _tell(self, id: EntityId) -> None:
        if id.kind is EntityKind.LAUNCH_PLAN and self.watch_plans is not None:
            self.watch_plans(id)


def names_statement(query: HeadQuery) -> tuple[str, dict[str, Any]]:
    """The text of a list of names, with how many versions each has, and its parameters."""
    values: dict[str, Any] = {
        "kind": query.kind.value,
        "project": query.project,
        "domain": query.domain,
        "after": query.after,
        "limit": query.limit,
    }
    text = "SELECT name, count(*) FROM entities WHERE kind = :kind AND project = :project AND domain = :domain"
    text += " AND name > :after"
    if query.text:
        # Not LIKE: see `_condition`.
        text += " AND replace(lower(name), lower(:text), '') <> lower(name)"
        values["text"] = query.text
    return f"{text} GROUP BY name ORDER BY name LIMIT :limit", values


def list_statement(select: str, query: EntityQuery) -> tuple[str, dict[str, Any]]:
    """The text of a list and its parameters. Raises ``ValueError`` for a field that there is not."""
    values: dict[str, Any] = {"kind": query.kind.value, "limit": max(query.limit, 0), "offset": max(query.offset, 0)}
    text = select
    for field in ("project", "domain", "name"):
        wanted = getattr(query, field)
        if wanted:
            text += f" AND {field} = :{field}"
            values[field] = wanted
    for number, filter in enumerate(query.filters):
        text += f" AND {condition(_field(filter.field), filter, f'f{number}', values)}"
    direction = "DESC" if query.descending else "ASC"
    order = f"{_field(query.sort)} {direction}, project, domain, name, version"
    return f"{text} ORDER BY {order} LIMIT :limit OFFSET :offset", values


def condition(field: str, filter: Filter, name: str, values: dict[str, Any]) -> str:
    """The condition of ``filter`` on the column ``field``; its parameters, whose names begin with ``name``, go into
    ``values``."""
    names = [f"{name}_{place}" for place in range(len(filter.values))]
    values.update(zip(names, filter.values, strict=True))
    if filter.operator in (Operator.VALUE_IN, Operator.VALUE_NOT_IN):
        negated = "NOT " if filter.operator is Operator.VALUE_NOT_IN else ""
        return f"{field} {negated}IN ({', '.join(f':{each}' for each in names)})"
    if filter.operator is Operator.CONTAINS:
        # Not LIKE: its letters have meanings, and its cases differ from database to database.
        return f"replace({field}, :{names[0]}, '') <> {field}"
    return f"{field} {_COMPARED[filter.operator]} :{names[0]}"


def _field(name: str) -> str:
    if name not in FIELDS:
        raise ValueError(f"entities have no field {name!r}; they have {', '.join(FIELDS)}")
    return name


def _key(id: EntityId) -> dict[str, Any]:
    return {"kind": id.kind.value, "project": id.project, "domain": id.domain, "name": id.name, "version": id.version}


def _row(entity: Entity) -> dict[str, Any]:
    return {
        **_key(entity.id),
        "message": entity.message,
        "model": entity.model,
        "state": entity.state,
        "created_at": entity.created_at,
        "updated_at": entity.updated_at,
    }


def _entity(row: Any) -> Entity:
    kind, project, domain, name, version, *rest = row
    return Entity(EntityId(EntityKind(kind), project, domain, name, version), *rest)
