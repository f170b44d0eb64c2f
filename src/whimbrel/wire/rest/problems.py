"""Errors as answers: RFC 9457, `application/problem+json`.

Knows: nothing but the shape. Must not know: which error has which status.
"""

from __future__ import annotations

from msgspec import Struct

MEDIA_TYPE = "application/problem+json"
PREFIX = "urn:whimbrel:problem:"
"""Before the name of the error, in ``type``."""


class ProblemLine(Struct, frozen=True, omit_defaults=True):
    """One thing wrong with a program: what, what to do, and the author's line ("" and 0 where none is to blame)."""

    message: str
    remedy: str = ""
    file: str = ""
    line: int = 0


class Problem(Struct, frozen=True, omit_defaults=True):
    """What went wrong with a request. ``type`` is the name of the error after ``PREFIX``; ``detail`` says what to do.

    ``problems`` lists everything that is wrong with a program, where one was sent.
    """

    type: str
    title: str
    status: int
    detail: str = ""
    problems: tuple[ProblemLine, ...] = ()
