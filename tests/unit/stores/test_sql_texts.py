"""Three ways to say one schema, and two to say one statement: they are held to each other."""

from __future__ import annotations

import re
import sqlite3
import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy.dialects import postgresql

from whimbrel.stores.sql.generate import TARGET, module_text
from whimbrel.stores.sql.migrate import upgrade
from whimbrel.stores.sql.revision import OURS
from whimbrel.stores.sql.sqlite import SqliteDatabase
from whimbrel.stores.sql.statements import STATEMENTS, compiled
from whimbrel.stores.sql.texts import Texts


def schema_of(path: Path) -> dict[str, str]:
    connection = sqlite3.connect(path)
    try:
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    finally:
        connection.close()
    # SQLite keeps a statement as it was written, and spaces one that adds a column in its own way.
    return {name: re.sub(r"\s*([(),])\s*", r"\1", re.sub(r"\s+", " ", sql)).strip() for name, sql in rows}


def test_the_texts_are_those_of_the_statements() -> None:
    assert TARGET.read_text(encoding="utf-8") == module_text(), "python -m whimbrel.stores.sql.generate"


def test_every_statement_has_a_text() -> None:
    assert {*STATEMENTS, "schema"} == set(Texts.__struct_fields__)


def test_a_new_database_is_one_that_was_migrated_from_nothing(tmp_path: Path) -> None:
    SqliteDatabase.open(tmp_path / "new.db", owner=True)
    upgrade(OURS, lambda: sqlite3.connect(tmp_path / "migrated.db", isolation_level=None))
    assert schema_of(tmp_path / "migrated.db") == schema_of(tmp_path / "new.db")
    for name in ("new.db", "migrated.db"):
        connection = sqlite3.connect(tmp_path / name)
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(OURS.head,)]
        connection.close()


def test_the_newest_revision_is_the_one_that_is_named() -> None:
    config = Config()
    config.set_main_option("script_location", str(OURS.scripts))
    assert ScriptDirectory.from_config(config).get_current_head() == OURS.head


def test_the_statements_are_portable() -> None:
    texts = compiled(postgresql.dialect(paramstyle="named"))
    assert all(getattr(texts, name) for name in STATEMENTS)
    assert not any("ROWID" in statement or "AUTOINCREMENT" in statement for statement in texts.schema)


def test_opening_a_home_imports_neither_sqlalchemy_nor_alembic(tmp_path: Path) -> None:
    program = """
import sys
from whimbrel.stores.home import open_home
for _ in range(2):
    open_home(sys.argv[1], exclusive=True).close()
print([name for name in ("sqlalchemy", "alembic") if name in sys.modules])
"""
    run = subprocess.run([sys.executable, "-c", program, str(tmp_path / "h")], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("[]\n", "")
