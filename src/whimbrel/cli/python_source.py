"""Python values, types and names as source text, with the imports that they need.

Knows modules and classes. Must not know runs. What has no such text raises ``NoSource``.
"""

from __future__ import annotations

import builtins
import dataclasses
import datetime as dt
import enum
import keyword
import math
import types
import typing
from typing import Any


class NoSource(Exception):
    """A value or type that cannot be written down."""


class Names:
    """The names of a module that is being written: what it imports, and its own variables; no two alike."""

    def __init__(self) -> None:
        self._from: dict[tuple[str, str], str] = {}
        self._taken: set[str] = {*keyword.kwlist, *dir(builtins)}

    def fresh(self, wanted: str) -> str:
        """``wanted``, or with a number if it is taken."""
        name, count = wanted, 1
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name

    def imported(self, module: str, name: str) -> str:
        """What to write for ``name`` (dots allowed) of ``module``."""
        head, _, rest = name.partition(".")
        known = self._from.get((module, head))
        if known is None:
            known = self._from[module, head] = self.fresh(head)
        return f"{known}.{rest}" if rest else known

    def lines(self) -> list[str]:
        """The import statements, sorted."""
        by_module: dict[str, list[str]] = {}
        for (module, name), known in self._from.items():
            by_module.setdefault(module, []).append(name if name == known else f"{name} as {known}")
        return [f"from {module} import {', '.join(sorted(names))}" for module, names in sorted(by_module.items())]

    def type(self, annotation: Any) -> str:
        """The source of a type. Raises ``NoSource``."""
        if annotation is None or annotation is type(None):
            return "None"
        origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
        if origin in (typing.Union, types.UnionType):
            return " | ".join(self.type(argument) for argument in arguments)
        if origin is typing.Literal:
            return f"{self.imported('typing', 'Literal')}[{', '.join(map(repr, arguments))}]"
        if origin is typing.Annotated:
            return self.type(arguments[0])
        if origin is not None and isinstance(origin, type):
            inside = ", ".join("..." if argument is ... else self.type(argument) for argument in arguments)
            return f"{self.type(origin)}[{inside}]"
        if isinstance(annotation, type) and "<" not in annotation.__qualname__:
            if annotation.__module__ == "builtins":
                return annotation.__qualname__
            return self.imported(annotation.__module__, annotation.__qualname__)
        if annotation is Any:
            return self.imported("typing", "Any")
        raise NoSource(f"the type {annotation!r} cannot be written down")

    def value(self, value: Any) -> str:
        """The source of a value. Raises ``NoSource``."""
        kind = type(value)
        if isinstance(value, enum.Enum):
            return f"{self.type(kind)}.{value.name}"
        if kind is float and not math.isfinite(value):
            return f'float("{value}")'
        if value is None or kind in (bool, int, float, complex, str, bytes):
            return repr(value)
        if kind in (list, tuple, set, frozenset):
            items = [self.value(item) for item in value]
            if kind is list:
                return f"[{', '.join(items)}]"
            if kind is tuple:
                return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
            return f"{kind.__name__}([{', '.join(sorted(items))}])"
        if kind is dict:
            return "{" + ", ".join(f"{self.value(key)}: {self.value(item)}" for key, item in value.items()) + "}"
        if kind is dt.timedelta:
            return f"{self.type(kind)}({value.days}, {value.seconds}, {value.microseconds})"
        if kind is dt.date:
            return f"{self.type(kind)}({value.year}, {value.month}, {value.day})"
        if kind is dt.datetime and value.tzinfo is None:
            parts = (value.year, value.month, value.day, value.hour, value.minute, value.second, value.microsecond)
            return f"{self.type(kind)}({', '.join(map(str, parts))})"
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            fields = [field.name for field in dataclasses.fields(value) if field.init]
            return f"{self.type(kind)}({', '.join(f'{name}={self.value(getattr(value, name))}' for name in fields)})"
        if isinstance(value, tuple) and hasattr(kind, "_fields"):
            return f"{self.type(kind)}({', '.join(self.value(item) for item in value)})"
        raise NoSource(f"a value of {kind.__module__}.{kind.__qualname__} cannot be written down")
