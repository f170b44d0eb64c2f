"""What a value may be, in the engine's terms: a closed, tagged union that mirrors Flyte's ``LiteralType``.

Python types never appear here: ``types/`` maps them to these. Struct types carry their fields, so that edges and
attribute access are checked when a workflow is compiled.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, TypeAlias

from msgspec import Struct


class Simple(StrEnum):
    """The scalars. ``DATE`` is a calendar day; on Flyte's wire it is a DATETIME at midnight."""

    NONE = "none"
    INTEGER = "integer"
    FLOAT = "float"
    STRING = "string"
    BOOLEAN = "boolean"
    DATETIME = "datetime"
    DATE = "date"
    DURATION = "duration"
    BYTES = "bytes"


class SimpleType(Struct, frozen=True, gc=False, tag="simple"):
    """A scalar."""

    simple: Simple


class EnumType(Struct, frozen=True, gc=False, tag="enum"):
    """One of a closed set of values: an ``Enum`` (its values) or a ``typing.Literal`` (``name`` is then empty)."""

    values: tuple[str | int | bool | float | None, ...]
    name: str = ""


class ListType(Struct, frozen=True, gc=False, tag="list"):
    """A homogeneous sequence."""

    item: LiteralType


class TupleType(Struct, frozen=True, gc=False, tag="tuple"):
    """A fixed-length sequence; ``names`` are set for a named tuple."""

    items: tuple[LiteralType, ...]
    names: tuple[str, ...] = ()


class MapType(Struct, frozen=True, gc=False, tag="map"):
    """A mapping from strings to values of one type."""

    value: LiteralType


class StructType(Struct, frozen=True, gc=False, tag="struct"):
    """Named fields (a dataclass, a pydantic model), or any JSON-like mapping when ``fields`` is ``None``.

    ``name`` is ``module.QualName`` of the Python class and takes no part in assignability. ``optional`` lists the
    fields that have a default.
    """

    name: str = ""
    fields: dict[str, LiteralType] | None = None
    optional: tuple[str, ...] = ()


class UnionType(Struct, frozen=True, gc=False, tag="union"):
    """One of several types, tried in order."""

    variants: tuple[LiteralType, ...]


class BlobType(Struct, frozen=True, gc=False, tag="blob"):
    """A file (``multipart=False``) or a directory, by reference. ``format`` is "" for any."""

    format: str = ""
    multipart: bool = False


class DatasetType(Struct, frozen=True, gc=False, tag="dataset"):
    """A structured dataset by reference: ``columns`` in order, empty for any."""

    columns: dict[str, LiteralType] = {}
    format: str = ""


class BinaryType(Struct, frozen=True, gc=False, tag="binary"):
    """Opaque bytes in a named encoding, such as ``pickle``; ``name`` is the Python type."""

    encoding: str
    name: str = ""


LiteralType: TypeAlias = (
    SimpleType
    | EnumType
    | ListType
    | TupleType
    | MapType
    | StructType
    | UnionType
    | BlobType
    | DatasetType
    | BinaryType
)

NONE = SimpleType(Simple.NONE)
INTEGER = SimpleType(Simple.INTEGER)
FLOAT = SimpleType(Simple.FLOAT)
STRING = SimpleType(Simple.STRING)
BOOLEAN = SimpleType(Simple.BOOLEAN)
DATETIME = SimpleType(Simple.DATETIME)
DATE = SimpleType(Simple.DATE)
DURATION = SimpleType(Simple.DURATION)
BYTES = SimpleType(Simple.BYTES)
ANY = StructType("any")
"""A JSON-like value of which nothing more is known: an item of a bare ``list``, a value in a bare ``dict``. Whether
it fits is checked when the value is there."""


def describe(kind: LiteralType) -> str:
    """``kind`` as a person would write it: ``list[int]``, ``str | None``, ``Point``."""
    match kind:
        case SimpleType(simple=simple):
            return _PYTHON_NAMES[simple]
        case EnumType(values=values, name=name):
            return name.rpartition(".")[2] or f"Literal[{', '.join(repr(value) for value in values)}]"
        case ListType(item=item):
            return f"list[{describe(item)}]"
        case TupleType(items=items):
            return f"tuple[{', '.join(describe(item) for item in items)}]"
        case MapType(value=value):
            return f"dict[str, {describe(value)}]"
        case StructType(name=name, fields=fields):
            return name.rpartition(".")[2] or ("dict" if fields is None else "struct")
        case UnionType(variants=variants):
            return " | ".join(describe(variant) for variant in variants)
        case BlobType(format=format_, multipart=multipart):
            return ("directory" if multipart else "file") + (f"[{format_}]" if format_ else "")
        case DatasetType():
            return "dataset"
        case BinaryType(encoding=encoding, name=name):
            return name.rpartition(".")[2] or encoding


_PYTHON_NAMES: dict[Simple, str] = {
    Simple.NONE: "None",
    Simple.INTEGER: "int",
    Simple.FLOAT: "float",
    Simple.STRING: "str",
    Simple.BOOLEAN: "bool",
    Simple.DATETIME: "datetime",
    Simple.DATE: "date",
    Simple.DURATION: "timedelta",
    Simple.BYTES: "bytes",
}


def attribute(kind: LiteralType, step: str | int) -> LiteralType | None:
    """The type at one step into a value of ``kind``; ``None`` if there is no such step.

    Raises nothing: what is inside an open struct may be anything.
    """
    match kind, step:
        case StructType(name="any", fields=None), _:
            return ANY
        case StructType(fields=None), str():
            return ANY
        case StructType(fields=dict() as fields), str():
            return fields.get(step)
        case MapType(value=value), str():
            return value
        case ListType(item=item), int():
            return item
        case TupleType(items=items), int():
            return items[step] if -len(items) <= step < len(items) else None
        case TupleType(items=items, names=names), str():
            return items[names.index(step)] if step in names else None
        case UnionType(variants=variants), _:
            found = [inner for variant in variants if (inner := attribute(variant, step)) is not None]
            return found[0] if len(found) == 1 else (UnionType(tuple(found)) if found else None)
        case _:
            return None


def holds_files(kind: LiteralType) -> bool:
    """Whether a value of ``kind`` may have files, directories or datasets in it."""
    match kind:
        case BlobType() | DatasetType():
            return True
        case ListType(item=inner) | MapType(value=inner):
            return holds_files(inner)
        case TupleType(items=parts) | UnionType(variants=parts):
            return any(map(holds_files, parts))
        case StructType(fields=dict() as fields):
            return any(map(holds_files, fields.values()))
        case _:
            return False


def assignable(source: Any, target: Any) -> bool:
    """Whether every value of ``source`` may go where ``target`` is declared.

    An int goes where a float is wanted, a value goes into a union that has its type, a struct goes where its fields go.
    """
    if source in (target, ANY) or target == ANY:
        return True
    if isinstance(source, UnionType):
        return all(assignable(variant, target) for variant in source.variants)
    if isinstance(target, UnionType):
        return any(assignable(source, variant) for variant in target.variants)
    match source, target:
        case SimpleType(simple=Simple.INTEGER), SimpleType(simple=Simple.FLOAT):
            return True
        case EnumType(values=values), SimpleType(simple=simple):
            return all(_kind_of(value) == simple for value in values)
        case SimpleType(simple=Simple.STRING), EnumType(name=name):
            return bool(name)
        case EnumType(values=values), EnumType(values=wanted):
            return all(value in wanted for value in values)
        case ListType(item=item), ListType(item=wanted):
            return assignable(item, wanted)
        case TupleType(items=items), TupleType(items=wanted):
            return len(items) == len(wanted) and all(map(assignable, items, wanted))
        case MapType(value=value), MapType(value=wanted):
            return assignable(value, wanted)
        case MapType(), StructType(fields=None):
            return True
        case StructType(), StructType(fields=None):
            return True
        case StructType(fields=None), StructType():
            return True
        case StructType(fields=dict() as fields), StructType(fields=dict() as wanted, optional=optional):
            return all(
                (name in fields and assignable(fields[name], kind)) or (name not in fields and name in optional)
                for name, kind in wanted.items()
            )
        case BlobType(), BlobType(format=format_, multipart=multipart):
            return source.multipart == multipart and (not format_ or not source.format or source.format == format_)
        case DatasetType(columns=columns), DatasetType(columns=wanted):
            return not wanted or not columns or all(columns.get(name) == kind for name, kind in wanted.items())
        case BinaryType(), BinaryType(name=""):
            return True
        case _:
            return False


def _kind_of(value: object) -> Simple:
    if value is None:
        return Simple.NONE
    if isinstance(value, bool):
        return Simple.BOOLEAN
    if isinstance(value, int):
        return Simple.INTEGER
    return Simple.FLOAT if isinstance(value, float) else Simple.STRING
