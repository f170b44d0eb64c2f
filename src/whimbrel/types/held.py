"""Literals of values that are in memory: a table or an array on its way into a store.

Encoding does no I/O. It makes one of these; the border of the attempt (`runtime.values`) puts what it holds into the
store that is there, and an ordinary literal takes its place. Where nobody crosses a border, decoding gives the value
back as it was.

Knows: literals. Must not know: any kind of value, any store.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import IO, Any

from whimbrel.model.literals import (
    BlobLiteral,
    DatasetLiteral,
    ListLiteral,
    Literal,
    MapLiteral,
    NoneLiteral,
    RefLiteral,
    UnionLiteral,
)


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


class HeldHashed(RefLiteral, frozen=True, eq=False):
    """A literal whose ``digest`` is the author's word: at the border it becomes a reference with that digest, or, if it
    is a file or a table, carries the digest itself.
    """

    literal: Literal = NoneLiteral()


def holds_value(literal: Literal) -> bool:
    """Whether something in ``literal`` is in memory only."""
    match literal:
        case HeldDataset() | HeldBlob():
            return True
        case HeldHashed(literal=inner):
            return holds_value(inner)
        case ListLiteral(items=items):
            return any(map(holds_value, items))
        case MapLiteral(items=fields):
            return any(map(holds_value, fields.values()))
        case UnionLiteral(value=inner):
            return holds_value(inner)
        case _:
            return False


def unhashed(literal: Literal) -> Literal:
    """``literal`` as it is where nobody hashes: a constant of a program, a value in a plain call."""
    match literal:
        case HeldHashed(literal=inner):
            return unhashed(inner)
        case ListLiteral(items=items):
            return ListLiteral(tuple([unhashed(item) for item in items]))
        case MapLiteral(items=fields):
            return MapLiteral({name: unhashed(item) for name, item in fields.items()})
        case UnionLiteral(variant=variant, value=inner):
            return UnionLiteral(variant, unhashed(inner))
        case _:
            return literal
