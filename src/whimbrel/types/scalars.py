"""``int``, ``float``, ``bool``, ``str``, ``bytes`` and ``None``.

A subclass of one of them (a ``StrEnum`` member for ``str``) travels as the plain value. ``bool`` is no ``int`` here:
whoever wrote ``int`` did not mean ``True``. An ``int`` is a ``float`` where a float holds it exactly.

Knows: literals. Must not know: other kinds.
"""

from __future__ import annotations

import decimal
from typing import Any, Final

from whimbrel.model import literal_types as kinds
from whimbrel.model import literals as lit
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import literal_mismatch, mismatch
from whimbrel.types.transformer import Transformer

# Beyond these an IntLiteral does not fit the 64 bits that it has on every wire.
INT64_MIN: Final = -(2**63)
INT64_MAX: Final = 2**63 - 1
# Every integer up to here is a double.
_EXACT_FLOAT: Final = 2**53
_SURROGATES = "it has a lone surrogate, which UTF-8 cannot hold"


def _is_numpy(value: Any, kind: type) -> bool:
    """Whether it is a scalar of numpy's that stands for a ``kind``: what one takes out of an array or a column."""
    cls = type(value)
    if cls.__module__ != "numpy" or cls.__name__ == "ndarray":
        return False
    plain = getattr(value, "tolist", None)
    return plain is not None and type(plain()) is kind


def check_int(value: Any) -> None:
    if type(value) is int or (isinstance(value, int) and not isinstance(value, bool)) or _is_numpy(value, int):
        return
    raise mismatch("int", value)


def encode_int(value: Any) -> lit.Literal:
    if type(value) is not int:
        check_int(value)
        value = int.__int__(value) if isinstance(value, int) else int(value)
    if INT64_MIN <= value <= INT64_MAX:
        return lit.IntLiteral(value)
    # Through Decimal, which is exact: str(int) refuses more than some thousand digits.
    return lit.BigIntLiteral(str(decimal.Decimal(value)))


def decode_int(literal: lit.Literal) -> int:
    if type(literal) is lit.IntLiteral:
        return literal.value
    if isinstance(literal, lit.BigIntLiteral):
        return int(decimal.Decimal(literal.value))
    if isinstance(literal, lit.UnionLiteral):
        return decode_int(literal.value)
    raise literal_mismatch("int", literal)


def check_float(value: Any) -> None:
    if type(value) is not float and not isinstance(value, float):
        _float_of_int(value)


def _float_of_int(value: Any) -> float:
    if not isinstance(value, int) or isinstance(value, bool):
        if _is_numpy(value, int) or _is_numpy(value, float):
            return float(value)
        raise mismatch("float", value)
    if not -_EXACT_FLOAT <= value <= _EXACT_FLOAT:
        try:
            exact = float(value) == value
        except OverflowError:
            exact = False
        if not exact:
            raise mismatch("float", value, "a float cannot hold it exactly")
    return float(value)


def encode_float(value: Any) -> lit.Literal:
    if type(value) is not float:
        value = float.__float__(value) if isinstance(value, float) else _float_of_int(value)
    return lit.FloatLiteral(value)


def decode_float(literal: lit.Literal) -> float:
    if type(literal) is lit.FloatLiteral:
        return literal.value
    if isinstance(literal, lit.IntLiteral | lit.BigIntLiteral):
        return _float_of_int(decode_int(literal))
    if isinstance(literal, lit.UnionLiteral):
        return decode_float(literal.value)
    raise literal_mismatch("float", literal)


def check_bool(value: Any) -> None:
    if type(value) is not bool and not _is_numpy(value, bool):
        raise mismatch("bool", value)


def encode_bool(value: Any) -> lit.Literal:
    check_bool(value)
    return lit.BoolLiteral(bool(value))


def decode_bool(literal: lit.Literal) -> bool:
    if type(literal) is lit.BoolLiteral:
        return literal.value
    if isinstance(literal, lit.UnionLiteral):
        return decode_bool(literal.value)
    raise literal_mismatch("bool", literal)


def check_str(value: Any) -> None:
    # Asking whether a string is ASCII takes no time; only others are looked at.
    if type(value) is not str:
        encode_str(value)
    elif not value.isascii():
        _check_utf8(value)


def encode_str(value: Any) -> lit.Literal:
    if type(value) is not str:
        if not isinstance(value, str):
            raise mismatch("str", value)
        value = str.__str__(value)
    if not value.isascii():
        _check_utf8(value)
    return lit.StrLiteral(value)


def _check_utf8(value: str) -> None:
    try:
        value.encode()
    except UnicodeEncodeError:
        raise mismatch("str", value, _SURROGATES) from None


def decode_str(literal: lit.Literal) -> str:
    if type(literal) is lit.StrLiteral:
        return literal.value
    if isinstance(literal, lit.UnionLiteral):
        return decode_str(literal.value)
    raise literal_mismatch("str", literal)


def check_bytes(value: Any) -> None:
    if type(value) is not bytes and not isinstance(value, bytes):
        raise mismatch("bytes", value)


def encode_bytes(value: Any) -> lit.Literal:
    if type(value) is not bytes:
        check_bytes(value)
        value = bytes(memoryview(value))
    return lit.BytesLiteral(value)


def decode_bytes(literal: lit.Literal) -> bytes:
    if isinstance(literal, lit.BytesLiteral) and not literal.encoding:
        return literal.value
    if isinstance(literal, lit.UnionLiteral):
        return decode_bytes(literal.value)
    raise literal_mismatch("bytes", literal)


def check_none(value: Any) -> None:
    if value is not None:
        raise mismatch("None", value)


_NONE: Final = lit.NoneLiteral()


def encode_none(value: Any) -> lit.Literal:
    if value is not None:
        raise mismatch("None", value)
    return _NONE


def decode_none(literal: lit.Literal) -> None:
    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    if not isinstance(literal, lit.NoneLiteral):
        raise literal_mismatch("None", literal)


_SCALARS: Final = {
    transformer.python_type: transformer
    for transformer in (
        Transformer(
            int, kinds.INTEGER, check=check_int, encode=encode_int, decode=decode_int, classes=(int,), plain=int
        ),
        Transformer(
            float,
            kinds.FLOAT,
            check=check_float,
            encode=encode_float,
            decode=decode_float,
            classes=(float,),
            plain=float,
        ),
        Transformer(
            bool, kinds.BOOLEAN, check=check_bool, encode=encode_bool, decode=decode_bool, classes=(bool,), plain=bool
        ),
        # Not plain: each string is looked at for lone surrogates.
        Transformer(str, kinds.STRING, check=check_str, encode=encode_str, decode=decode_str, classes=(str,)),
        Transformer(
            bytes,
            kinds.BYTES,
            check=check_bytes,
            encode=encode_bytes,
            decode=decode_bytes,
            classes=(bytes,),
            plain=bytes,
        ),
        Transformer(
            type(None),
            kinds.NONE,
            check=check_none,
            encode=encode_none,
            decode=decode_none,
            classes=(type(None),),
            plain=type(None),
        ),
    )
}


def _matches(python_type: Any) -> bool:
    return python_type is None or (isinstance(python_type, type) and python_type in _SCALARS)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return _SCALARS[type(None) if python_type is None else python_type]


HOOK: Final = Hook(_matches, _build)
