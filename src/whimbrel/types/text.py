"""Values that are written as strings: ``Decimal``, ``UUID`` and ``time`` (of day).

Their literal type is a string, so that one of them also takes what another task gives as a string; what does not
parse is refused.

Knows: literals. Must not know: other kinds.
"""

from __future__ import annotations

import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any, Final

from whimbrel.model import literals as lit
from whimbrel.model.literal_types import STRING
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import literal_mismatch, mismatch
from whimbrel.types.transformer import Transformer


def _time_text(value: dt.time) -> str:
    # A zone of a time of day has an offset only on a known day.
    if value.tzinfo is not None and value.utcoffset() is None:
        raise mismatch("time", value, "its zone has no fixed offset")
    return value.isoformat()


# How each is written and read. The libraries are cheap: msgspec has imported them already.
_FORMS: Final[dict[type, tuple[Callable[[Any], str], Callable[[str], Any]]]] = {
    decimal.Decimal: (str, decimal.Decimal),
    uuid.UUID: (str, uuid.UUID),
    dt.time: (_time_text, dt.time.fromisoformat),
}


def _matches(python_type: Any) -> bool:
    return isinstance(python_type, type) and python_type in _FORMS


def _build(python_type: Any, registry: Transformers) -> Transformer:
    write, read = _FORMS[python_type]
    name = python_type.__name__

    def check(value: Any) -> None:
        if type(value) is not python_type:
            raise mismatch(name, value)
        if python_type is dt.time:
            write(value)

    def encode(value: Any) -> lit.Literal:
        if type(value) is not python_type:
            raise mismatch(name, value)
        return lit.StrLiteral(write(value))

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if not isinstance(literal, lit.StrLiteral):
            raise literal_mismatch(name, literal)
        try:
            return read(literal.value)
        except (ValueError, ArithmeticError):
            raise literal_mismatch(name, literal) from None

    return Transformer(python_type, STRING, check=check, encode=encode, decode=decode, classes=(python_type,))


HOOK: Final = Hook(_matches, _build)
