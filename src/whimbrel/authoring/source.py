"""The author's lines: where a call stands, where a function begins.

Knows frames and source files, and of the nouns ``SourceLine`` alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import lru_cache
from types import FrameType
from typing import Any

from whimbrel.model.program import SourceLine

# Frames of these packages are never the author's: ours, and the compat names that are thin layers over ours.
_OWN = frozenset({"whimbrel", "flytekit", "union"})

# How far a ``def`` is looked for below the first decorator of its function.
_DECORATOR_LINES = 60


def caller_position() -> tuple[str, int]:
    """File and line of the innermost frame that is the author's; ``("", 0)`` if there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__") or ""
        if name.partition(".")[0] not in _OWN:
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return "", 0


def caller_module() -> str:
    """The module of the innermost frame that is the author's, ``__main__`` if there is none."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_globals.get("__name__") or ""
        if name.partition(".")[0] not in _OWN:
            return name
        frame = frame.f_back
    return "__main__"


def caller_line() -> SourceLine:
    """The author's line that is running now, with its text."""
    return line_at(*caller_position())


@lru_cache(maxsize=4096)
def line_at(file: str, line: int) -> SourceLine:
    """The line at a position; its text is "" where the file cannot be read."""
    import linecache  # pulls tokenize in: only needed once something is compiled or wrong

    return SourceLine(file, line, linecache.getline(file, line).strip())


def exception_position(error: BaseException) -> tuple[str, int]:
    """File and line of the author's innermost frame that ``error`` came through; ``("", 0)`` if there is none."""
    found = ("", 0)
    traceback = error.__traceback__
    while traceback is not None:
        frame = traceback.tb_frame
        if (frame.f_globals.get("__name__") or "").partition(".")[0] not in _OWN:
            found = (frame.f_code.co_filename, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found


def innermost(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function that decorators made with ``functools.wraps`` stand around."""
    return wrapped_chain(fn)[-1]


def wrapped_chain(fn: Callable[..., Any]) -> list[Callable[..., Any]]:
    """``fn`` and what it wraps, outermost first. Ends at the first function that wraps nothing."""
    chain = [fn]
    seen = {id(fn)}
    while callable(inner := getattr(chain[-1], "__wrapped__", None)) and id(inner) not in seen:
        chain.append(inner)
        seen.add(id(inner))
    return chain


def function_line(fn: Callable[..., Any]) -> SourceLine:
    """The ``def`` line of the innermost function of ``fn``; its first line where that cannot be read."""
    code = getattr(innermost(fn), "__code__", None)
    if code is None:
        return SourceLine("", 0)
    first = line_at(code.co_filename, code.co_firstlineno)
    line = first
    # With decorators the first line is theirs; the function's own comes soon after, if the source can be read.
    while line.text and not line.text.startswith(("def ", "async def ")) and line.line < first.line + _DECORATOR_LINES:
        line = line_at(code.co_filename, line.line + 1)
    return line if line.text.startswith(("def ", "async def ")) else first
