"""Documentation of entities as data, beside what their docstrings say."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, ClassVar

from msgspec import Struct


class _Format(IntEnum):
    """How a description is written."""

    UNKNOWN = 0
    MARKDOWN = 1
    HTML = 2
    RST = 3


class Description(Struct, frozen=True):
    """A long description: as text, or where it stands."""

    value: str | None = None
    uri: str | None = None
    icon_link: str | None = None
    format: _Format = _Format.RST

    DescriptionFormat: ClassVar[type[_Format]] = _Format


class SourceCode(Struct, frozen=True):
    """Where the source code stands."""

    link: str | None = None


class Documentation(Struct, frozen=True):
    """What an entity is for."""

    short_description: str | None = None
    long_description: Description | None = None
    source_code: SourceCode | None = None


def documentation(docs: Any) -> str:
    """The text of what an option ``docs`` says: a text, a ``Documentation``, or an object with its attributes."""
    if docs is None or isinstance(docs, str):
        return docs or ""
    long = getattr(docs, "long_description", None)
    return getattr(docs, "short_description", None) or getattr(long, "value", None) or ""
