"""Descriptions of inputs and outputs from docstrings in Google's, NumPy's and Sphinx's styles. Knows text only."""

from __future__ import annotations

import inspect
import re
from typing import NamedTuple

_GOOGLE_INPUTS = {"args:", "arguments:", "parameters:", "params:"}
_GOOGLE_OUTPUTS = {"returns:", "return:", "yields:"}
_SPHINX = re.compile(r":param(?:\s+[\w\[\], .|]+?)?\s+(\w+):\s*(.*)")
_SPHINX_RETURN = re.compile(r":returns?:\s*(.*)")
_ITEM = re.compile(r"^\s*\*{0,2}(\w+)\s*(?:\([^)]*\))?\s*:\s*(.*)$")
_NUMPY_ITEM = re.compile(r"^(\w+)\s*(?::.*)?$")


class Docs(NamedTuple):
    """A docstring taken apart. ``summary`` is what stands before the sections."""

    summary: str
    parameters: dict[str, str]
    outputs: dict[str, str]


def parse_docstring(text: str) -> Docs:
    """Take ``text`` apart. What is in no known style stays in the summary."""
    if not text:
        return Docs("", {}, {})
    lines = inspect.cleandoc(text).splitlines()
    summary: list[str] = []
    parameters: dict[str, str] = {}
    outputs: dict[str, str] = {}
    position = 0
    while position < len(lines):
        line = lines[position]
        word = line.strip().lower()
        under = lines[position + 1].strip() if position + 1 < len(lines) else ""
        if word in _GOOGLE_INPUTS | _GOOGLE_OUTPUTS:
            block, position = _indented(lines, position + 1)
            _google(block, parameters if word in _GOOGLE_INPUTS else outputs, word in _GOOGLE_OUTPUTS)
        elif word in ("parameters", "returns") and len(under) >= 3 and set(under) == {"-"}:
            position = _numpy(lines, position + 2, parameters if word == "parameters" else outputs)
        elif match := _SPHINX.match(line.strip()):
            parameters[match[1]] = match[2].strip()
            position += 1
        elif match := _SPHINX_RETURN.match(line.strip()):
            outputs["o0"] = match[1].strip()
            position += 1
        else:
            summary.append(line)
            position += 1
    return Docs("\n".join(summary).strip(), parameters, outputs)


def _indented(lines: list[str], start: int) -> tuple[list[str], int]:
    end = start
    while end < len(lines) and (not lines[end].strip() or lines[end][0].isspace()):
        end += 1
    return inspect.cleandoc("\n" + "\n".join(lines[start:end])).splitlines(), end


def _google(block: list[str], into: dict[str, str], output: bool) -> None:
    name = ""
    for line in block:
        match = None if line[:1].isspace() else _ITEM.match(line)
        if match and not (output and match[1] in ("int", "str", "float", "bool", "list", "dict", "tuple")):
            name = match[1]
            into[name] = match[2].strip()
        elif name and line.strip():
            into[name] = f"{into[name]} {line.strip()}".strip()
        elif output and line.strip():
            name = "o0"
            into[name] = line.partition(":")[2].strip() if match else line.strip()


def _numpy(lines: list[str], start: int, into: dict[str, str]) -> int:
    name = ""
    position = start
    while position < len(lines):
        line = lines[position]
        following = lines[position + 1].strip() if position + 1 < len(lines) else ""
        if not line.strip() or (len(following) >= 3 and set(following) == {"-"}):
            break
        if line[0].isspace():
            if name:
                into[name] = f"{into[name]} {line.strip()}".strip()
        elif match := _NUMPY_ITEM.match(line.strip()):
            name = match[1]
            into[name] = ""
        position += 1
    return position
