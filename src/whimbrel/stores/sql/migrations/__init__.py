"""Schema revisions, run by Alembic. Knows: Alembic. Must not know: `schema.py`, which moves on; a revision stays."""
