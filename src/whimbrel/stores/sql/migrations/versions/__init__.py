"""One module a revision. Knows: Alembic. Must not know: `schema.py`, which moves on; a revision stays."""
