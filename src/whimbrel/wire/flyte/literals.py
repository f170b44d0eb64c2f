"""Literals as ``flyteidl.core.Literal``, and back. Both directions are given the type, which says how to read a value.

Flyte's literals know less than ours. With ``exact`` what they have no field for (a time zone, the size of a file)
stands in the metadata of the literal, under names that begin with ``whimbrel.``; without it literals are flytekit's to
the letter. A constant in a binding is a bare scalar, which has no metadata: there it is always lost.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
from flyteidl.core import literals_pb2

from whimbrel.errors import InputInvalid
from whimbrel.model import codec
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import (
    ANY,
    NONE,
    BlobType,
    DatasetType,
    ListType,
    LiteralType,
    MapType,
    Simple,
    SimpleType,
    StructType,
    TupleType,
    UnionType,
)
from whimbrel.wire.flyte.types import FieldDefaults, encode_type, encode_variant
from whimbrel.wire.flyte.values import literal_of, value_of

_EPOCH = dt.datetime(1970, 1, 1)
_SECOND = dt.timedelta(seconds=1)
_MICROSECOND = dt.timedelta(microseconds=1)
MSGPACK = "msgpack"
"""The tag of structs."""
OWN = "whimbrel.literal"
"""The tag of literals that Flyte has nothing like: the model's own bytes."""
_LITERAL = codec.decoder(lit.Literal)

_ZONE, _NAIVE = "whimbrel.zone", "whimbrel.naive"
_SIZE, _PATH, _LENGTH = "whimbrel.size", "whimbrel.path", "whimbrel.length"
_COLUMNS = "whimbrel.columns"


def encode_literal(
    literal: lit.Literal, kind: LiteralType, defaults: FieldDefaults | None = None, *, exact: bool = False
) -> Any:
    """``literal``, a value of type ``kind``, as a ``Literal`` message. ``exact`` keeps what Flyte does not know."""
    message = literals_pb2.Literal()
    _encode(message, literal, kind, defaults or {}, exact)
    return message


def decode_literal(message: Any, kind: LiteralType) -> lit.Literal:
    """The literal in ``message``, read as ``kind``. Raises ``InputInvalid`` when it is no value of that type."""
    match message.WhichOneof("value"):
        case "collection":
            return _read_items(message.collection.literals, kind)
        case "map":
            value = kind.value if isinstance(kind, MapType) else ANY
            return lit.MapLiteral({key: decode_literal(item, value) for key, item in message.map.literals.items()})
        case "offloaded_metadata":
            return _read_reference(message)
        case "scalar":
            return _read_scalar(message.scalar, kind, message)
        case _:
            raise InputInvalid("a literal without a value; send one of the kinds that Flyte knows.")


def encode_literals(given: Mapping[str, lit.Literal], kinds: Mapping[str, LiteralType], *, exact: bool = False) -> Any:
    """A ``LiteralMap`` of ``given``, whose types are ``kinds``."""
    message = literals_pb2.LiteralMap()
    for name, literal in given.items():
        message.literals[name].CopyFrom(encode_literal(literal, kinds.get(name, ANY), exact=exact))
    return message


def decode_literals(message: Any, kinds: Mapping[str, LiteralType]) -> lit.Literals:
    """What a ``LiteralMap`` holds, in the order of ``kinds``. Raises ``InputInvalid``."""
    names = [*(name for name in kinds if name in message.literals), *sorted(set(message.literals) - set(kinds))]
    return {name: decode_literal(message.literals[name], kinds.get(name, ANY)) for name in names}


# --- out --------------------------------------------------------------------------------------------------------------


def _encode(message: Any, literal: lit.Literal, kind: LiteralType, defaults: FieldDefaults, exact: bool) -> None:
    match literal, kind:
        case lit.RefLiteral(), _:
            message.offloaded_metadata.uri = literal.uri
            message.offloaded_metadata.size_bytes = literal.size
            message.offloaded_metadata.inferred_type.CopyFrom(encode_type(kind, defaults))
            message.hash = literal.digest
            if literal.path:
                message.metadata[_PATH] = msgspec.json.encode(literal.path).decode()
            if literal.length >= 0:
                message.metadata[_LENGTH] = str(literal.length)
        case lit.ListLiteral(items=items), ListType(item=item):
            message.collection.SetInParent()
            for each in items:
                _encode(message.collection.literals.add(), each, item, defaults, exact)
        case lit.MapLiteral(items=fields), MapType(value=value):
            message.map.SetInParent()
            for key, each in fields.items():
                _encode(message.map.literals[key], each, value, defaults, exact)
        case lit.BlobLiteral(), BlobType():
            blob = message.scalar.blob
            blob.uri = literal.uri
            blob.metadata.type.format = literal.format or kind.format
            blob.metadata.type.dimensionality = int(literal.multipart)
            _describe(message, literal, exact)
        case lit.DatasetLiteral(), DatasetType():
            table = message.scalar.structured_dataset
            table.uri = literal.uri
            table.metadata.structured_dataset_type.CopyFrom(encode_type(kind, defaults).structured_dataset_type)
            table.metadata.structured_dataset_type.format = literal.format or kind.format
            if literal.columns and exact:
                message.metadata[_COLUMNS] = msgspec.json.encode(literal.columns).decode()
            _describe(message, literal, exact)
        case lit.DatetimeLiteral(value=value, zone=zone), SimpleType(simple=Simple.DATETIME):
            _set_moment(message.scalar.primitive.datetime, value)
            if zone and exact:
                message.metadata[_ZONE] = zone
            if value.tzinfo is None and exact:
                message.metadata[_NAIVE] = "true"
        case _:
            message.scalar.CopyFrom(encode_scalar(literal, kind, defaults, exact=exact))


def _describe(message: Any, literal: lit.BlobLiteral | lit.DatasetLiteral, exact: bool) -> None:
    if literal.digest:
        message.hash = literal.digest
    if literal.size >= 0 and exact:
        message.metadata[_SIZE] = str(literal.size)


def encode_scalar(
    literal: lit.Literal, kind: LiteralType, defaults: FieldDefaults | None = None, *, exact: bool = False
) -> Any:
    """``literal`` as a ``Scalar``, which has no place for what Flyte does not know but in the value of a union."""
    scalar = literals_pb2.Scalar()
    match literal, kind:
        case lit.NoneLiteral(), _:
            scalar.none_type.SetInParent()
        case lit.UnionLiteral(variant=variant, value=value), UnionType(variants=variants) if variant < len(variants):
            chosen = variants[variant]
            scalar.union.value.CopyFrom(encode_literal(value, chosen, defaults, exact=exact))
            scalar.union.type.CopyFrom(encode_variant(chosen, defaults))
        case lit.IntLiteral(value=value), SimpleType(simple=Simple.FLOAT):
            scalar.primitive.float_value = value
        case lit.IntLiteral(value=value), _:
            scalar.primitive.integer = value
        case lit.FloatLiteral(value=value), _:
            scalar.primitive.float_value = value
        case lit.StrLiteral(value=value), _:
            scalar.primitive.string_value = value
        case lit.BoolLiteral(value=value), _:
            scalar.primitive.boolean = value
        case lit.DateLiteral(value=value), SimpleType():
            _set_moment(scalar.primitive.datetime, dt.datetime(value.year, value.month, value.day))
        case lit.DatetimeLiteral(value=value), SimpleType():
            _set_moment(scalar.primitive.datetime, value)
        case lit.DurationLiteral(days=days, seconds=seconds, microseconds=microseconds), SimpleType():
            scalar.primitive.duration.FromTimedelta(dt.timedelta(days, seconds, microseconds))
        case (lit.BlobLiteral(), BlobType()) | (lit.DatasetLiteral(), DatasetType()):
            scalar.CopyFrom(encode_literal(literal, kind, defaults).scalar)
        case (lit.MapLiteral(), StructType()) if (value := value_of(literal, kind)) is not None:
            scalar.binary.value = msgspec.msgpack.encode(value)
            scalar.binary.tag = MSGPACK
        case _:
            # Bytes, big integers, tuples, values of no declared type: in the model's own form.
            scalar.binary.value = codec.encode(literal)
            scalar.binary.tag = OWN
    return scalar


def _set_moment(stamp: Any, value: dt.datetime) -> None:
    since = value.replace(tzinfo=None) - _EPOCH
    stamp.seconds = since // _SECOND
    stamp.nanos = since % _SECOND // _MICROSECOND * 1000


# --- in ---------------------------------------------------------------------------------------------------------------


def _read_items(items: Any, kind: LiteralType) -> lit.Literal:
    if isinstance(kind, TupleType):
        kinds = [*kind.items, *[ANY] * len(items)]
        return lit.ListLiteral(tuple(decode_literal(item, each) for item, each in zip(items, kinds, strict=False)))
    item_kind = kind.item if isinstance(kind, ListType) else ANY
    return lit.ListLiteral(tuple(decode_literal(item, item_kind) for item in items))


def _read_reference(message: Any) -> lit.Literal:
    path = msgspec.json.decode(message.metadata.get(_PATH, "[]"), type=tuple[str | int, ...])
    about = message.offloaded_metadata
    length = int(message.metadata.get(_LENGTH, "-1"))
    return lit.RefLiteral(about.uri, message.hash, about.size_bytes, path, length)


def _read_scalar(scalar: Any, kind: LiteralType, message: Any) -> lit.Literal:
    match scalar.WhichOneof("value"):
        case "none_type":
            return lit.NoneLiteral()
        case "primitive":
            return _read_primitive(scalar.primitive, kind, message)
        case "union":
            return _read_union(scalar.union, kind)
        case "binary" if scalar.binary.tag == MSGPACK:
            try:
                value = msgspec.msgpack.decode(scalar.binary.value)
            except msgspec.DecodeError as error:
                raise InputInvalid(f"a binary of tag {MSGPACK!r} cannot be read: {error}") from None
            return literal_of(value, kind)
        case "binary" if scalar.binary.tag == OWN:
            try:
                found: lit.Literal = _LITERAL.decode(scalar.binary.value)
            except msgspec.DecodeError as error:
                raise InputInvalid(f"a binary of tag {OWN!r} cannot be read: {error}") from None
            return found
        case "binary":
            return lit.BytesLiteral(scalar.binary.value, scalar.binary.tag)
        case "blob":
            about = scalar.blob.metadata.type
            size = int(message.metadata.get(_SIZE, "-1"))
            return lit.BlobLiteral(scalar.blob.uri, about.format, bool(about.dimensionality), message.hash, size)
        case "structured_dataset":
            table = scalar.structured_dataset
            columns = msgspec.json.decode(message.metadata.get(_COLUMNS, "[]"), type=tuple[str, ...])
            size = int(message.metadata.get(_SIZE, "-1"))
            return lit.DatasetLiteral(
                table.uri, table.metadata.structured_dataset_type.format, columns, message.hash, size
            )
        case other:
            raise InputInvalid(f"whimbrel has no literal like Flyte's {other or 'nothing'}; send another.")


def _read_primitive(primitive: Any, kind: LiteralType, message: Any) -> lit.Literal:
    match primitive.WhichOneof("value"):
        case "integer":
            return lit.IntLiteral(primitive.integer)
        case "float_value":
            return lit.FloatLiteral(primitive.float_value)
        case "string_value":
            return lit.StrLiteral(primitive.string_value)
        case "boolean":
            return lit.BoolLiteral(primitive.boolean)
        case "datetime":
            stamp = primitive.datetime
            moment = _EPOCH + dt.timedelta(seconds=stamp.seconds, microseconds=stamp.nanos // 1000)
            if kind == SimpleType(Simple.DATE):
                return lit.DateLiteral(moment.date())
            aware = moment if message.metadata.get(_NAIVE) else moment.replace(tzinfo=dt.UTC)
            return lit.DatetimeLiteral(aware, message.metadata.get(_ZONE, ""))
        case "duration":
            span = primitive.duration.ToTimedelta()
            return lit.DurationLiteral(span.days, span.seconds, span.microseconds)
        case _:
            raise InputInvalid("a primitive without a value; send one.")


def _read_union(union: Any, kind: LiteralType) -> lit.Literal:
    if not isinstance(kind, UnionType):
        return decode_literal(union.value, kind)
    same = [number for number, variant in enumerate(kind.variants) if encode_variant(variant) == union.type]
    tagged = [
        number
        for number, variant in enumerate(kind.variants)
        if encode_variant(variant).structure.tag == union.type.structure.tag
    ]
    found = same or tagged
    if not found:
        if NONE in kind.variants and union.value.scalar.HasField("none_type"):
            found = [kind.variants.index(NONE)]
        else:
            raise InputInvalid(f"a union's value of {union.type.structure.tag!r}, which is none of its types.")
    return lit.UnionLiteral(found[0], decode_literal(union.value, kind.variants[found[0]]))
