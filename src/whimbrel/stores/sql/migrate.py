"""Brings a database's schema to the newest revision, all of it in one transaction.

Knows: Alembic and SQLAlchemy, imported when there is something to migrate: they would double the cost of every command.
Must not know: the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whimbrel.errors import HomeTooNew

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).with_name("migrations")


def check(path: Path, revision: str) -> None:
    """Raise ``HomeTooNew`` unless there is a way from ``revision`` to the newest."""
    from alembic.script import ScriptDirectory

    known = {script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions()}
    if revision not in known:
        raise HomeTooNew(f"{path} was written by a newer whimbrel (revision {revision}): upgrade whimbrel")


def upgrade(connect: Callable[[], Any]) -> None:
    """Run every migration that the database has not seen. ``connect`` gives a DB-API connection in autocommit mode."""
    import sqlalchemy as sa
    from alembic import command

    config = _config()
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    sa.event.listen(engine, "begin", _begin)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    # Through ConfigParser, which reads % as its own.
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return config


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
