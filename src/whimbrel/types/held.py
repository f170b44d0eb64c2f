"""Literals of values that are in memory: a table or an array on its way into a store.

Encoding does no I/O. It makes one of these; the border of the attempt (`runtime.values`) puts what it holds into the
store that is there, and an ordinary literal takes its place. Where nobody crosses a border, decoding gives the value
back as it was.

Knows: literals. Must not know: any kind of value, any store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from whimbrel.model.literals import BlobLiteral, DatasetLiteral, ListLiteral, Literal, MapLiteral, UnionLiteral


class HeldDataset(DatasetLiteral, frozen=True, eq=False):
    """A table in memory. It cannot be written as a literal: whoever tries gets ``TypeError``.

    ``uri`` is empty; ``frame`` is any object that a frame library knows; ``partition_by`` the columns that part it.
    """

    frame: Any = None
    partition_by: tuple[str, ...] = ()


class HeldBlob(BlobLiteral, frozen=True, eq=False):
    """A value in memory that is kept as a file called ``name``: ``write`` puts its bytes into a binary stream."""

    value: Any = None
    name: str = ""
    write: Callable[[Any, IO[bytes]], None] | None = None


def holds_value(literal: Literal) -> bool:
    """Whether something in ``literal`` is in memory only."""
    match literal:
        case HeldDataset() | HeldBlob():
            return True
        case ListLiteral(items=items):
            return any(map(holds_value, items))
        case MapLiteral(items=fields):
            return any(map(holds_value, fields.values()))
        case UnionLiteral(value=inner):
            return holds_value(inner)
        case _:
            return False
