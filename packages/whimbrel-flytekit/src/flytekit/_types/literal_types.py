"""Literal types, as transformers speak of them. Data without protobuf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from flytekit._types.blobs import BlobType, EnumType


class SimpleType:
    """The scalars, by flytekit's numbers."""

    NONE = 0
    INTEGER = 1
    FLOAT = 2
    STRING = 3
    BOOLEAN = 4
    DATETIME = 5
    DURATION = 6
    BINARY = 7
    ERROR = 8
    STRUCT = 9


class _DatasetColumn(Struct):
    """A column of a table."""

    name: str
    literal_type: LiteralType


class _SchemaColumnType:
    INTEGER = 0
    FLOAT = 1
    STRING = 2
    BOOLEAN = 3
    DATETIME = 4
    DURATION = 5


class _SchemaColumn(Struct):
    """A column of an old schema; ``type`` is one of ``SchemaType.SchemaColumn.SchemaColumnType``."""

    SchemaColumnType = _SchemaColumnType

    name: str
    type: int


class SchemaType(Struct):
    """The type of a ``FlyteSchema``."""

    SchemaColumn = _SchemaColumn

    columns: Sequence[_SchemaColumn]


class StructuredDatasetType(Struct):
    """The type of a table."""

    DatasetColumn = _DatasetColumn

    columns: Sequence[_DatasetColumn] = ()
    format: str = ""
    external_schema_type: str | None = None
    external_schema_bytes: bytes | None = None


class UnionType(Struct):
    """One of several types."""

    variants: Sequence[LiteralType]


class LiteralType(Struct):
    """What a value may be: exactly one of the fields before ``metadata`` is set.

    ``metadata`` and ``structure`` are kept and change nothing; ``annotation`` neither.
    """

    simple: int | None = None
    schema: SchemaType | None = None
    collection_type: LiteralType | None = None
    map_value_type: LiteralType | None = None
    blob: BlobType | None = None
    enum_type: EnumType | None = None
    union_type: UnionType | None = None
    structured_dataset_type: StructuredDatasetType | None = None
    metadata: Mapping[str, Any] | None = None
    structure: Any = None
    annotation: Any = None
