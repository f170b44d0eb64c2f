"""Parked runs: when each must be woken."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Nothing was parked before."""
    op.add_column("runs", sa.Column("wake_at", sa.Double, nullable=False, server_default=sa.literal_column("0.0")))
    parked = sa.text("wake_at > 0.0")
    op.create_index("runs_by_waking", "runs", ["wake_at", "id"], sqlite_where=parked, postgresql_where=parked)
