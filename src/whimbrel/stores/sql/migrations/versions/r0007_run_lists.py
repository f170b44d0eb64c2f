"""What lists of runs are filtered by: where a run was launched, under which name, from what, with which labels."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_COLUMNS = ("project", "domain", "name", "kind", "target", "version", "labels", "short", "search")
_MESSAGE = 500


def upgrade() -> None:
    """What older runs were launched from stands with their executions."""
    for column in _COLUMNS:
        op.add_column("runs", sa.Column(column, sa.Text, nullable=False, server_default=sa.literal_column("''")))
    op.create_table(
        "run_labels",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("created_at", sa.Double, primary_key=True),
        sa.Column("run", sa.String(64), primary_key=True),
        sqlite_with_rowid=False,
    )
    _fill(op.get_bind())
    op.create_index("runs_by_entity", "runs", ["short", "phase", "created_at", "id"])
    op.create_index("runs_by_place", "runs", ["project", "domain", "created_at", "id"])
    op.create_index("runs_by_place_and_phase", "runs", ["project", "domain", "phase", "created_at", "id"])


def _fill(connection: sa.Connection) -> None:
    launched: dict[str, dict[str, Any]] = {}
    executions = connection.execute(
        sa.text("SELECT project, domain, name, model FROM entities WHERE kind = 'execution'")
    )
    for project, domain, name, model in executions:
        record = msgspec.msgpack.decode(model)
        target = record["target"]
        labels = {**record.get("labels", {}), **dict.fromkeys(record.get("tags", ()), "")}
        launched[record["run"]] = {
            "project": project,
            "domain": domain,
            "name": name,
            "kind": target["kind"],
            "target": target["name"],
            "version": target.get("version", ""),
            "labels": labels,
        }
    nowhere: dict[str, Any] = {**dict.fromkeys(_COLUMNS, ""), "labels": {}}
    update = sa.text(f"UPDATE runs SET {', '.join(f'{column} = :{column}' for column in _COLUMNS)} WHERE id = :id")
    add = sa.text("INSERT INTO run_labels VALUES (:key, :value, :created_at, :run)")
    runs = connection.execute(sa.text("SELECT id, created_at, entity, source, message FROM runs")).fetchall()
    for id, created_at, entity, source, message in runs:
        row = launched.get(id, nowhere)
        labels = row["labels"]
        said = (id, row["name"], entity, source, message[:_MESSAGE])
        filled = {
            **row,
            "id": id,
            "labels": json.dumps(labels) if labels else "",
            "short": entity.rpartition(".")[2],
            "search": "\n".join(each for each in said if each).casefold(),
        }
        connection.execute(update, filled)
        for key, value in labels.items():
            connection.execute(add, {"key": key, "value": value, "created_at": created_at, "run": id})
