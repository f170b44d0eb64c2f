"""Runs that wait for an answer, how far each is, and what it was launched by."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_SAID = "waits for an answer: "


def upgrade() -> None:
    """Of older runs it is known that they wait, by what they say; not how far they are, nor who launched them."""
    for column in ("principal", "cause", "parent"):
        op.add_column("runs", sa.Column(column, sa.Text, nullable=False, server_default=sa.literal_column("''")))
    for column in ("waiting", "nodes", "done"):
        op.add_column("runs", sa.Column(column, sa.BigInteger, nullable=False, server_default=sa.literal_column("0")))
    connection = op.get_bind()
    ended = "('SUCCEEDED', 'FAILED', 'ABORTED', 'TIMED_OUT', 'SKIPPED', 'RECOVERED')"
    found = connection.execute(
        sa.text(f"SELECT id, message FROM runs WHERE phase NOT IN {ended} AND substr(message, 1, :length) = :said"),
        {"length": len(_SAID), "said": _SAID},
    ).fetchall()
    for id, message in found:
        gates = message.removeprefix(_SAID).count(", ") + 1
        connection.execute(sa.text("UPDATE runs SET waiting = :gates WHERE id = :id"), {"gates": gates, "id": id})
    waiting = sa.text("waiting > 0")
    op.create_index("runs_by_waiting", "runs", ["created_at", "id"], sqlite_where=waiting, postgresql_where=waiting)
