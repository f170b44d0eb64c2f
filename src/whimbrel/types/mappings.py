"""``dict[K, V]``.

Keys that are written as strings (``str``, string enums, ``Literal`` strings, ``UUID``) make a map; a dict with other
keys travels as a list of pairs, in the author's order.

Knows: literals, JSON-like values for values without a type. Must not know: other kinds.
"""

from __future__ import annotations

import collections.abc
import typing
from typing import Any, Final

from whimbrel.errors import ValueMismatch
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import STRING, EnumType, ListType, MapType, TupleType
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import field_step, literal_mismatch, mismatch, shown_key, type_name, under
from whimbrel.types.sequences import item_transformer, items_of
from whimbrel.types.transformer import Transformer

_DICTS: Final = frozenset({dict, collections.abc.Mapping, collections.abc.MutableMapping})


def _matches(python_type: Any) -> bool:
    origin = typing.get_origin(python_type) or python_type
    return isinstance(origin, type) and origin in _DICTS


def _build(python_type: Any, registry: Transformers) -> Transformer:
    arguments = typing.get_args(python_type)
    if not arguments or arguments == (str, Any):
        return registry.transformer(dict).renamed(python_type)
    key = item_transformer(arguments[0], registry)
    value = item_transformer(arguments[1], registry)
    written = key.literal_type
    as_strings = written == STRING or (
        isinstance(written, EnumType) and all(isinstance(token, str) for token in written.values)
    )
    return _map(python_type, key, value) if as_strings else _pairs(python_type, key, value)


def _step(key: Any) -> str:
    return field_step(key) if type(key) is str else f"[{shown_key(key)}]"


def _check(name: str, key: Transformer, value: Transformer, mapping: Any) -> None:
    """Raise ``ValueMismatch`` unless ``mapping`` is a dict of these."""
    if not isinstance(mapping, dict):
        raise mismatch(name, mapping)
    check_key, check_value = key.check, value.check
    each: Any = None
    at_key = True
    try:
        if key.plain is None or set(map(type, mapping)) - {key.plain}:
            for each in mapping:
                check_key(each)
        at_key = False
        if value.plain is None or set(map(type, mapping.values())) - {value.plain}:
            for each, item in mapping.items():  # noqa: B007  the handler names it
                check_value(item)
    except ValueMismatch as error:
        if at_key:
            raise _of_key(error) from None
        raise under(error, _step(each)) from None


def _of_key(error: ValueMismatch) -> ValueMismatch:
    return ValueMismatch(f"keys of {error.expected}", error.got, error.path)


def _map(python_type: Any, key: Transformer, value: Transformer) -> Transformer:
    name = type_name(python_type)
    encode_key, decode_key = key.encode, key.decode
    encode_value, decode_value = value.encode, value.decode
    # The common case: the key is its own name.
    plain_keys = key.python_type is str

    def check(mapping: Any) -> None:
        _check(name, key, value, mapping)

    def encode(mapping: Any) -> lit.Literal:
        if not isinstance(mapping, dict):
            raise mismatch(name, mapping)
        fields: dict[str, lit.Literal] = {}
        each: Any = None
        try:
            for each, item in mapping.items():
                if plain_keys and type(each) is str and each.isascii():
                    fields[each] = encode_value(item)
                    continue
                try:
                    named = encode_key(each)
                except ValueMismatch as error:
                    raise _KeyTrouble(_of_key(error)) from None
                # A key of this kind is always written as a string.
                fields[named.value] = encode_value(item)  # type: ignore[union-attr, index]
        except _KeyTrouble as trouble:
            raise trouble.mismatch from None
        except ValueMismatch as error:
            raise under(error, _step(each)) from None
        return lit.MapLiteral(fields)

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if not isinstance(literal, lit.MapLiteral):
            raise literal_mismatch(name, literal)
        each = ""
        try:
            if plain_keys:
                # A loop, not a comprehension: its last key names the culprit.
                decoded = {}
                for each, item in literal.items.items():
                    decoded[each] = decode_value(item)
                return decoded
            other: dict[Any, Any] = {}
            for each, item in literal.items.items():
                other[decode_key(lit.StrLiteral(each))] = decode_value(item)
            return other
        except ValueMismatch as error:
            raise under(error, _step(each)) from None

    return Transformer(
        python_type, MapType(value.literal_type), check=check, encode=encode, decode=decode, name=name, classes=(dict,)
    )


class _KeyTrouble(Exception):
    """Carries the mismatch of a key past the handler that adds the steps of values."""

    def __init__(self, mismatch: ValueMismatch) -> None:
        self.mismatch = mismatch
        super().__init__()


def _pairs(python_type: Any, key: Transformer, value: Transformer) -> Transformer:
    name = type_name(python_type)

    def check(mapping: Any) -> None:
        _check(name, key, value, mapping)

    def encode(mapping: Any) -> lit.Literal:
        if not isinstance(mapping, dict):
            raise mismatch(name, mapping)
        pairs = []
        for each, item in mapping.items():
            try:
                encoded = key.encode(each)
            except ValueMismatch as error:
                raise _of_key(error) from None
            try:
                pairs.append(lit.ListLiteral((encoded, value.encode(item))))
            except ValueMismatch as error:
                raise under(error, _step(each)) from None
        return lit.ListLiteral(tuple(pairs))

    def decode(literal: lit.Literal) -> Any:
        decoded = {}
        for index, pair in enumerate(items_of(literal, name)):
            try:
                items = items_of(pair, f"a pair of {name}")
                if len(items) != 2:
                    raise literal_mismatch(f"a pair of {name}", pair)
                decoded[key.decode(items[0])] = value.decode(items[1])
            except ValueMismatch as error:
                raise under(error, f"[{index}]") from None
        return decoded

    literal_type = ListType(TupleType((key.literal_type, value.literal_type)))
    return Transformer(python_type, literal_type, check=check, encode=encode, decode=decode, name=name, classes=(dict,))


HOOK: Final = Hook(_matches, _build)
