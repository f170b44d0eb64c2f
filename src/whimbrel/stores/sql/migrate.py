"""Brings a database's schema to the newest revision, all of it in one transaction.

Knows: Alembic and SQLAlchemy, imported when there is something to migrate: they would double the cost of every command.
Must not know: the tables.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from whimbrel.stores.sql.revision import Migrations

if TYPE_CHECKING:
    from alembic.config import Config


def is_known(migrations: Migrations, revision: str) -> bool:
    """Whether there is a way from ``revision`` to the newest."""
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(_config(migrations))
    return revision in {script.revision for script in scripts.walk_revisions()}


def upgrade(migrations: Migrations, connect: Callable[[], Any]) -> None:
    """Run every migration that the database has not seen. ``connect`` gives a DB-API connection in autocommit mode.

    Raises the driver's own errors.
    """
    import sqlalchemy as sa
    from alembic import command

    config = _config(migrations)
    engine = sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)
    sa.event.listen(engine, "begin", _begin)
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    except sa.exc.DBAPIError as error:
        # The store explains the driver's errors; SQLAlchemy's wrapping says nothing that it needs.
        raise (error.orig or error) from error


def _config(migrations: Migrations) -> Config:
    from alembic.config import Config

    config = Config()
    # Through ConfigParser, which reads % as its own.
    config.set_main_option("script_location", str(migrations.scripts).replace("%", "%%"))
    return config


def _begin(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
