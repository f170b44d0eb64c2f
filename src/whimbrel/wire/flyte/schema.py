"""Struct types as JSON Schema, as flytekit writes it into the metadata of a type. Pure: no protobuf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from whimbrel.model.literal_types import (
    ANY,
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


# --- back -------------------------------------------------------------------------------------------------------------

_BY_TYPE = {
    ("null", ""): Simple.NONE,
    ("integer", ""): Simple.INTEGER,
    ("number", ""): Simple.FLOAT,
    ("string", ""): Simple.STRING,
    ("boolean", ""): Simple.BOOLEAN,
    ("string", "date-time"): Simple.DATETIME,
    ("string", "date"): Simple.DATE,
    ("number", "time-delta"): Simple.DURATION,
    ("string", "base64"): Simple.BYTES,
}
_KNOWN_TITLES: dict[str, LiteralType] = {
    "FlyteFile": BlobType(),
    "FlyteDirectory": BlobType(multipart=True),
    "StructuredDataset": DatasetType(),
}


def from_schema(schema: Mapping[str, Any]) -> LiteralType:
    """The type that a JSON Schema of ``as_schema`` or of flytekit describes; anything where it says nothing."""
    kind = (str(schema.get("type", "")), str(schema.get("format", "")))
    if "enum" in schema:
        return EnumType(tuple(schema["enum"]), "enum")
    if "anyOf" in schema:
        return UnionType(tuple(from_schema(each) for each in schema["anyOf"]))
    if kind in _BY_TYPE:
        return SimpleType(_BY_TYPE[kind])
    if kind[0] == "array":
        return ListType(from_schema(schema.get("items", {})))
    if kind[0] != "object":
        return ANY
    title = str(schema.get("title", ""))
    if title in _KNOWN_TITLES:
        return _KNOWN_TITLES[title]
    if "properties" in schema:
        # By name: a protobuf map has no order, and what is read twice must be the same.
        fields = {name: from_schema(each) for name, each in sorted(schema["properties"].items())}
        required = schema.get("required", [])
        return StructType(title, fields, tuple(name for name in fields if name not in required))
    values = schema.get("additionalProperties")
    return MapType(from_schema(values)) if isinstance(values, Mapping) else StructType()


def schema_defaults(schema: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The defaults of fields that a schema says, by the name of the struct."""
    found: dict[str, dict[str, Any]] = {}
    title = str(schema.get("title", ""))
    properties = schema.get("properties", {})
    if title not in _KNOWN_TITLES:
        said = {name: each["default"] for name, each in properties.items() if "default" in each}
        if said:
            found[title] = said
        parts = [*properties.values(), *schema.get("anyOf", [])]
        parts += [each for key in ("items", "additionalProperties") if isinstance(each := schema.get(key), Mapping)]
        for part in parts:
            found |= schema_defaults(part)
    return found
