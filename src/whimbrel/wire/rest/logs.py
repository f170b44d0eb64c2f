"""Logs by line. Moments are ISO 8601 in UTC. Lines are counted from 0, in the order in which they were begun.

Knows: JSON. Must not know: how chunks become lines.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class TextQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose lines: of ``node`` and what is inside it, of one ``attempt`` (0: of all), of some ``streams`` (of
    ``stdout``, ``stderr``, ``log``) and ``levels``, each separated by commas ("": of all)."""

    node: str = ""
    attempt: Annotated[int, Meta(ge=0)] = 0
    streams: str = ""
    levels: str = ""


class LinesQuery(TextQuery, frozen=True, forbid_unknown_fields=True):
    """Which lines: ``limit`` from the line ``first`` on; a negative ``first`` counts from the end. Lines of more than
    4,000 characters are cut, unless they are wanted ``whole``. As a stream: the last ``limit``, and those that come."""

    first: int = 0
    limit: Annotated[int, Meta(ge=1, le=2_000)] = 500
    whole: bool = False


class FindQuery(TextQuery, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which lines from the line ``first`` on have ``text``; upper and lower case are the same unless ``case``."""

    text: Annotated[str, Meta(min_length=1, max_length=1_000)]
    case: bool = False
    first: Annotated[int, Meta(ge=0)] = 0


class WrittenLine(Struct, frozen=True):
    """A line that an attempt wrote; ``cut`` when there is more of it than ``text``."""

    number: int
    node: str
    attempt: int
    stream: str
    level: str
    at: str | None
    text: str
    cut: bool


class WrittenLines(Struct, frozen=True):
    """Some lines of ``total``; what attempts, streams and levels there are at all."""

    total: int
    lines: list[WrittenLine]
    attempts: list[int]
    streams: list[str]
    levels: list[str]


class FoundLines(Struct, frozen=True):
    """Numbers of lines, 10,000 at most. Those before ``until`` were looked at; ask again from there unless ``done``."""

    lines: list[int]
    until: int
    done: bool
