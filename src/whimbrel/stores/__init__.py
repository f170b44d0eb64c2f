"""What remembers: runs in memory or SQL, blobs in directories or object stores.

Knows: the ports of `controlplane`, `wire`, `model`, `errors`, SQLAlchemy, Alembic, obstore.
Must not know: user code, what a run means; it keeps what it is handed.
"""
