"""Values as the engine moves them: a closed, tagged union that mirrors Flyte's ``Literal``.

Small values are inline. A value too large to keep in an event is a ``RefLiteral``: workers resolve it, the engine
only passes it on.
"""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace


class NoneLiteral(Struct, frozen=True, gc=False, tag="n"):
    """The value ``None``."""


class IntLiteral(Struct, frozen=True, gc=False, tag="i"):
    """An integer of at most 64 bits."""

    value: int


class BigIntLiteral(Struct, frozen=True, gc=False, tag="I"):
    """An integer of more than 64 bits, in decimal."""

    value: str


class FloatLiteral(Struct, frozen=True, gc=False, tag="f"):
    """A double; NaN and the infinities included."""

    value: float


class StrLiteral(Struct, frozen=True, gc=False, tag="s"):
    """A string."""

    value: str


class BoolLiteral(Struct, frozen=True, gc=False, tag="b"):
    """A boolean."""

    value: bool


class DatetimeLiteral(Struct, frozen=True, gc=False, tag="t"):
    """A moment; naive ones stay naive.

    An aware ``value`` is in UTC, as its bytes are; ``zone`` is the time zone that it is to be shown in: an IANA key
    (``Europe/Oslo``), an offset (``+02:00``), or "" for UTC.
    """

    value: dt.datetime
    zone: str = ""


class DateLiteral(Struct, frozen=True, gc=False, tag="D"):
    """A calendar day."""

    value: dt.date


class DurationLiteral(Struct, frozen=True, gc=False, tag="d"):
    """A span of time, exact to the microsecond."""

    days: int
    seconds: int
    microseconds: int


class BytesLiteral(Struct, frozen=True, gc=False, tag="x"):
    """Bytes; ``encoding`` is "" for the user's own bytes, else that of a ``BinaryType``."""

    value: bytes
    encoding: str = ""


class ListLiteral(Struct, frozen=True, gc=False, tag="l"):
    """A list or a tuple."""

    items: tuple[Literal, ...]


class MapLiteral(Struct, frozen=True, gc=False, tag="m"):
    """A dict with string keys, a dataclass or a model by its fields; in the author's order."""

    items: dict[str, Literal]


class UnionLiteral(Struct, frozen=True, gc=False, tag="u"):
    """A value of a union: which variant, and the value."""

    variant: int
    value: Literal


class BlobLiteral(Struct, frozen=True, gc=False, tag="o"):
    """A file or directory by URI. ``digest`` is of the content, "" if unknown; ``size`` in bytes, -1 if unknown."""

    uri: str
    format: str = ""
    multipart: bool = False
    digest: str = ""
    size: int = -1


class DatasetLiteral(Struct, frozen=True, gc=False, tag="q"):
    """A table by URI, stored in ``format`` (``parquet``); ``columns`` are the names of those that are meant, empty for
    all. ``digest`` is of the content, "" if unknown; ``size`` in bytes, -1 if unknown."""

    uri: str
    format: str = ""
    columns: tuple[str, ...] = ()
    digest: str = ""
    size: int = -1


class RefLiteral(Struct, frozen=True, gc=False, tag="r", omit_defaults=True):
    """A literal kept in the blob store: its msgpack bytes stand under ``uri``.

    ``digest`` is the digest of the literal, ``size`` its bytes, ``path`` the steps into it that are meant. ``length``
    is how many items it has if it is a list (before any ``path``), else -1.
    """

    uri: str
    digest: str
    size: int
    path: tuple[str | int, ...]
    length: int = -1


Literal: TypeAlias = (
    NoneLiteral
    | IntLiteral
    | BigIntLiteral
    | FloatLiteral
    | StrLiteral
    | BoolLiteral
    | DatetimeLiteral
    | DateLiteral
    | DurationLiteral
    | BytesLiteral
    | ListLiteral
    | MapLiteral
    | UnionLiteral
    | BlobLiteral
    | DatasetLiteral
    | RefLiteral
)

Literals: TypeAlias = dict[str, Literal]
"""The inputs or the outputs of a call, by name."""


class StepMissing(LookupError):
    """There is nothing at a step of a path into a literal."""


def at_path(literal: Literal, path: tuple[str | int, ...]) -> Literal:
    """The literal at ``path`` inside ``literal``. A reference is not read: the path is appended to it.

    Raises ``StepMissing`` where a step leads nowhere.
    """
    for position, step in enumerate(path):
        while isinstance(literal, UnionLiteral):
            literal = literal.value
        match literal:
            case RefLiteral():
                return replace(literal, path=literal.path + path[position:])
            case MapLiteral(items=fields) if step in fields:
                literal = fields[str(step)]
            case ListLiteral(items=items) if isinstance(step, int) and -len(items) <= step < len(items):
                literal = items[step]
            case _:
                raise StepMissing(f"there is nothing at {render_path(path[: position + 1])}")
    return literal


def render_path(path: tuple[str | int, ...]) -> str:
    """``$.rows[3].price``."""
    return "$" + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
