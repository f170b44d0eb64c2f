"""Literal types as ``flyteidl.core.LiteralType``, and back.

What flytekit gives for a type, this gives, so that a Flyte back end takes both for one. Flyte knows less: a day is a
DATETIME there, a tuple a STRUCT, a pickled class a blob. With ``exact`` the whole type rides along in an annotation
wherever reading it back would give another type; without it messages are flytekit's to the letter.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec
from flyteidl.core import types_pb2

from whimbrel.errors import InputInvalid
from whimbrel.model.literal_types import (
    ANY,
    DATE,
    DATETIME,
    STRING,
    BinaryType,
    BlobType,
    DatasetType,
    EnumType,
    ListType,
    LiteralType,
    MapType,
    Simple,
    SimpleType,
    StructType,
    TupleType,
    UnionType,
)
from whimbrel.wire.flyte.schema import as_schema, from_schema
from whimbrel.wire.flyte.structs import plain, set_struct

FieldDefaults: TypeAlias = Mapping[str, Mapping[str, Any]]
"""By the name of a struct type, what its optional fields are by default, as JSON. Defaults take no part in a type."""

ERROR = StructType("whimbrel.types.error.FlyteError", {"message": STRING, "failed_node_id": STRING})
"""What a failure node is told; Flyte has a simple type for it."""
PICKLE_FORMAT = "PythonPickle"
"""The blob format that flytekit gives to what it pickles."""
_ANNOTATION = "whimbrel"
"""The annotation that holds the whole type."""
_MSGPACK = {"cache-key-metadata": {"serialization-format": "msgpack"}}
"""What flytekit says of structs: that their literals are msgpack."""

_SIMPLE = {
    Simple.NONE: types_pb2.NONE,
    Simple.INTEGER: types_pb2.INTEGER,
    Simple.FLOAT: types_pb2.FLOAT,
    Simple.STRING: types_pb2.STRING,
    Simple.BOOLEAN: types_pb2.BOOLEAN,
    Simple.DATETIME: types_pb2.DATETIME,
    Simple.DATE: types_pb2.DATETIME,
    Simple.DURATION: types_pb2.DURATION,
}
_READ_SIMPLE = {number: simple for simple, number in _SIMPLE.items() if simple is not Simple.DATE}

# The names of flytekit's transformers, by which unions tell their variants apart.
_TAGS = {
    Simple.NONE: "none",
    Simple.INTEGER: "int",
    Simple.FLOAT: "float",
    Simple.STRING: "str",
    Simple.BOOLEAN: "bool",
    Simple.DATETIME: "datetime",
    Simple.DATE: "date",
    Simple.DURATION: "timedelta",
    Simple.BYTES: "FlytePickle",
}


def encode_type(kind: LiteralType, defaults: FieldDefaults | None = None, *, exact: bool = False) -> Any:
    """``kind`` as a ``LiteralType`` message. ``exact`` annotates what reading it back would lose."""
    message = _encode(kind, defaults or {})
    if exact and _read(message) != kind:
        # As text: the numbers of an annotation are doubles, which cannot tell 1 from 1.0.
        _annotate(message, {_ANNOTATION: msgspec.json.encode(kind).decode()})
    return message


def decode_type(message: Any) -> LiteralType:
    """The type in a message. Raises ``InputInvalid`` for one that whimbrel has nothing like."""
    if message.HasField("annotation"):
        annotations = plain(message.annotation.annotations)
        if _ANNOTATION in annotations:
            try:
                found: LiteralType = msgspec.json.decode(annotations[_ANNOTATION], type=LiteralType)
            except (msgspec.DecodeError, TypeError) as error:
                raise InputInvalid(f"the annotation {_ANNOTATION!r} of a type makes no sense: {error}") from None
            return found
    return _read(message)


def tag(kind: LiteralType) -> str:
    """What unions call a variant of this type."""
    match kind:
        case SimpleType(simple=simple):
            return _TAGS[simple]
        case EnumType(name=""):
            return "LiteralTypeTransformer"
        case EnumType():
            return "DefaultEnumTransformer"
        case ListType():
            return "Typed List"
        case TupleType():
            return "Tuple"
        case MapType() | StructType(fields=None):
            return "Typed Dict"
        case StructType() if kind == ERROR:
            return "FlyteError"
        case StructType():
            return "Object-Dataclass-Transformer"
        case BlobType(multipart=multipart):
            return "FlyteDirectory" if multipart else "FlyteFilePath"
        case DatasetType():
            return "StructuredDataset Transformer"
        case BinaryType():
            return "FlytePickle"
        case UnionType():
            return "Typed Union"


def encode_variant(kind: LiteralType, defaults: FieldDefaults | None = None) -> Any:
    """``kind`` as a variant of a union: with its tag."""
    message = _encode(kind, defaults or {})
    # A structure has either, and flytekit's has the tag.
    message.structure.CopyFrom(types_pb2.TypeStructure(tag=tag(kind)))
    return message


def _encode(kind: LiteralType, defaults: FieldDefaults) -> Any:
    message = types_pb2.LiteralType()
    match kind:
        case SimpleType(simple=Simple.BYTES):
            _encode_pickle(message, "bytes")
        case SimpleType(simple=simple):
            message.simple = _SIMPLE[simple]
        case EnumType(values=values, name=""):
            message.simple = _SIMPLE[_of_values(values)]
            _annotate(message, {"literal_values": list(values)})
        case EnumType(values=values):
            message.enum_type.values.extend(str(value) for value in values)
        case ListType(item=item):
            message.collection_type.CopyFrom(_encode(item, defaults))
        case MapType(value=value):
            message.map_value_type.CopyFrom(_encode(value, defaults))
        case StructType(name="any", fields=None):
            _encode_pickle(message, "typing.Any")
        case StructType() if kind == ERROR:
            message.simple = types_pb2.ERROR
        case StructType() | TupleType():
            _encode_struct(message, kind, defaults)
        case UnionType(variants=variants):
            message.union_type.variants.extend(encode_variant(variant, defaults) for variant in variants)
        case BlobType(format=format_, multipart=multipart):
            message.blob.format = format_
            message.blob.dimensionality = int(multipart)
        case DatasetType(columns=columns, format=format_):
            message.structured_dataset_type.format = format_
            for name, column in columns.items():
                message.structured_dataset_type.columns.add(name=name, literal_type=_encode(column, defaults))
        case BinaryType(name=name):
            _encode_pickle(message, f"<class '{name}'>" if name else "")
    return message


def _encode_pickle(message: Any, name: str) -> None:
    message.blob.format = PICKLE_FORMAT
    if name:
        set_struct(message.metadata, {"python_class_name": "<class 'bytes'>" if name == "bytes" else name})


def _encode_struct(message: Any, kind: StructType | TupleType, defaults: FieldDefaults) -> None:
    message.simple = types_pb2.STRUCT
    _annotate(message, _MSGPACK)
    if isinstance(kind, StructType) and kind.fields is not None:
        set_struct(message.metadata, as_schema(kind, defaults))
        for name, field in kind.fields.items():
            message.structure.dataclass_type[name].CopyFrom(_encode(field, defaults))


def _annotate(message: Any, annotations: dict[str, Any]) -> None:
    known = plain(message.annotation.annotations)
    set_struct(message.annotation.annotations, {**known, **annotations})


def _of_values(values: tuple[str | int | bool | float | None, ...]) -> Simple:
    if all(isinstance(value, bool) for value in values):
        return Simple.BOOLEAN
    if all(isinstance(value, int) for value in values):
        return Simple.INTEGER
    return Simple.FLOAT if all(isinstance(value, float) for value in values) else Simple.STRING


def _read(message: Any) -> LiteralType:
    match message.WhichOneof("type"):
        case "simple":
            return _read_simple(message)
        case "collection_type":
            return ListType(decode_type(message.collection_type))
        case "map_value_type":
            return MapType(decode_type(message.map_value_type))
        case "union_type":
            return UnionType(tuple(decode_type(variant) for variant in message.union_type.variants))
        case "enum_type":
            return EnumType(tuple(message.enum_type.values), "enum")
        case "blob" if message.blob.format == PICKLE_FORMAT:
            return _read_pickle(message)
        case "blob":
            return BlobType(message.blob.format, message.blob.dimensionality == types_pb2.BlobType.MULTIPART)
        case "structured_dataset_type":
            table = message.structured_dataset_type
            return DatasetType(
                {column.name: decode_type(column.literal_type) for column in table.columns}, table.format
            )
        case other:
            raise InputInvalid(f"whimbrel has no type like Flyte's {other or 'nothing'}; declare it otherwise.")


def _read_simple(message: Any) -> LiteralType:
    simple = message.simple
    if simple == types_pb2.STRUCT:
        return _read_struct(message)
    if simple == types_pb2.ERROR:
        return ERROR
    if simple not in _READ_SIMPLE:
        raise InputInvalid(f"whimbrel has no type like Flyte's {types_pb2.SimpleType.Name(simple)}; use another.")
    values = plain(message.annotation.annotations).get("literal_values")
    if values is not None:
        whole = _READ_SIMPLE[simple] is Simple.INTEGER
        return EnumType(tuple(int(value) if whole else value for value in values))
    if message.structure.tag == _TAGS[Simple.DATE]:
        return DATE
    return SimpleType(_READ_SIMPLE[simple])


def _read_struct(message: Any) -> LiteralType:
    schema = plain(message.metadata)
    fields = message.structure.dataclass_type
    if not fields:
        return from_schema(schema) if schema.get("properties") is not None else StructType()
    # The fields without a default come first in a dataclass, in the order in which they are required.
    required = [name for name in schema.get("required", []) if name in fields]
    optional = tuple(sorted(name for name in fields if name not in required))
    properties = schema.get("properties", {})
    kinds = {name: _refined(decode_type(fields[name]), properties.get(name, {})) for name in (*required, *optional)}
    return StructType(str(schema.get("title", "")), kinds, optional)


def _refined(kind: LiteralType, schema: dict[str, Any]) -> LiteralType:
    """A day among the moments: the schema tells them apart."""
    return DATE if kind == DATETIME and from_schema(schema) == DATE else kind


def _read_pickle(message: Any) -> LiteralType:
    name = str(plain(message.metadata).get("python_class_name", ""))
    if name == "typing.Any":
        return ANY
    if name == "<class 'bytes'>":
        return SimpleType(Simple.BYTES)
    return BinaryType("pickle", name.removeprefix("<class '").removesuffix("'>"))
