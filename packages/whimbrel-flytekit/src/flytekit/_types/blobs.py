"""The types of files and of closed sets, as transformers speak of them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct


class BlobDimensionality:
    """Whether a blob is one file or a directory."""

    SINGLE = 0
    MULTIPART = 1


class BlobType(Struct):
    """A file or a directory: ``format`` is free, ``dimensionality`` one of ``BlobType.BlobDimensionality``."""

    BlobDimensionality = BlobDimensionality

    format: str
    dimensionality: int


class EnumType(Struct):
    """One of ``values``."""

    values: Sequence[str]
