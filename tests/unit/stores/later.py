"""A whimbrel of the future, as far as a database can tell: one with another schema revision."""

from __future__ import annotations

import shutil
from pathlib import Path

from whimbrel.stores.sql.revision import OURS, Migrations

HEAD = "9000"
_ADDS_TO_RUNS = f'''
"""Labels for runs."""
import sqlalchemy as sa
from alembic import op

revision, down_revision, branch_labels, depends_on = "{HEAD}", "{OURS.head}", None, None

def upgrade():
    op.create_table("labels", sa.Column("run", sa.String(64), primary_key=True), sa.Column("label", sa.Text))
    op.execute("INSERT INTO labels SELECT id, entity FROM runs")
'''


def later(directory: Path, *, fails: bool = False) -> Migrations:
    """Our revisions and one more, which adds a table and fills it; and then, if told so, fails."""
    scripts = directory / "100% later"
    shutil.copytree(OURS.scripts, scripts, ignore=shutil.ignore_patterns("__pycache__"))
    extra = '    op.execute("INSERT INTO nowhere VALUES (1)")\n' if fails else ""
    (scripts / "versions" / "r9000_later.py").write_text(_ADDS_TO_RUNS + extra, encoding="utf-8")
    return Migrations(scripts, HEAD)
