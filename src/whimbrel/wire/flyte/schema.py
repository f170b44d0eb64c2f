"""Struct types as JSON Schema, as flytekit writes it into the metadata of a type. Pure: no protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whimbrel.model.literal_types import (
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

_SIMPLE: dict[Simple, dict[str, Any]] = {
    Simple.NONE: {"type": "null"},
    Simple.INTEGER: {"type": "integer"},
    Simple.FLOAT: {"type": "number"},
    Simple.STRING: {"type": "string"},
    Simple.BOOLEAN: {"type": "boolean"},
    Simple.DATETIME: {"type": "string", "format": "date-time"},
    Simple.DATE: {"type": "string", "format": "date"},
    Simple.DURATION: {"type": "number", "format": "time-delta"},
    Simple.BYTES: {"type": "string", "format": "base64"},
}
_STRING = {"type": "string"}
_MAYBE = [_STRING, {"type": "null"}]
_PATH = {"default": None, "anyOf": [_STRING, {"type": "string", "format": "path"}]}


def as_schema(kind: LiteralType, defaults: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """``kind`` as JSON Schema. ``defaults`` are those of fields, by the name of the struct type."""
    match kind:
        case SimpleType(simple=simple):
            return dict(_SIMPLE[simple])
        case EnumType(values=values):
            return {"enum": list(values)}
        case ListType(item=item):
            return {"type": "array", "items": as_schema(item, defaults)}
        case TupleType(items=items):
            count = len(items)
            return {
                "type": "array",
                "minItems": count,
                "maxItems": count,
                "prefixItems": [as_schema(item, defaults) for item in items],
            }
        case MapType(value=value):
            return {
                "type": "object",
                "additionalProperties": as_schema(value, defaults),
                "propertyNames": _STRING,
            }
        case StructType(name="any", fields=None):
            return {}
        case StructType(fields=None):
            return {"type": "object"}
        case StructType(name=name, fields=dict() as fields, optional=optional):
            return _struct(name, fields, optional, defaults)
        case UnionType(variants=variants):
            return {"anyOf": [as_schema(variant, defaults) for variant in variants]}
        case BlobType(multipart=True):
            return _closed("FlyteDirectory", {"path": _PATH})
        case BlobType():
            table = {"type": "object", "additionalProperties": _STRING, "propertyNames": _STRING}
            metadata = {"default": None, "anyOf": [table, {"type": "null"}]}
            return _closed("FlyteFile", {"path": _PATH, "metadata": metadata})
        case DatasetType():
            return _closed(
                "StructuredDataset",
                {"uri": {"default": None, "anyOf": _MAYBE}, "file_format": {"default": "", "anyOf": _MAYBE}},
            )
        case BinaryType() | StructType():
            return {}


def _struct(
    name: str, fields: Mapping[str, LiteralType], optional: tuple[str, ...], defaults: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    known = defaults.get(name, {})
    properties = {}
    for field, kind in fields.items():
        properties[field] = as_schema(kind, defaults)
        if field in known:
            properties[field]["default"] = known[field]
    schema = _closed(name.rpartition(".")[2], properties)
    required = [field for field in fields if field not in optional]
    return {**schema, "required": required} if required else schema


def _closed(title: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "title": title, "properties": properties, "additionalProperties": False}
