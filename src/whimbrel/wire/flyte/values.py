"""What is inside a struct's msgpack: literals as plain values, by their types, and back. Pure: no protobuf.

Plain values are those that flytekit's dataclasses have there: a day and a moment are ISO text, a span is seconds, a
file ``{"path": uri}``, a value of a union is the value alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, TypeVar

from whimbrel.errors import InputInvalid
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import (
    ANY,
    BlobType,
    DatasetType,
    EnumType,
    ListType,
    LiteralType,
    MapType,
    Simple,
    SimpleType,
    StructType,
    UnionType,
)

T = TypeVar("T")


class _Strange(Exception):
    """The value is not one that its plain form tells again."""


def value_of(literal: lit.Literal, kind: LiteralType) -> Any:
    """The plain value; ``None`` for one that could not be told again from it."""
    try:
        value = _value(literal, kind)
        return value if literal_of(value, kind) == literal else None
    except (_Strange, InputInvalid):
        return None


def _value(literal: lit.Literal, kind: LiteralType) -> Any:
    match literal, kind:
        case lit.UnionLiteral(variant=variant, value=value), UnionType(variants=variants) if variant < len(variants):
            return _value(value, variants[variant])
        case lit.NoneLiteral(), _:
            return None
        case lit.IntLiteral(value=value) | lit.FloatLiteral(value=value) | lit.StrLiteral(value=value), _:
            return value
        case lit.BoolLiteral(value=value), _:
            return value
        case lit.DateLiteral(value=value), _:
            return value.isoformat()
        case lit.DatetimeLiteral(value=value, zone=""), _:
            return value.isoformat()
        case lit.DurationLiteral(), _:
            return dt.timedelta(literal.days, literal.seconds, literal.microseconds).total_seconds()
        case lit.ListLiteral(items=items), ListType(item=item):
            return [_value(each, item) for each in items]
        case lit.ListLiteral(items=items), StructType(fields=None):
            return [_value(each, ANY) for each in items]
        case lit.MapLiteral(items=fields), MapType(value=value):
            return {key: _value(each, value) for key, each in fields.items()}
        case lit.MapLiteral(items=fields), StructType(fields=kinds):
            return {key: _value(each, (kinds or {}).get(key, ANY)) for key, each in fields.items()}
        case lit.BlobLiteral(uri=uri, digest="", size=-1), _:
            return {"path": uri}
        case lit.DatasetLiteral(uri=uri, format=format_, columns=(), digest="", size=-1), _:
            return {"uri": uri, "file_format": format_}
        case _:
            raise _Strange


def literal_of(value: Any, kind: LiteralType) -> lit.Literal:
    """The literal of a plain value, read as ``kind``. Raises ``InputInvalid``."""
    match value, kind:
        case _, UnionType(variants=variants):
            for number, variant in enumerate(variants):
                try:
                    return lit.UnionLiteral(number, literal_of(value, variant))
                except InputInvalid:
                    continue
            raise InputInvalid(f"{value!r} in a struct is of none of the types of its field.")
        case None, EnumType(values=values) if None in values:
            return lit.NoneLiteral()
        case None, SimpleType(simple=Simple.NONE) | StructType(name="any", fields=None):
            return lit.NoneLiteral()
        case str(), SimpleType(simple=Simple.DATE):
            return lit.DateLiteral(_parsed(dt.date.fromisoformat, value))
        case str(), SimpleType(simple=Simple.DATETIME):
            return _moment(_parsed(dt.datetime.fromisoformat, value))
        case int() | float(), SimpleType(simple=Simple.DURATION):
            span = dt.timedelta(seconds=value)
            return lit.DurationLiteral(span.days, span.seconds, span.microseconds)
        case bool(), SimpleType(simple=Simple.BOOLEAN) | EnumType() | StructType(fields=None):
            return lit.BoolLiteral(value)
        case int(), SimpleType(simple=Simple.FLOAT) if not isinstance(value, bool):
            return lit.FloatLiteral(float(value))
        case int(), SimpleType(simple=Simple.INTEGER) | EnumType() | StructType(fields=None):
            return lit.IntLiteral(int(value))
        case float(), SimpleType(simple=Simple.FLOAT) | EnumType() | StructType(fields=None):
            return lit.FloatLiteral(value)
        case str(), SimpleType(simple=Simple.STRING) | EnumType() | StructType(fields=None):
            return lit.StrLiteral(value)
        case list(), ListType(item=item):
            return lit.ListLiteral(tuple(literal_of(each, item) for each in value))
        case list(), StructType(fields=None):
            return lit.ListLiteral(tuple(literal_of(each, ANY) for each in value))
        case {"path": str(path)}, BlobType(format=format_, multipart=multipart):
            return lit.BlobLiteral(path, format_, multipart)
        case {"uri": str(uri)}, DatasetType():
            return lit.DatasetLiteral(uri, str(value.get("file_format") or ""))
        case dict(), MapType(value=item):
            return lit.MapLiteral({str(key): literal_of(each, item) for key, each in value.items()})
        case dict(), StructType(fields=fields):
            known = fields or {}
            return lit.MapLiteral({str(key): literal_of(each, known.get(key, ANY)) for key, each in value.items()})
        case _:
            raise InputInvalid(f"{value!r} in a struct is not what its field declares.")


def _parsed(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except ValueError:
        raise InputInvalid(f"{text!r} in a struct is no date or time in ISO 8601.") from None


def _moment(value: dt.datetime) -> lit.Literal:
    if value.tzinfo is None:
        return lit.DatetimeLiteral(value)
    # The model's moments are in UTC, beside the zone that they are shown in.
    offset = value.isoformat()[-6:] if value.utcoffset() else ""
    return lit.DatetimeLiteral(value.astimezone(dt.UTC), offset)
