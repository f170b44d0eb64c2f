"""Runs, cache, logs and inbox in SQL. One schema, one set of statements; each database is one module.

Knows: SQLAlchemy Core for schema and statements, Alembic for migrations, the database's own driver for the hot path.
Must not know: what events mean; the clock.
"""
