"""Values as transformers speak of them. Data without protobuf, but for
``Scalar.generic``, which is a ``google.protobuf.Struct`` (a dict is taken too).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from flytekit._types.blobs import BlobType
from flytekit._types.literal_types import LiteralType, SchemaType, StructuredDatasetType


def _only(said: Struct, names: Sequence[str]) -> Any:
    return next((value for name in names if (value := getattr(said, name)) is not None), None)


class Primitive(Struct):
    """A scalar; one field is set."""

    integer: int | None = None
    float_value: float | None = None
    string_value: str | None = None
    boolean: bool | None = None
    datetime: dt.datetime | None = None
    duration: dt.timedelta | None = None

    @property
    def value(self) -> Any:
        """The field that is set."""
        return _only(self, self.__struct_fields__)


class Void(Struct):
    """``None``."""


class Binary(Struct):
    """Bytes; ``tag`` says how they are encoded (``msgpack``)."""

    value: bytes
    tag: str


class BlobMetadata(Struct):
    """What a blob is."""

    type: BlobType


class Blob(Struct):
    """A file or a directory by URI, or by a local path: then it is taken into the blob store."""

    metadata: BlobMetadata
    uri: str


class Schema(Struct):
    """A table of the old kind, by URI or local path."""

    uri: str
    type: SchemaType


class StructuredDatasetMetadata(Struct):
    """What a table is."""

    structured_dataset_type: StructuredDatasetType | None = None


class StructuredDataset(Struct):
    """A table by URI or local path."""

    uri: str
    metadata: StructuredDatasetMetadata | None = None


class Union(Struct):
    """A value of a union, and which of its types it has."""

    value: Literal
    stored_type: LiteralType


class Scalar(Struct):
    """A value that is no collection; one field is set."""

    primitive: Primitive | None = None
    blob: Blob | None = None
    binary: Binary | None = None
    schema: Schema | None = None
    union: Union | None = None
    none_type: Void | None = None
    error: Any = None
    generic: Any = None
    structured_dataset: StructuredDataset | None = None

    @property
    def value(self) -> Any:
        """The field that is set."""
        return _only(self, self.__struct_fields__)


class LiteralCollection(Struct):
    """A list."""

    literals: Sequence[Literal]


class LiteralMap(Struct):
    """Values by name."""

    literals: Mapping[str, Literal]


class Literal(Struct):
    """A value: one of ``scalar``, ``collection`` and ``map`` is set.

    ``hash`` takes the place of the content in the keys of cached results. ``metadata`` is not kept.
    """

    scalar: Scalar | None = None
    collection: LiteralCollection | None = None
    map: LiteralMap | None = None
    hash: str | None = None
    metadata: Mapping[str, str] | None = None
    offloaded_metadata: Any = None

    @property
    def value(self) -> Any:
        """The field that is set."""
        return _only(self, ("scalar", "collection", "map"))

    def set_metadata(self, metadata: Mapping[str, str]) -> None:
        """Say something about the value."""
        self.metadata = metadata
