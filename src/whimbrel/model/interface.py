"""What goes into an entity and what comes out, by name."""

from __future__ import annotations

from msgspec import Struct

from whimbrel.model.literal_types import LiteralType
from whimbrel.model.literals import Literal


class Parameter(Struct, frozen=True, gc=False):
    """An input. It is required when ``default`` is ``None``; an optional ``None`` default is a ``NoneLiteral``."""

    type: LiteralType
    description: str = ""
    default: Literal | None = None


class Variable(Struct, frozen=True, gc=False):
    """An output."""

    type: LiteralType
    description: str = ""


class Interface(Struct, frozen=True, gc=False):
    """Inputs and outputs, in the author's order. A single unnamed output is called ``o0``."""

    inputs: dict[str, Parameter] = {}
    outputs: dict[str, Variable] = {}
