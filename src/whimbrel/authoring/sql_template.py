"""Queries with templates: ``{{ .inputs.x }}`` becomes a parameter of the statement, never a part of its text.

Knows how SQL quotes text, names and comments. Must not know databases.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from whimbrel.errors import CallMismatch, UserError

_TEMPLATE = re.compile(r"\{\{\s*\.inputs\.([A-Za-z_][\w.]*)\s*(\|\s*identifier)?\s*\}\}")
_SKIPPED = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`(?:[^`]|``)*`")


class Slot(NamedTuple):
    """A place for a value. ``identifier``: for the name of a table or column."""

    path: str
    identifier: bool


class Query:
    """A template, read once. Raises ``CallMismatch`` for one that no value can be put into."""

    def __init__(self, name: str, template: str) -> None:
        self.name = name
        self.parts: list[str | Slot] = []
        at = begin = 0
        while at < len(template):
            whole = re.compile(f"'{_TEMPLATE.pattern}'").match(template, at)
            match = whole or _TEMPLATE.match(template, at)
            if match is not None:
                # In quotes of its own: as flytekit's templates have it, where values become text.
                self.parts += [template[begin:at], Slot(match[1], match[2] is not None)]
                at = begin = match.end()
                continue
            other = _SKIPPED.match(template, at) or _QUOTED.match(template, at)
            if other is None:
                if template.startswith("{{", at):
                    raise CallMismatch(f"{name}: {template[at : at + 40]!r} is no template. Write {{{{ .inputs.x }}}}.")
                at += 1
                continue
            if other[0][0] in "'\"`" and _TEMPLATE.search(other[0]):
                raise CallMismatch(
                    f"{name}: a template stands inside the quotes of {other[0]}, where it would be text. "
                    "Take it out of them, and join the texts with ||."
                )
            if _TEMPLATE.search(other[0]):  # a comment: nobody reads it
                self.parts.append(template[begin:at])
                begin = other.end()
            at = other.end()
        self.parts.append(template[begin:])

    @property
    def inputs(self) -> list[str]:
        """The inputs that it names."""
        return list(dict.fromkeys(part.path.partition(".")[0] for part in self.parts if isinstance(part, Slot)))

    def bound(self, inputs: Mapping[str, Any], mark: str) -> tuple[str, dict[str, Any]]:
        """The statement, and its parameters by name; ``mark`` is what stands before a name in the text.

        A list becomes as many parameters as it has items: ``IN ({{ .inputs.ids }})``.
        """
        text: list[str] = []
        values: dict[str, Any] = {}
        for part in self.parts:
            if isinstance(part, str):
                text.append(part)
                continue
            value = self._value(part.path, inputs)
            if part.identifier:
                text.append(self._identifier(value))
                continue
            items = value if isinstance(value, list | tuple | set | frozenset) else [value]
            names = []
            for item in items:
                names.append(f"p{len(values)}")
                values[names[-1]] = item
            text.append(", ".join(f"{mark}{name}" for name in names) or "NULL")
        return "".join(text), values

    def _value(self, path: str, inputs: Mapping[str, Any]) -> Any:
        found: Any = inputs
        for step in path.split("."):
            try:
                found = found[step] if isinstance(found, Mapping) else getattr(found, step)
            except (KeyError, AttributeError):
                raise UserError(f"{self.name}: there is nothing at .inputs.{path}. Look at its type.") from None
        return found

    def _identifier(self, value: Any) -> str:
        if not isinstance(value, str) or not value or "\0" in value:
            raise UserError(f"{self.name}: the name of a table or column is {value!r}. Give a text.")
        return '"' + value.replace('"', '""') + '"'
