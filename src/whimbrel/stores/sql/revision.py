"""The newest schema revision, where opening a home can read it without Alembic. A test holds it to the migrations."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

# What Alembic keeps the revision in.
TABLE = """CREATE TABLE alembic_version ( version_num VARCHAR(32) NOT NULL,
    CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num) )"""


class Migrations(Struct, frozen=True):
    """Where Alembic's scripts are, and the revision that they lead to."""

    scripts: Path
    head: str


OURS = Migrations(Path(__file__).with_name("migrations"), head="0008")
