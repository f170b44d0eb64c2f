"""Writes `sqlite_texts.py` from the statements: `python -m whimbrel.stores.sql.generate`.

Knows: the statements, SQLite's dialect. A test compares what it would write with what is there.
"""

from __future__ import annotations

import textwrap
from pathlib import Path

from sqlalchemy.dialects import sqlite

from whimbrel.stores.sql.statements import compiled
from whimbrel.stores.sql.texts import Texts

TARGET = Path(__file__).with_name("sqlite_texts.py")

_HEAD = '''"""The statements of the store in SQLite's dialect. Generated: `python -m whimbrel.stores.sql.generate`.

Knows: nothing. What each statement is for stands in `statements.py` and `texts.py`.
"""

from __future__ import annotations

from whimbrel.stores.sql.texts import Texts
'''


def module_text() -> str:
    """The source of `sqlite_texts.py`."""
    texts = compiled(sqlite.dialect(paramstyle="named"))
    schema = "\n".join(f'    """{_wrapped(sql)}""",' for sql in texts.schema)
    names = [name for name in Texts.__struct_fields__ if name != "schema"]
    statements = "\n".join(f'    {name}="""{_wrapped(getattr(texts, name))}""",' for name in names)
    return f"{_HEAD}\nSCHEMA = (\n{schema}\n)\n\nSTATEMENTS = Texts(\n    schema=SCHEMA,\n{statements}\n)\n"


def _wrapped(sql: str) -> str:
    lines = textwrap.wrap(sql, 100, break_long_words=False, break_on_hyphens=False)
    return lines[0] if len(lines) == 1 else "\n" + textwrap.indent("\n".join(lines), "        ")


if __name__ == "__main__":
    TARGET.write_text(module_text(), encoding="utf-8")
