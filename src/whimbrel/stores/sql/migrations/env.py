"""Alembic's environment: runs the revisions on the connection that it is handed. Imported by Alembic only."""

from __future__ import annotations

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
