"""What happened to each node, in words, for people and for error messages.

Knows: transitions as they are made. Must not know: what they mean. It keeps the last lines only, so a long run costs
no more than a short one; it is no part of the state (replays with and without a story agree).
"""

from __future__ import annotations

from collections import deque
from functools import cache
from itertools import islice

from whimbrel.model.run import Phase

# A line is about 200 bytes: 4 MB at most, and the whole story of any run that a person would read.
LINES_KEPT = 20_000

# Error messages carry the end of a story, not all of it.
LINES_TOLD = 40


class Story:
    """The last transitions of a run, oldest first."""

    __slots__ = ("_lines",)

    def __init__(self, kept: int = LINES_KEPT) -> None:
        self._lines: deque[tuple[int, float, str, str, str]] = deque(maxlen=kept)

    def add(self, seq: int, at: float, path: str, what: str, reason: str) -> None:
        """Keep one line: a ``change`` of phase, or anything else; ``path`` is "" for the run itself."""
        self._lines.append((seq, at, path, what, reason))

    def told(self, path: str, start: float) -> list[str]:
        """The lines of a node, or of the whole run for "", with times since ``start``."""
        return [
            f"#{seq} {at - start:+.3f}s {of or 'run'}: {what}" + (f" ({reason})" if reason else "")
            for seq, at, of, what, reason in self._lines
            if not path or of == path
        ]

    def ending(self, path: str, start: float) -> list[str]:
        """The last lines of ``told``, for an error message."""
        lines = self.told(path, start)
        return list(islice(lines, max(0, len(lines) - LINES_TOLD), None))


@cache
def change(before: Phase, after: Phase) -> str:
    """The words for a change of phase. The same string every time, as there are few: a line that is nothing but words
    and numbers is nothing to the garbage collector."""
    return f"{before.value} -> {after.value}"
