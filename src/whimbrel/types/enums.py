"""``Enum`` classes and ``typing.Literal``: one of a closed set.

An enum travels by its values where all of them are plain scalars, else by its names. A ``Flag`` travels as an
integer, as its members combine.

Knows: literals. Must not know: other kinds.
"""

from __future__ import annotations

import enum
import typing
from typing import Any, Final, TypeAlias

from whimbrel.errors import UnsupportedType
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import INTEGER, EnumType
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import full_name, literal_mismatch, mismatch, type_name
from whimbrel.types.scalars import decode_int, encode_bool, encode_float, encode_int, encode_none, encode_str
from whimbrel.types.transformer import Transformer

Token: TypeAlias = str | int | bool | float | None
"""What stands for a member: one of the values that an ``EnumType`` may list."""

_ENCODERS: Final = {
    str: encode_str,
    int: encode_int,
    bool: encode_bool,
    float: encode_float,
    type(None): encode_none,
}
_SCALAR_LITERALS: Final = lit.StrLiteral | lit.IntLiteral | lit.BoolLiteral | lit.FloatLiteral
# A token that does not compare equal to itself could not be found again; an IntLiteral is of 64 bits.
_INT64: Final = range(-(2**63), 2**63)


def _is_token(value: object) -> bool:
    return type(value) in _ENCODERS and value == value and (type(value) is not int or value in _INT64)


def _token_of(literal: lit.Literal) -> tuple[bool, Token]:
    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    if isinstance(literal, _SCALAR_LITERALS):
        return True, literal.value
    return isinstance(literal, lit.NoneLiteral), None


def _is_enum(python_type: Any) -> bool:
    return isinstance(python_type, enum.EnumMeta)


def _plain_value(member: Any) -> Any:
    """The value of a member; of a ``str``, ``int`` or ``float`` enum, without the subclass."""
    value = member._value_
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, int):
        return int.__int__(value)
    return float.__float__(value) if isinstance(value, float) else value


def _build_enum(python_type: Any, registry: Transformers) -> Transformer:
    if issubclass(python_type, enum.Flag):
        return _build_flag(python_type)
    name = type_name(python_type)
    members = list(python_type)
    if not members:
        raise UnsupportedType(f"the enum {full_name(python_type)} has no members")
    by_value = all(_is_token(_plain_value(member)) for member in members)
    tokens: list[Token] = [_plain_value(member) if by_value else member._name_ for member in members]
    encoded = {member._name_: _ENCODERS[type(token)](token) for member, token in zip(members, tokens, strict=True)}
    decoded: dict[Token, Any] = dict(python_type.__members__) | dict(zip(tokens, members, strict=True))
    expected = f"{name} (one of {', '.join(map(repr, tokens))})"

    def check(value: Any) -> None:
        if type(value) is not python_type and not isinstance(value, python_type):
            raise mismatch(name, value)

    def encode(value: Any) -> lit.Literal:
        if type(value) is not python_type and not isinstance(value, python_type):
            raise mismatch(name, value)
        return encoded[value._name_]

    def decode(literal: lit.Literal) -> Any:
        scalar, token = _token_of(literal)
        if not scalar or token not in decoded:
            raise literal_mismatch(expected, literal)
        return decoded[token]

    return Transformer(
        python_type,
        EnumType(tuple(tokens), full_name(python_type)),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(python_type,),
        plain=python_type,
    )


def _build_flag(python_type: Any) -> Transformer:
    name = type_name(python_type)

    def check(value: Any) -> None:
        if not isinstance(value, python_type):
            raise mismatch(name, value)

    def encode(value: Any) -> lit.Literal:
        check(value)
        return encode_int(value.value)

    def decode(literal: lit.Literal) -> Any:
        try:
            return python_type(decode_int(literal))
        except ValueError:
            raise literal_mismatch(name, literal) from None

    return Transformer(
        python_type, INTEGER, check=check, encode=encode, decode=decode, name=name, classes=(python_type,)
    )


def _is_literal(python_type: Any) -> bool:
    return typing.get_origin(python_type) is typing.Literal


def _build_literal(python_type: Any, registry: Transformers) -> Transformer:
    values = typing.get_args(python_type)
    name = type_name(python_type)
    tokens: list[Token] = []
    for value in values:
        if isinstance(value, enum.Enum):
            tokens.append(f"{type(value).__name__}.{value.name}")
        elif _is_token(value):
            tokens.append(value)
        else:
            raise UnsupportedType(f"{name} holds {value!r}; only str, int, bool, None and enum members can stand in it")
    keys = [(type(value), value) for value in values]
    encoded = {
        key: lit.StrLiteral(token) if isinstance(token, str) else _ENCODERS[type(token)](token)
        for key, token in zip(keys, tokens, strict=True)
    }
    decoded = {(type(token), token): value for token, value in zip(tokens, values, strict=True)}
    if len(decoded) < len(values):
        raise UnsupportedType(f"two values of {name} are written alike; use strings that differ")
    classes = tuple(dict.fromkeys(type(value) for value in values))

    def encode(value: Any) -> lit.Literal:
        kind = type(value)
        # The class first: what is of none of these classes may not even be hashable.
        found = encoded.get((kind, value)) if kind in classes else None
        if found is None:
            raise mismatch(name, value)
        return found

    def check(value: Any) -> None:
        encode(value)

    def decode(literal: lit.Literal) -> Any:
        scalar, token = _token_of(literal)
        key = (type(token), token)
        if not scalar or key not in decoded:
            raise literal_mismatch(name, literal)
        return decoded[key]

    return Transformer(
        python_type, EnumType(tuple(tokens)), check=check, encode=encode, decode=decode, name=name, classes=classes
    )


ENUM: Final = Hook(_is_enum, _build_enum)
LITERAL: Final = Hook(_is_literal, _build_literal)
