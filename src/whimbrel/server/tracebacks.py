"""Failures as pages show them: the author's calls told apart from those of libraries, with the lines around them.

Knows: failures, what Python's tracebacks look like. Must not know: where code is kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from whimbrel.model.failure import Failure
from whimbrel.wire.rest.values import Frame, ShownFailure

Text = Callable[[str], str | None]
"""The text of a file of the author's; ``None`` where it is not here."""

AROUND = 3
"""Lines before and after."""
MESSAGE, TRACEBACK = 20_000, 64_000
"""Characters."""
_FRAMES = 60
_MEMBERS = 10
_DEEP = 6
_FAILURES = 60
"""Causes and members in all."""
_CALL = re.compile(r'  File "(.*)", line (\d{1,9}), in (.*)')
_NOT_OWN = re.compile(
    r"^<|(^|[/\\])(site-packages|dist-packages|whimbrel)[/\\]|[/\\]lib(64)?[/\\]python3[^/\\]*[/\\]|[/\\]Lib[/\\]"
)


def shown_failure(failure: Failure, text_of: Text) -> ShownFailure:
    """``failure`` with the frames of its traceback, and what led to it."""
    return _shown(failure, text_of, 0, iter(range(1, _FAILURES)))


def _shown(failure: Failure, text_of: Text, depth: int, room: Iterator[int]) -> ShownFailure:
    before = failure.cause or failure.context
    cause = members = None
    if depth < _DEEP:
        cause = _shown(before, text_of, depth + 1, room) if before is not None and next(room, 0) else None
        members = [_shown(each, text_of, depth + 1, room) for each in failure.members[:_MEMBERS] if next(room, 0)]
    return ShownFailure(
        fault=failure.fault.value,
        message=_cut(failure.message, MESSAGE),
        type=failure.type,
        traceback=_ends(failure.traceback, TRACEBACK),
        frames=frames(failure.traceback, text_of),
        notes=[_cut(note, 2_000) for note in failure.notes[:20]],
        cause=cause,
        during=failure.cause is None and failure.context is not None,
        members=members or [],
        count=len(failure.members),
        node=failure.node,
        line=failure.line,
    )


def frames(traceback: str, text_of: Text) -> list[Frame]:
    """The calls of a traceback, the outermost first; of a deep recursion, the first and the last."""
    found: list[Frame] = []
    lines = _own_lines(_ends(traceback, 4 * TRACEBACK).splitlines())
    for at, line in enumerate(lines):
        if (call := _CALL.fullmatch(line)) is None:
            continue
        file, number, function = call[1], int(call[2]), call[3]
        below = [each[4:] for each in _indented(lines, at + 1)]
        marks = below[1] if len(below) > 1 and not below[1].strip(" ~^") else ""
        own = _NOT_OWN.search(file) is None
        found.append(Frame(file, number, function, own, _cut(below[0], 500) if below else "", _cut(marks, 500), []))
    half = _FRAMES // 2
    kept = found if len(found) <= _FRAMES else [*found[:half], *found[-half:]]
    return [_with_context(frame, text_of) if frame.own else frame for frame in kept]


def _own_lines(lines: list[str]) -> list[str]:
    """Of the traceback of a group: without its frame, and without what is inside."""
    if not any(line.startswith("  + Exception Group Traceback") for line in lines[:3]):
        return lines
    inside = next((at for at, line in enumerate(lines) if line.startswith("  +-+")), len(lines))
    return [line.removeprefix("  | ") for line in lines[:inside]]


def _indented(lines: list[str], at: int) -> list[str]:
    taken: list[str] = []
    while at < len(lines) and lines[at].startswith("    ") and len(taken) < 8:
        taken.append(lines[at])
        at += 1
    return taken


def _with_context(frame: Frame, text_of: Text) -> Frame:
    text = text_of(frame.file)
    if text is None:
        return frame
    lines = text.split("\n")
    if not 1 <= frame.line <= len(lines) or (frame.text and lines[frame.line - 1].strip() != frame.text.strip()):
        return frame  # another file of that name, or another version of it
    first, last = max(1, frame.line - AROUND), min(len(lines), frame.line + AROUND)
    while last > frame.line and (not lines[last - 1].strip() or not all(map(str.strip, lines[last - 2 : last]))):
        last -= 1  # what follows a gap is something else
    around = [(number, _cut(lines[number - 1], 500)) for number in range(first, last + 1)]
    return Frame(frame.file, frame.line, frame.function, frame.own, frame.text, frame.marks, around)


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters)"


def _ends(text: str, most: int) -> str:
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}\n…\n{text[-half:]}"
