"""The tables, in portable types. Imported where statements are compiled and schemas migrated, not when a store opens.

Knows: SQLAlchemy Core. Must not know: any one database, but for hints (`sqlite_*`) that the others skip.

A change here is three steps: this module, a new revision in `migrations/versions`, and
`python -m whimbrel.stores.sql.generate` for the texts. Tests hold the three to each other.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

METADATA = sa.MetaData()

# SQLite numbers rows by itself only in a column that is INTEGER to the letter.
_ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False)


def _key(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.String(64), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _later(name: str, kind: type[sa.types.TypeEngine[str]] = sa.Text) -> sa.Column[str]:
    """Of columns that a migration adds: last, with what older rows have."""
    return sa.Column(name, kind, nullable=False, server_default=sa.literal_column("''"))


def _time(name: str) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=False)


_WHERE_PARKED: dict[str, Any] = {
    f"{dialect}_where": sa.literal_column("wake_at", sa.Double) > sa.literal_column("0.0")
    for dialect in ("sqlite", "postgresql")
}

_ZERO: sa.ColumnClause[int] = sa.literal_column("0", sa.BigInteger)
_WHERE_WAITING: dict[str, Any] = {
    f"{dialect}_where": sa.literal_column("waiting", sa.BigInteger) > _ZERO for dialect in ("sqlite", "postgresql")
}

# `next_seq` and `epoch` are the fence: an append is a compare-and-set on both.
runs = sa.Table(
    "runs",
    METADATA,
    sa.Column("id", sa.String(64), primary_key=True),
    _text("entity"),
    _key("phase"),
    _time("created_at"),
    _time("started_at"),
    _time("ended_at"),
    _number("epoch"),
    _text("owner"),
    _text("source"),
    _text("message"),
    _number("next_seq"),
    # Last, as a migration adds it.
    sa.Column("wake_at", sa.Double, nullable=False, server_default=sa.literal_column("0.0")),
    *map(_later, ("project", "domain", "name", "kind", "target", "version")),
    # A JSON object; `run_labels` is what lists use.
    _later("labels"),
    # The last part of `entity`, and what a text is looked for in.
    _later("short"),
    _later("search"),
    *map(_later, ("principal", "cause", "parent")),
    *(sa.Column(name, sa.BigInteger, nullable=False, server_default=_ZERO) for name in ("waiting", "nodes", "done")),
    sa.Index("runs_by_age", "created_at", "id"),
    sa.Index("runs_by_phase", "phase", "created_at", "id"),
    # A list of an entity in every phase walks each of the few phases: one index serves both.
    sa.Index("runs_by_entity", "short", "phase", "created_at", "id"),
    sa.Index("runs_by_place", "project", "domain", "created_at", "id"),
    sa.Index("runs_by_place_and_phase", "project", "domain", "phase", "created_at", "id"),
    # Of parked runs alone: others pay nothing for it.
    sa.Index("runs_by_waking", "wake_at", "id", **_WHERE_PARKED),
    # The same of those that wait for somebody's answer.
    sa.Index("runs_by_waiting", "created_at", "id", **_WHERE_WAITING),
    # One tree less to walk and to write: a run's row is rewritten with each of its appends.
    sqlite_with_rowid=False,
)

# `created_at` repeats the run's: a label's runs are read in the order of lists.
run_labels = sa.Table(
    "run_labels",
    METADATA,
    sa.Column("key", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("created_at", sa.Double, primary_key=True),
    sa.Column("run", sa.String(64), primary_key=True),
    sqlite_with_rowid=False,
)

# `kind` and `at` repeat what is in the payload, for people and for queries.
events = sa.Table(
    "events",
    METADATA,
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), primary_key=True),
    sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
    _key("kind"),
    _time("at"),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)

# No foreign key: a chunk that outlives its run must not fail the group that it rides with.
logs = sa.Table(
    "logs",
    METADATA,
    sa.Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    _key("run"),
    _text("path"),
    _number("number"),
    _key("stream"),
    _text("text"),
    _time("at"),
    # Last, as a migration adds it.
    sa.Column("level", sa.String(64), nullable=False, server_default=sa.literal_column("''")),
    sa.Index("logs_by_run", "run", "id"),
    # Readers page by id: none may be given twice.
    sqlite_autoincrement=True,
)

# What an attempt shows now: a row is replaced by its next version.
decks = sa.Table(
    "decks",
    METADATA,
    sa.Column("run", sa.String(64), primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, primary_key=True),
    _number("place"),
    _text("html"),
    _text("uri"),
    _time("at"),
)

progress = sa.Table(
    "progress",
    METADATA,
    sa.Column("run", sa.String(64), primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    _time("done"),
    _time("total"),
    _text("message"),
    _time("at"),
)

inbox = sa.Table(
    "inbox",
    METADATA,
    sa.Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    sa.Column("run", sa.String(64), sa.ForeignKey("runs.id"), nullable=False),
    _key("request"),
    _text("detail"),
    _time("at"),
    sa.Index("inbox_by_run", "run", "id"),
    sqlite_autoincrement=True,
)

# `key` is the digest of the other four; `inputs` is JSON, so that a miss can say which input differs.
cache = sa.Table(
    "cache",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    _text("task"),
    _text("version"),
    _key("interface"),
    _text("inputs"),
    sa.Column("outputs", sa.LargeBinary, nullable=False),
    _key("run"),
    _text("path"),
    _time("at"),
    sa.Index("cache_by_task", "task", "at"),
)

reservations = sa.Table(
    "reservations",
    METADATA,
    sa.Column("key", sa.String(64), primary_key=True),
    _text("holder"),
    _time("until"),
)

# What was registered, executions by name among it. `message` is as it came, `model` as it was read.
entities = sa.Table(
    "entities",
    METADATA,
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("domain", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("version", sa.Text, primary_key=True),
    sa.Column("message", sa.LargeBinary, nullable=False),
    sa.Column("model", sa.LargeBinary, nullable=False),
    _key("state"),
    _time("created_at"),
    _time("updated_at"),
    sa.Index("entities_by_age", "kind", "project", "domain", "created_at"),
)

# What is kept about access: users, clients, grants, digests of tokens. `body` is the server's affair.
access = sa.Table(
    "access",
    METADATA,
    sa.Column("kind", sa.String(64), primary_key=True),
    sa.Column("id", sa.Text, primary_key=True),
    _text("owner"),
    sa.Column("body", sa.LargeBinary, nullable=False),
    _time("expires_at"),
    sa.Index("access_by_owner", "kind", "owner"),
)

# The audit log. No statement changes or removes a row.
audit = sa.Table(
    "audit",
    METADATA,
    sa.Column("id", _ROW_NUMBER, primary_key=True, autoincrement=True),
    _time("at"),
    _text("principal"),
    _text("action"),
    _text("place"),
    _text("target"),
    _text("outcome"),
    _text("address"),
    sqlite_autoincrement=True,
)

# Of each launch plan that has a schedule: up to when it has been decided what is to be launched.
schedules = sa.Table(
    "schedules",
    METADATA,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("domain", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    _text("version"),
    _time("activated_at"),
    _time("decided_at"),
)

# What came of each due time.
firings = sa.Table(
    "firings",
    METADATA,
    sa.Column("project", sa.Text, primary_key=True),
    sa.Column("domain", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("due", sa.Double, primary_key=True),
    _text("version"),
    _text("execution"),
    _key("run"),
    _key("outcome"),
    _time("at"),
    _text("detail"),
    _key("backfill"),
)
