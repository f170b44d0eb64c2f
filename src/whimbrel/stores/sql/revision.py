"""The newest schema revision, where opening a home can read it without Alembic. A test holds it to the migrations."""

from __future__ import annotations

HEAD = "0001"

# What Alembic keeps the revision in.
TABLE = """CREATE TABLE alembic_version ( version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num) )"""
