"""What tasks write, made safe for a terminal and a page: no commands to the terminal but colours.

Knows: text. Must not know: where it comes from or goes to.
"""

from __future__ import annotations

import re

LONGEST = 64 * 1024
"""Characters of a line that is held until its end comes; a task that writes none must not fill the memory."""

_COMMANDS = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\-_]")
_COLOURS = re.compile(r"\x1b\[[0-9;:]*m")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str, *, colours: bool = False) -> str:
    """``text`` without commands to a terminal, but with ``colours`` if they are wanted; other control characters are
    shown as ``\\x07``.
    """
    if text.isprintable():
        return text
    if not colours:
        return _CONTROLS.sub(_shown, _COMMANDS.sub("", text))
    parts: list[str] = []
    at = 0
    for colour in _COLOURS.finditer(text):
        parts += [clean(text[at : colour.start()]), colour[0]]
        at = colour.end()
    return "".join([*parts, clean(text[at:]), "\x1b[0m" if parts else ""])


def _shown(found: re.Match[str]) -> str:
    return f"\\x{ord(found[0]):02x}"


def whole_lines(text: str) -> tuple[list[str], str]:
    """The lines of ``text`` that have ended, and what is left; a line without end is cut."""
    *lines, rest = text.split("\n")
    while len(rest) > LONGEST:
        lines.append(rest[:LONGEST])
        rest = rest[LONGEST:]
    return lines, rest
