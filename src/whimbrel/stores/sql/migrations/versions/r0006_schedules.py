"""Schedules: how far each has been decided, and what it fired."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """No schedule was fired before."""
    op.create_table(
        "schedules",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("activated_at", sa.Double, nullable=False),
        sa.Column("decided_at", sa.Double, nullable=False),
    )
    op.create_table(
        "firings",
        sa.Column("project", sa.Text, primary_key=True),
        sa.Column("domain", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("due", sa.Double, primary_key=True),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("execution", sa.Text, nullable=False),
        sa.Column("run", sa.String(64), nullable=False),
        sa.Column("outcome", sa.String(64), nullable=False),
        sa.Column("at", sa.Double, nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("backfill", sa.String(64), nullable=False),
    )
