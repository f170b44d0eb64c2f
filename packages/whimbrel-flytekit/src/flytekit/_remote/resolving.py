"""Inputs and outputs of executions: Python values that are made when they are asked for.

Knows: whimbrel's lazy values, flytekit's literals. Must not know: executions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flytekit._types.literals import Literal
from flytekit._types.translating import literal
from whimbrel.client.values import Values
from whimbrel.model.literal_types import ANY, LiteralType


class LiteralsResolver(Mapping[str, Any]):
    """Values by name. ``resolver["o0"]`` is as Python as its type allows; ``get("o0", as_type=T)`` is a ``T``.

    Nothing of a file or of a large value is fetched before it is looked at.
    """

    def __init__(self, values: Values, types: Mapping[str, LiteralType] | None = None) -> None:
        self._values = values
        self._types = dict(types or {})
        self._hints: dict[str, Any] = {}
        self._native: dict[str, Any] = {}

    @property
    def values_there(self) -> Values:
        """As whimbrel's client has them."""
        return self._values

    @property
    def literals(self) -> dict[str, Literal]:
        """The literals, as flytekit has them."""
        return {name: self.get_literal(name) for name in self._values.literals}

    @property
    def native_values(self) -> dict[str, Any]:
        """Those that were asked for so far."""
        return dict(self._native)

    @property
    def variable_map(self) -> dict[str, LiteralType]:
        """The types, as far as they are known."""
        return dict(self._types)

    def get_literal(self, key: str) -> Literal:
        """One literal, as flytekit has it. Raises ``ValueError`` for a name that is not there."""
        self._must_have(key)
        return literal(self._values.literals[key], self._types.get(key, ANY))

    def update_type_hints(self, type_hints: Mapping[str, Any]) -> None:
        """From now on these are of these types."""
        self._hints |= type_hints
        for name in type_hints:
            self._native.pop(name, None)

    def as_python_native(self, python_interface: Any) -> Any:
        """The values by the types of an interface: one alone, several as a tuple, ``None`` for none."""
        types = getattr(python_interface, "outputs", python_interface)
        found = [self.get(name, as_type=kind) for name, kind in types.items()]
        return None if not found else found[0] if len(found) == 1 else tuple(found)

    def get(self, attr: str, as_type: Any = None) -> Any:
        """A value, of the type ``as_type`` if one is given. Raises ``AttributeError`` for a name that is not there."""
        if attr not in self._values.literals:
            raise AttributeError(f"there is no {attr!r}; there is {', '.join(self) or 'nothing'}")
        kind = as_type if as_type is not None else self._hints.get(attr)
        if as_type is not None or attr not in self._native:
            self._native[attr] = self._values.get(attr, as_type=kind)
        return self._native[attr]

    def _must_have(self, key: str) -> None:
        if key not in self._values.literals:
            raise ValueError(f"there is no {key!r}; there is {', '.join(self) or 'nothing'}")

    def __getitem__(self, key: str) -> Any:
        if key not in self._values.literals:
            raise KeyError(f"there is no {key!r}; there is {', '.join(self) or 'nothing'}")
        return self.get(key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values.literals)

    def __len__(self) -> int:
        return len(self._values.literals)

    def __repr__(self) -> str:
        return (
            f"LiteralsResolver({', '.join(f'{name}={literal!r}' for name, literal in self._values.literals.items())})"
        )

    def __str__(self) -> str:
        lines = [f"{name}: {value!r}" for name, value in self.items()]
        return "\n".join(lines) or "nothing"
