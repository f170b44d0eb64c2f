"""What the store says to a database, as SQLAlchemy Core constructs; and their texts in a dialect.

Knows: the tables. Must not know: connections, any one database. All of it is SQL that SQLite and PostgreSQL share.

A write that may be refused is one conditional statement, so that the count of rows says whether it was carried out: a
refusal leaves the transaction, and the group that shares it, as they were.
"""

from __future__ import annotations

import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy.schema import CreateIndex, CreateTable

from whimbrel.stores.sql.schema import (
    METADATA,
    access,
    audit,
    cache,
    decks,
    entities,
    events,
    firings,
    inbox,
    logs,
    progress,
    reservations,
    run_labels,
    runs,
    schedules,
)
from whimbrel.stores.sql.texts import Texts

# `run` and `key` as parameters, beside columns of those names.
_RUN = sa.bindparam("run", type_=sa.String)
_KEY = sa.bindparam("key", type_=sa.String)
_LIMIT = sa.bindparam("limit", type_=sa.Integer)
_ONE: sa.ColumnElement[int] = sa.literal_column("1", sa.Integer)

_SUMMARY = [
    *(runs.c.id, runs.c.entity, runs.c.phase, runs.c.created_at, runs.c.started_at, runs.c.ended_at),
    *(runs.c.epoch, runs.c.owner, runs.c.source, runs.c.message, runs.c.wake_at),
    *(runs.c.project, runs.c.domain, runs.c.name, runs.c.kind, runs.c.target, runs.c.version, runs.c.labels),
    *(runs.c.principal, runs.c.cause, runs.c.parent, runs.c.waiting, runs.c.nodes, runs.c.done),
]
# Not id, epoch and created_at: those are the store's.
_STATED = (
    *("entity", "phase", "started_at", "ended_at", "owner", "source", "message", "wake_at", "short", "search"),
    *("waiting", "nodes", "done"),
)
_ENTITY_ID = ("kind", "project", "domain", "name", "version")
_PLAN = ("project", "domain", "name")
_LOG_LINE = [logs.c.id, logs.c.run, logs.c.path, logs.c.number, logs.c.stream, logs.c.text, logs.c.at, logs.c.level]


def _values(table: sa.Table, *skipped: str) -> dict[str, sa.BindParameter[Any]]:
    return {
        column.name: sa.bindparam(column.name, type_=column.type) for column in table.c if column.name not in skipped
    }


def _insert_unless(table: sa.Table, condition: sa.ColumnElement[bool], *skipped: str) -> sa.Insert:
    values = _values(table, *skipped)
    return sa.insert(table).from_select(list(values), sa.select(*values.values()).where(sa.not_(condition)))


def _newest(*, phase: bool = False, before: bool = False) -> sa.Select[Any]:
    found = sa.select(*_SUMMARY).order_by(runs.c.created_at.desc(), runs.c.id.desc()).limit(_LIMIT)
    if phase:
        found = found.where(runs.c.phase == sa.bindparam("phase"))
    if before:
        last = sa.tuple_(sa.bindparam("created_at", type_=sa.Double), sa.bindparam("before", type_=sa.String))
        found = found.where(sa.tuple_(runs.c.created_at, runs.c.id) < last)
    return found


def _is_below(path: sa.Column[str]) -> sa.ColumnElement[bool]:
    return sa.or_(
        path == sa.bindparam("path"),
        sa.func.substr(path, _ONE, sa.bindparam("length", type_=sa.Integer)) == sa.bindparam("below"),
    )


def _same(table: sa.Table, *names: str) -> list[sa.ColumnElement[bool]]:
    return [table.c[name] == sa.bindparam(name, type_=table.c[name].type) for name in names]


_decks = (
    sa.select(*decks.c).where(decks.c.run == _RUN).order_by(decks.c.path, decks.c.number, decks.c.place, decks.c.name)
)
_lines = (
    sa.select(*_LOG_LINE).where(logs.c.run == _RUN, logs.c.id > sa.bindparam("after")).order_by(logs.c.id).limit(_LIMIT)
)
_advance = (
    sa.update(runs)
    .where(runs.c.id == _RUN, runs.c.epoch == sa.bindparam("at_epoch"), runs.c.next_seq == sa.bindparam("first"))
    .values(next_seq=sa.bindparam("next"))
)
_count = sa.func.count(events.c.seq)
_accesses = sa.select(*access.c).where(*_same(access, "kind")).order_by(access.c.id)
_set_access = (
    sa.update(access)
    .where(*_same(access, "kind", "id"))
    .values({name: sa.bindparam(f"new_{name}", type_=access.c[name].type) for name in ("owner", "body", "expires_at")})
)

STATEMENTS: dict[str, sa.ClauseElement] = {
    "add_run": _insert_unless(runs, sa.exists().where(runs.c.id == sa.bindparam("id"))),
    "add_label": sa.insert(run_labels).values(_values(run_labels)),
    "runs": sa.select(*_SUMMARY),
    "run_exists": sa.select(_ONE).select_from(runs).where(runs.c.id == _RUN),
    "claim_run": sa.update(runs)
    .where(runs.c.id == _RUN)
    .values(epoch=runs.c.epoch + _ONE, owner=sa.bindparam("owner")),
    "advance_run": _advance,
    "advance_run_and_summary": _advance.values({name: sa.bindparam(name) for name in _STATED}),
    "summary": sa.select(*_SUMMARY).where(runs.c.id == _RUN),
    "fence": sa.select(runs.c.epoch, runs.c.owner, runs.c.next_seq).where(runs.c.id == _RUN),
    "add_event": sa.insert(events).values(_values(events)),
    "events": sa.select(events.c.payload)
    .where(events.c.run == _RUN, events.c.seq > sa.bindparam("after"))
    .order_by(events.c.seq),
    "newest": _newest(),
    "newest_before": _newest(before=True),
    "newest_of_phase": _newest(phase=True),
    "newest_of_phase_before": _newest(phase=True, before=True),
    "phase_counts": sa.select(runs.c.phase, sa.func.count()).group_by(runs.c.phase),
    "parked": sa.select(*_SUMMARY)
    .where(runs.c.wake_at > sa.literal_column("0.0"))
    .order_by(runs.c.wake_at, runs.c.id)
    .limit(_LIMIT),
    "cached": sa.select(cache.c.outputs, cache.c.run, cache.c.path, cache.c.at).where(cache.c.key == _KEY),
    "candidates": sa.select(cache.c.version, cache.c.interface, cache.c.inputs, cache.c.run, cache.c.path)
    .where(cache.c.task == sa.bindparam("task"))
    .order_by(
        sa.case((cache.c.version == sa.bindparam("version"), sa.literal_column("0")), else_=_ONE),
        sa.case((cache.c.interface == sa.bindparam("interface"), sa.literal_column("0")), else_=_ONE),
        cache.c.at.desc(),
    )
    .limit(_LIMIT),
    "drop_older": sa.delete(cache).where(cache.c.key == _KEY, cache.c.at <= sa.bindparam("at")),
    "clear_cache": sa.delete(cache),
    "add_cached": _insert_unless(cache, sa.exists().where(cache.c.key == sa.bindparam("key"))),
    "extend_reservation": sa.update(reservations)
    .where(
        reservations.c.key == _KEY,
        sa.or_(reservations.c.holder == sa.bindparam("holder"), reservations.c.until < sa.bindparam("now")),
    )
    .values(holder=sa.bindparam("holder"), until=sa.bindparam("new_until")),
    "add_reservation": _insert_unless(reservations, sa.exists().where(reservations.c.key == sa.bindparam("key"))),
    "end_reservation": sa.delete(reservations).where(reservations.c.key == _KEY),
    "release": sa.delete(reservations).where(
        reservations.c.key == _KEY, reservations.c.holder == sa.bindparam("holder")
    ),
    "add_log": sa.insert(logs).values(_values(logs, "id")),
    "logs": _lines,
    "logs_below": _lines.where(_is_below(logs.c.path)),
    "drop_deck": sa.delete(decks).where(*_same(decks, "run", "path", "number", "name")),
    "add_deck": sa.insert(decks).values(_values(decks)),
    "decks": _decks,
    "decked": sa.select(decks.c.path).distinct().where(decks.c.run == _RUN).order_by(decks.c.path),
    "decks_below": _decks.where(_is_below(decks.c.path)),
    "drop_progress": sa.delete(progress).where(*_same(progress, "run", "path", "number")),
    "add_progress": sa.insert(progress).values(_values(progress)),
    "progress": sa.select(*progress.c).where(progress.c.run == _RUN).order_by(progress.c.path, progress.c.number),
    "send": sa.insert(inbox).from_select(
        list(_values(inbox, "id")),
        sa.select(*_values(inbox, "id").values()).where(sa.exists().where(runs.c.id == sa.bindparam("run"))),
    ),
    "addressed": sa.select(inbox.c.run).distinct().order_by(inbox.c.run),
    "requests": sa.select(inbox.c.id, inbox.c.request, inbox.c.detail, inbox.c.at)
    .where(inbox.c.run == _RUN)
    .order_by(inbox.c.id),
    "drop_request": sa.delete(inbox).where(inbox.c.run == _RUN, inbox.c.id == sa.bindparam("id")),
    "add_entity": _insert_unless(entities, sa.exists().where(*_same(entities, *_ENTITY_ID))),
    "entity": sa.select(*entities.c).where(*_same(entities, *_ENTITY_ID)),
    "entities": sa.select(*entities.c).where(entities.c.kind == sa.bindparam("kind", type_=sa.String)),
    "entity_names": sa.select(entities.c.name)
    .distinct()
    .where(
        *_same(entities, "kind"),
        *(
            sa.or_(sa.bindparam(each, type_=sa.Text) == sa.literal_column("''"), *_same(entities, each))
            for each in ("project", "domain")
        ),
    )
    .order_by(entities.c.name)
    .limit(_LIMIT)
    .offset(sa.bindparam("offset", type_=sa.Integer)),
    "drop_entity": sa.delete(entities).where(*_same(entities, *_ENTITY_ID)),
    "set_entity_state": sa.update(entities)
    .where(*_same(entities, *_ENTITY_ID))
    .values(state=sa.bindparam("new_state"), updated_at=sa.bindparam("at")),
    "retire_entities": sa.update(entities)
    .where(
        *_same(entities, "kind", "project", "domain", "name"),
        entities.c.version != sa.bindparam("version", type_=sa.Text),
        entities.c.state == sa.bindparam("new_state", type_=sa.String),
    )
    .values(state=sa.bindparam("alone"), updated_at=sa.bindparam("at")),
    "add_access": _insert_unless(access, sa.exists().where(*_same(access, "kind", "id"))),
    "access": sa.select(*access.c).where(*_same(access, "kind", "id")),
    "accesses": _accesses,
    "accesses_of": _accesses.where(*_same(access, "owner")),
    "set_access": _set_access,
    "swap_access": _set_access.where(access.c.body == sa.bindparam("was", type_=sa.LargeBinary)),
    "drop_access": sa.delete(access).where(*_same(access, "kind", "id")),
    "expire_access": sa.delete(access).where(
        access.c.expires_at > sa.literal_column("0.0"), access.c.expires_at <= sa.bindparam("now")
    ),
    "add_audit": sa.insert(audit).values(_values(audit, "id")),
    "audited": sa.select(*audit.c)
    .where(
        sa.or_(sa.bindparam("before", type_=sa.Integer) == sa.literal_column("0"), audit.c.id < sa.bindparam("before")),
        audit.c.at >= sa.bindparam("since"),
        *(
            sa.or_(sa.bindparam(each, type_=sa.Text) == sa.literal_column("''"), *_same(audit, each))
            for each in ("principal", "action")
        ),
    )
    .order_by(audit.c.id.desc())
    .limit(_LIMIT),
    "mark": sa.select(schedules.c.version, schedules.c.activated_at, schedules.c.decided_at).where(
        *_same(schedules, *_PLAN)
    ),
    "add_mark": _insert_unless(schedules, sa.exists().where(*_same(schedules, *_PLAN))),
    "move_mark": sa.update(schedules)
    .where(
        *_same(schedules, *_PLAN),
        schedules.c.version == sa.bindparam("known_version", type_=sa.Text),
        schedules.c.activated_at == sa.bindparam("known_activation", type_=sa.Double),
        schedules.c.decided_at == sa.bindparam("known_decision", type_=sa.Double),
    )
    .values(_values(schedules, *_PLAN)),
    "drop_firing": sa.delete(firings).where(
        *_same(firings, *_PLAN, "due"), firings.c.outcome != sa.bindparam("final", type_=sa.String)
    ),
    "add_firing": _insert_unless(firings, sa.exists().where(*_same(firings, *_PLAN, "due"))),
    "firings": sa.select(*(column for column in firings.c if column.name not in _PLAN))
    .where(*_same(firings, *_PLAN), firings.c.due < sa.bindparam("before", type_=sa.Double))
    .order_by(firings.c.due.desc())
    .limit(_LIMIT),
    "gaps": sa.select(runs.c.id, runs.c.next_seq, _count)
    .select_from(runs.outerjoin(events, events.c.run == runs.c.id))
    .group_by(runs.c.id, runs.c.next_seq)
    .having(
        sa.or_(
            _count != runs.c.next_seq - _ONE,
            sa.func.coalesce(sa.func.max(events.c.seq), sa.literal_column("0")) != runs.c.next_seq - _ONE,
        )
    ),
}


def compiled(dialect: sa.Dialect) -> Texts:
    """The texts of ``dialect``, whose parameters must be named ones."""
    tables = METADATA.sorted_tables
    schema = [str(CreateTable(table).compile(dialect=dialect)) for table in tables]
    indices = sorted((index for table in tables for index in table.indexes), key=lambda index: str(index.name))
    schema += [str(CreateIndex(index).compile(dialect=dialect)) for index in indices]
    statements = {name: _text(statement, dialect) for name, statement in STATEMENTS.items()}
    return Texts(schema=tuple(map(_on_one_line, schema)), **statements)


def _text(statement: sa.ClauseElement, dialect: sa.Dialect) -> str:
    done = statement.compile(dialect=dialect)
    text = str(done)
    # A constant that the compiler made a parameter (SQLite's OFFSET 0) goes back into the text.
    for name, bind in getattr(done, "binds", {}).items():
        if not bind.required:
            text = re.sub(rf":{name}\b", repr(int(bind.value)), text)
    return _on_one_line(text)


def _on_one_line(sql: str) -> str:
    return re.sub(r"\s+", " ", sql).strip()
