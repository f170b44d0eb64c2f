"""JSON-like values: ``None``, ``bool``, ``int``, ``float``, ``str``, and lists and string-keyed dicts of them.

They are what a bare ``dict``, a bare ``list`` and ``Any`` inside a container hold. Where untyped values may be
pickled, a leaf that JSON does not know is.

Knows: literals, scalars, pickles. Must not know: other kinds.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any, Final

from whimbrel.errors import ValueMismatch
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import ANY, StructType
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import field_step, literal_mismatch, mismatch, under
from whimbrel.types.pickle import decode_pickle, encode_pickle
from whimbrel.types.scalars import (
    check_str,
    decode_int,
    encode_bool,
    encode_float,
    encode_int,
    encode_none,
    encode_str,
)
from whimbrel.types.time import decode_datetime, decode_timedelta
from whimbrel.types.transformer import Transformer

EXPECTED: Final = "a JSON-like value"
_TOO_DEEP: Final = "nested too deeply, or containing itself"

_SCALARS: Final[dict[type, Callable[[Any], lit.Literal]]] = {
    str: encode_str,
    int: encode_int,
    bool: encode_bool,
    float: encode_float,
    type(None): encode_none,
}
# Those of which every instance fits, without a look.
_PLAIN: Final = frozenset({int, bool, float, type(None)})


def json_value(registry: Transformers) -> Transformer:
    """The transformer of one JSON-like value, of any shape."""
    foreign = encode_pickle if registry.pickle_untyped else _refuse

    def encode(value: Any) -> lit.Literal:
        try:
            return _encode(value, foreign)
        except RecursionError:
            raise mismatch(EXPECTED, value, _TOO_DEEP) from None

    def check(value: Any) -> None:
        try:
            _check(value, foreign)
        except RecursionError:
            raise mismatch(EXPECTED, value, _TOO_DEEP) from None

    def decode(literal: lit.Literal) -> Any:
        return decode_json(literal, unpickle=registry.pickle_untyped)

    return Transformer(Any, ANY, check=check, encode=encode, decode=decode, name=EXPECTED)


def _refuse(value: Any) -> lit.Literal:
    sequence = isinstance(value, tuple | set | frozenset)
    raise mismatch(EXPECTED, value, "write a list, or declare its type" if sequence else "declare its type")


def _encode(value: Any, foreign: Callable[[Any], lit.Literal]) -> lit.Literal:
    kind = type(value)
    scalar = _SCALARS.get(kind)
    if scalar is not None:
        return scalar(value)
    if isinstance(value, dict):
        return _encode_dict(value, foreign)
    if isinstance(value, list):
        items = []
        try:
            for item in value:
                items.append(_encode(item, foreign))
        except ValueMismatch as error:
            raise under(error, f"[{len(items)}]") from None
        return lit.ListLiteral(tuple(items))
    for plain in (str, bool, int, float):
        if isinstance(value, plain):
            return _SCALARS[plain](value)
    return foreign(value)


def _encode_dict(value: dict[Any, Any], foreign: Callable[[Any], lit.Literal]) -> lit.Literal:
    fields: dict[str, lit.Literal] = {}
    for key, item in value.items():
        check_key(key)
        try:
            fields[key] = _encode(item, foreign)
        except ValueMismatch as error:
            raise under(error, field_step(key)) from None
    return lit.MapLiteral(fields)


def check_key(key: Any) -> None:
    """Raise ``ValueMismatch`` unless ``key`` can be the name of a field."""
    if type(key) is not str:
        raise mismatch("keys that are str", key)
    if not key.isascii():
        check_str(key)


def _check(value: Any, foreign: Callable[[Any], lit.Literal]) -> None:
    kind = type(value)
    if kind in _PLAIN:
        return
    if kind is str:
        check_str(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            if type(key) is not str or not key.isascii():
                check_key(key)
            try:
                _check(item, foreign)
            except ValueMismatch as error:
                raise under(error, field_step(key)) from None
    elif isinstance(value, list):
        done = 0
        try:
            for item in value:
                _check(item, foreign)
                done += 1
        except ValueMismatch as error:
            raise under(error, f"[{done}]") from None
    else:
        _encode(value, foreign)


def decode_json(literal: lit.Literal, *, unpickle: bool = False) -> Any:
    """The value of a literal of which nothing is declared: structs become dicts, other scalars what they are."""
    match literal:
        case lit.StrLiteral(value=value) | lit.IntLiteral(value=value) | lit.FloatLiteral(value=value):
            return value
        case lit.BoolLiteral(value=value) | lit.DateLiteral(value=value):
            return value
        case lit.NoneLiteral():
            return None
        case lit.MapLiteral(items=fields):
            return {name: decode_json(item, unpickle=unpickle) for name, item in fields.items()}
        case lit.ListLiteral(items=items):
            return [decode_json(item, unpickle=unpickle) for item in items]
        case lit.UnionLiteral(value=inner):
            return decode_json(inner, unpickle=unpickle)
        case lit.BigIntLiteral():
            return decode_int(literal)
        case lit.DatetimeLiteral():
            return decode_datetime(literal)
        case lit.DurationLiteral():
            return decode_timedelta(literal)
        case lit.BytesLiteral(value=data, encoding=""):
            return data
        case lit.BytesLiteral() | lit.BlobLiteral() if unpickle:
            return decode_pickle(literal)
        case _:
            raise literal_mismatch(EXPECTED, literal)


def _is_json_dict(python_type: Any) -> bool:
    if python_type in (dict, typing.Dict):  # noqa: UP006  both spellings are authors'
        return True
    return typing.get_origin(python_type) is dict and typing.get_args(python_type) == (str, Any)


def _build_dict(python_type: Any, registry: Transformers) -> Transformer:
    value_of = json_value(registry)

    def check(value: Any) -> None:
        if not isinstance(value, dict):
            raise mismatch("dict", value)
        value_of.check(value)

    def encode(value: Any) -> lit.Literal:
        if not isinstance(value, dict):
            raise mismatch("dict", value)
        return value_of.encode(value)

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if not isinstance(literal, lit.MapLiteral):
            raise literal_mismatch("dict", literal)
        return value_of.decode(literal)

    return Transformer(python_type, StructType(), check=check, encode=encode, decode=decode, classes=(dict,))


HOOK: Final = Hook(_is_json_dict, _build_dict)
