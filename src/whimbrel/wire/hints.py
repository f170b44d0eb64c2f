"""What tells one call from its neighbours, in a few words: the small ones of its inputs.

Knows: literals. Must not know: nodes, blob stores.
"""

from __future__ import annotations

from whimbrel.model.literals import (
    BigIntLiteral,
    BoolLiteral,
    DateLiteral,
    DatetimeLiteral,
    DurationLiteral,
    FloatLiteral,
    IntLiteral,
    Literal,
    Literals,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.wire.literal_json import to_json

WIDTH = 60
"""Letters of a hint, at most."""
_TEXT = 24
"""Letters of a string in it; longer ones are cut."""


def hint(inputs: Literals) -> str:
    """``x=3, rate=0.1``: numbers, flags, moments and the beginnings of strings, in the author's order, for as long as
    they fit. Everything else (lists, files, large values) is left out: "" when nothing is left."""
    said = ""
    for name, literal in inputs.items():
        value = _small(literal)
        if value is None:
            continue
        more = f", {name}={value}" if said else f"{name}={value}"
        if len(said) + len(more) > WIDTH:
            # The first may be too long by its name alone.
            return f"{said}, …" if said and len(said) + 3 <= WIDTH else f"{(said or more)[: WIDTH - 1]}…"
        said += more
    return said


def _small(literal: Literal) -> str | None:
    while isinstance(literal, UnionLiteral):
        literal = literal.value
    match literal:
        case FloatLiteral(value=value):
            return f"{value:.10g}"
        case BoolLiteral() | IntLiteral():
            return str(literal.value)
        case BigIntLiteral(value=digits):
            return _cut(digits)
        case StrLiteral(value=text):
            # One line, whatever is in it.
            return _cut(" ".join(text[: 4 * _TEXT].split())) if text else '""'
        case DatetimeLiteral() | DateLiteral() | DurationLiteral():
            return str(to_json(literal))
        case _:
            return None


def _cut(text: str) -> str:
    return text if len(text) <= _TEXT else f"{text[: _TEXT - 1]}…"
