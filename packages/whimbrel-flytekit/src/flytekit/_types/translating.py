"""flytekit's literals and literal types, and whimbrel's: what stands for what.

Knows: the data classes of both. Must not know: transformers, contexts.
"""

from __future__ import annotations

import base64
import datetime as dt
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flytekit._types import literals as theirs
from flytekit._types.blobs import BlobType, EnumType
from flytekit._types.literal_types import LiteralType, SimpleType, StructuredDatasetType, UnionType
from whimbrel.errors import UnsupportedType, UserError
from whimbrel.model import codec
from whimbrel.model import literal_types as types
from whimbrel.model import literals as lit
from whimbrel.types.held import HeldHashed
from whimbrel.types.json import decode_json, json_value
from whimbrel.types.mismatch import literal_mismatch, mismatch
from whimbrel.types.paths import is_uri
from whimbrel.types.registry import default_registry

_SIMPLE: dict[int, types.LiteralType] = {
    SimpleType.NONE: types.NONE,
    SimpleType.INTEGER: types.INTEGER,
    SimpleType.FLOAT: types.FLOAT,
    SimpleType.STRING: types.STRING,
    SimpleType.BOOLEAN: types.BOOLEAN,
    SimpleType.DATETIME: types.DATETIME,
    SimpleType.DURATION: types.DURATION,
    SimpleType.BINARY: types.BYTES,
    SimpleType.STRUCT: types.StructType(),
}
_NUMBERS = {kind: number for number, kind in _SIMPLE.items() if isinstance(kind, types.SimpleType)} | {
    types.DATE: SimpleType.DATETIME
}


# --- types ------------------------------------------------------------------------------------------------------------


def model_type(kind: Any) -> types.LiteralType:
    """whimbrel's type for one of flytekit's. Raises ``UnsupportedType`` for what is none."""
    if not isinstance(kind, LiteralType):
        raise UnsupportedType(
            f"get_literal_type() gave {kind!r}, which is no LiteralType; return one, such as "
            "LiteralType(simple=SimpleType.STRING)"
        )
    if kind.simple is not None and kind.simple in _SIMPLE:
        return _SIMPLE[kind.simple]
    if kind.blob is not None:
        return types.BlobType(kind.blob.format, kind.blob.dimensionality == BlobType.BlobDimensionality.MULTIPART)
    if kind.collection_type is not None:
        return types.ListType(model_type(kind.collection_type))
    if kind.map_value_type is not None:
        return types.MapType(model_type(kind.map_value_type))
    if kind.enum_type is not None:
        return types.EnumType(tuple(kind.enum_type.values))
    if kind.union_type is not None:
        return types.UnionType(tuple(model_type(variant) for variant in kind.union_type.variants))
    if kind.structured_dataset_type is not None:
        columns = {column.name: model_type(column.literal_type) for column in kind.structured_dataset_type.columns}
        return types.DatasetType(columns, kind.structured_dataset_type.format)
    if kind.schema is not None:
        return types.DatasetType()
    raise UnsupportedType(
        f"nothing here stands for {kind!r}; give LiteralType one of simple, blob, collection_type, map_value_type, "
        "enum_type, union_type and structured_dataset_type"
    )


def literal_type(kind: types.LiteralType) -> LiteralType:
    """flytekit's type for one of whimbrel's."""
    match kind:
        case types.SimpleType():
            return LiteralType(simple=_NUMBERS.get(kind, SimpleType.BINARY))
        case types.EnumType(values=values):
            return LiteralType(enum_type=EnumType([str(value) for value in values]))
        case types.ListType(item=item):
            return LiteralType(collection_type=literal_type(item))
        case types.MapType(value=value):
            return LiteralType(map_value_type=literal_type(value))
        case types.UnionType(variants=variants):
            return LiteralType(union_type=UnionType([literal_type(variant) for variant in variants]))
        case types.BlobType(format=format_, multipart=multipart):
            return LiteralType(blob=BlobType(format_, int(multipart)))
        case types.DatasetType(columns=columns, format=format_):
            said = [StructuredDatasetType.DatasetColumn(name, literal_type(column)) for name, column in columns.items()]
            return LiteralType(structured_dataset_type=StructuredDatasetType(said, format_))
        case types.StructType() | types.TupleType():
            return LiteralType(simple=SimpleType.STRUCT)
        case types.BinaryType():
            return LiteralType(simple=SimpleType.BINARY)


# --- values -----------------------------------------------------------------------------------------------------------


class Passed(theirs.Literal, eq=False):
    """A literal that was made from one of whimbrel's: handed back as it is, it is that one again, to the last bit."""

    origin: lit.Literal = lit.NoneLiteral()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, theirs.Literal) and (
            (self.scalar, self.collection, self.map) == (other.scalar, other.collection, other.map)
        )

    __hash__ = None  # type: ignore[assignment]  # like the class above: it can be changed


def model_literal(value: Any, kind: types.LiteralType) -> lit.Literal:
    """whimbrel's literal for one of flytekit's, which is to be of ``kind``. Raises ``ValueMismatch``."""
    if isinstance(value, Passed):
        return value.origin
    if not isinstance(value, theirs.Literal):
        raise mismatch("a Literal, from to_literal()", value)
    made = _model_literal(value, kind)
    if value.hash is None:
        return made
    return HeldHashed("", codec.digest(("hashed", value.hash)), 0, (), literal=made)


def _model_literal(value: theirs.Literal, kind: types.LiteralType) -> lit.Literal:
    if value.collection is not None:
        item = kind.item if isinstance(kind, types.ListType) else types.ANY
        return lit.ListLiteral(tuple([model_literal(each, item) for each in value.collection.literals]))
    if value.map is not None:
        item = kind.value if isinstance(kind, types.MapType) else types.ANY
        return lit.MapLiteral({name: model_literal(each, item) for name, each in value.map.literals.items()})
    scalar = value.scalar
    if scalar is None:
        raise mismatch("a Literal that holds something, from to_literal()", value)
    if scalar.primitive is not None:
        return _of_primitive(scalar.primitive.value)
    if scalar.none_type is not None:
        return lit.NoneLiteral()
    if scalar.blob is not None:
        said = scalar.blob.metadata.type
        multipart = said.dimensionality == BlobType.BlobDimensionality.MULTIPART
        return lit.BlobLiteral(_uri(scalar.blob.uri), said.format, multipart)
    if scalar.binary is not None:
        return lit.BytesLiteral(scalar.binary.value, scalar.binary.tag)
    if scalar.generic is not None:
        return _of_struct(scalar.generic)
    if scalar.union is not None:
        variants = kind.variants if isinstance(kind, types.UnionType) else ()
        stored = model_type(scalar.union.stored_type)
        inner = model_literal(scalar.union.value, stored)
        return lit.UnionLiteral(variants.index(stored), inner) if stored in variants else inner
    if scalar.structured_dataset is not None:
        meta = scalar.structured_dataset.metadata
        table = (meta.structured_dataset_type if meta else None) or StructuredDatasetType()
        columns = tuple(column.name for column in table.columns)
        return lit.DatasetLiteral(_uri(scalar.structured_dataset.uri), table.format, columns)
    if scalar.schema is not None:
        return lit.DatasetLiteral(_uri(scalar.schema.uri), "parquet")
    raise mismatch("a Scalar that holds something, from to_literal()", scalar)


def _of_primitive(value: Any) -> lit.Literal:
    if value is None:
        raise mismatch("a Primitive that holds something, from to_literal()", value)
    return default_registry().transformer(type(value)).encode(value)


def _uri(text: str | os.PathLike[str]) -> str:
    text = os.fspath(text)
    return text if is_uri(text) or text.startswith("file:") else Path(os.path.abspath(text)).as_uri()


def _of_struct(value: Any) -> lit.Literal:
    if isinstance(value, dict):
        return json_value(default_registry()).encode(value)
    made = default_registry().transformer(type(value)).encode(value)
    if not isinstance(made, lit.MapLiteral):
        raise mismatch("a google.protobuf.Struct or a dict, as Scalar.generic", value)
    return _whole(made)


def _whole(literal: lit.Literal) -> lit.Literal:
    """The numbers of a ``Struct`` are doubles: those without a fraction were integers, as protobuf's JSON has it."""
    match literal:
        case lit.FloatLiteral(value=value) if value.is_integer():
            return lit.IntLiteral(int(value)) if abs(value) < 2**63 else literal
        case lit.ListLiteral(items=items):
            return lit.ListLiteral(tuple([_whole(item) for item in items]))
        case lit.MapLiteral(items=fields):
            return lit.MapLiteral({name: _whole(item) for name, item in fields.items()})
        case _:
            return literal


def literal(value: lit.Literal, kind: types.LiteralType) -> theirs.Literal:
    """flytekit's literal for one of whimbrel's, which is of ``kind``. Raises ``ValueMismatch``."""
    if isinstance(value, HeldHashed):
        value = value.literal
    made = _literal(value, kind)
    return Passed(made.scalar, made.collection, made.map, origin=value)


def _literal(value: lit.Literal, kind: types.LiteralType) -> theirs.Literal:
    match value:
        case lit.UnionLiteral(variant=variant, value=inner):
            if not isinstance(kind, types.UnionType):
                return _literal(inner, kind)
            stored = kind.variants[variant]
            return _scalar(union=theirs.Union(literal(inner, stored), literal_type(stored)))
        case lit.ListLiteral(items=items) if not isinstance(kind, types.StructType):
            item = kind.item if isinstance(kind, types.ListType) else types.ANY
            return theirs.Literal(collection=theirs.LiteralCollection([literal(each, item) for each in items]))
        case lit.MapLiteral(items=fields) if isinstance(kind, types.MapType):
            said = {name: literal(each, kind.value) for name, each in fields.items()}
            return theirs.Literal(map=theirs.LiteralMap(said))
        case lit.MapLiteral():
            return _scalar(generic=_struct(_plain(value)))
        case lit.NoneLiteral():
            return _scalar(none_type=theirs.Void())
        case lit.BytesLiteral(value=data, encoding=encoding):
            return _scalar(binary=theirs.Binary(data, encoding))
        case lit.BlobLiteral(uri=uri, format=format_, multipart=multipart):
            return _scalar(blob=theirs.Blob(theirs.BlobMetadata(BlobType(format_, int(multipart))), uri))
        case lit.DatasetLiteral(uri=uri, format=format_):
            table = StructuredDatasetType(format=format_)
            return _scalar(structured_dataset=theirs.StructuredDataset(uri, theirs.StructuredDatasetMetadata(table)))
        case lit.ListLiteral() | lit.RefLiteral():
            raise literal_mismatch("a value that flytekit has a literal for", value)
        case _:
            return _scalar(primitive=_primitive(decode_json(value)))


def _scalar(**said: Any) -> theirs.Literal:
    return theirs.Literal(scalar=theirs.Scalar(**said))


def _primitive(value: Any) -> theirs.Primitive:
    fields: Sequence[tuple[type, str]] = (
        (bool, "boolean"),
        (int, "integer"),
        (float, "float_value"),
        (str, "string_value"),
        (dt.datetime, "datetime"),
        (dt.timedelta, "duration"),
    )
    if isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        value = dt.datetime(value.year, value.month, value.day)
    field = next(field for kind, field in fields if isinstance(value, kind))
    return theirs.Primitive(**{field: value})


def _plain(value: lit.Literal) -> Any:
    """What a ``Struct`` can hold of a value: files and tables by URI, moments and days as ISO 8601."""
    match value:
        case lit.MapLiteral(items=fields):
            return {name: _plain(item) for name, item in fields.items()}
        case lit.ListLiteral(items=items):
            return [_plain(item) for item in items]
        case lit.UnionLiteral(value=inner):
            return _plain(inner)
        case lit.BlobLiteral(uri=uri) | lit.DatasetLiteral(uri=uri):
            return uri
        case lit.DatetimeLiteral() | lit.DateLiteral():
            return decode_json(value).isoformat()
        case lit.DurationLiteral():
            return decode_json(value).total_seconds()
        case lit.BytesLiteral(value=data):
            return base64.b64encode(data).decode()
        case _:
            return decode_json(value)


def _struct(value: Any) -> Any:
    try:
        from google.protobuf.struct_pb2 import Struct  # few transformers need it, and it takes its time
    except ImportError:
        raise UserError(
            "a transformer is given Scalar.generic, which is a google.protobuf.Struct. "
            "Install protobuf: `pip install protobuf`."
        ) from None
    made = Struct()
    made.update(value)
    return made
