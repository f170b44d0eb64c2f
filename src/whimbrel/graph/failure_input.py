"""How a failure node is told what went wrong: by its input of a type that can say it.

Knows literal types. Must not know who fails, or who is told.
"""

from __future__ import annotations

from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import NONE, STRING, LiteralType, StructType, UnionType
from whimbrel.model.literals import Literal, MapLiteral, NoneLiteral, StrLiteral, UnionLiteral

MESSAGE, NODE = "message", "failed_node_id"
"""The fields of ``FlyteError``."""

_NAMES = ("err", "error")
"""Inputs of these names may be a ``str`` too."""


def error_input(interface: Interface) -> str:
    """The input that is told: one of type ``FlyteError``, else a ``str`` called ``err`` or ``error``; "" for none."""
    for name, parameter in interface.inputs.items():
        if any(_is_error(variant) for variant in _variants(parameter.type)):
            return name
    for name in _NAMES:
        if name in interface.inputs and STRING in _variants(interface.inputs[name].type):
            return name
    return ""


def error_literal(kind: LiteralType, message: str, node: str) -> Literal | None:
    """What went wrong as a value of ``kind``; ``None`` if ``kind`` cannot say it."""
    for position, variant in enumerate(_variants(kind)):
        told: Literal | None = None
        if _is_error(variant):
            told = MapLiteral({MESSAGE: StrLiteral(message), NODE: StrLiteral(node)})
        elif variant == STRING:
            told = StrLiteral(message)
        if told is not None:
            return UnionLiteral(position, told) if isinstance(kind, UnionType) else told
    return None


def none_literal(kind: LiteralType) -> Literal | None:
    """``None`` as a value of ``kind``, if it takes that."""
    if kind == NONE:
        return NoneLiteral()
    if isinstance(kind, UnionType) and NONE in kind.variants:
        return UnionLiteral(kind.variants.index(NONE), NoneLiteral())
    return None


def _variants(kind: LiteralType) -> tuple[LiteralType, ...]:
    return kind.variants if isinstance(kind, UnionType) else (kind,)


def _is_error(kind: LiteralType) -> bool:
    return isinstance(kind, StructType) and kind.fields == {MESSAGE: STRING, NODE: STRING}
