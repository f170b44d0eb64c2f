"""Lists, sets and tuples, and the abstract sequences of ``collections.abc``.

A set is written in the order of its items' bytes, so that equal sets are equal literals.

Knows: literals, JSON-like values for items without a type. Must not know: other kinds.
"""

from __future__ import annotations

import collections.abc
import typing
from collections.abc import Callable
from operator import length_hint
from typing import Any, Final

from whimbrel.errors import ValueMismatch
from whimbrel.model import codec
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import ListType, TupleType
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.json import json_value
from whimbrel.types.mismatch import literal_mismatch, mismatch, type_name, under
from whimbrel.types.transformer import Transformer

_LISTS: Final = frozenset(
    {
        list,
        collections.abc.Sequence,
        collections.abc.MutableSequence,
        collections.abc.Collection,
        collections.abc.Iterable,
    }
)
_SETS: Final = {
    set: set,
    frozenset: frozenset,
    collections.abc.Set: frozenset,
    collections.abc.MutableSet: set,
}


def item_transformer(python_type: Any, registry: Transformers) -> Transformer:
    """The transformer of what a container holds; without a type, or with ``Any``, JSON-like values."""
    return json_value(registry) if python_type is Any else registry.transformer(python_type)


def _origin(python_type: Any) -> Any:
    # typing.get_origin gives the class for typing.List too, bare or not.
    return typing.get_origin(python_type) or python_type


def _is_list(python_type: Any) -> bool:
    origin = _origin(python_type)
    return isinstance(origin, type) and origin in _LISTS


def _is_set(python_type: Any) -> bool:
    origin = _origin(python_type)
    return isinstance(origin, type) and origin in _SETS


def _is_tuple(python_type: Any) -> bool:
    return _origin(python_type) is tuple


def _run(
    python_type: Any,
    item: Transformer,
    *,
    accepts: tuple[type, ...],
    make: Callable[[Any], Any],
    classes: tuple[type, ...],
) -> Transformer:
    """A sequence of equal items in order: a list, a variadic tuple. ``make`` builds it from a list."""
    name = type_name(python_type)
    check_item, encode_item, decode_item, plain = item.check, item.encode, item.decode, item.plain
    only_plain = frozenset((plain,))

    def fit(value: Any) -> Any:
        if not isinstance(value, accepts):
            raise mismatch(name, value)
        return value

    def check(value: Any) -> None:
        fit(value)
        if plain is not None and only_plain.issuperset(map(type, value)):
            return
        items = iter(value)
        try:
            for each in items:
                check_item(each)
        except ValueMismatch as error:
            raise under(error, f"[{_behind(value, items)}]") from None

    def encode(value: Any) -> lit.Literal:
        items = iter(fit(value))
        try:
            return lit.ListLiteral(tuple([encode_item(each) for each in items]))
        except ValueMismatch as error:
            raise under(error, f"[{_behind(value, items)}]") from None

    def decode(literal: lit.Literal) -> Any:
        items = iter(items_of(literal, name))
        try:
            return make([decode_item(each) for each in items])
        except ValueMismatch as error:
            raise under(error, f"[{_behind(items_of(literal, name), items)}]") from None

    return Transformer(
        python_type, ListType(item.literal_type), check=check, encode=encode, decode=decode, name=name, classes=classes
    )


def _behind(value: Any, items: Any) -> int:
    """The index of the item that ``items``, an iterator over ``value``, gave last: no counting while all goes well."""
    return len(value) - length_hint(items) - 1


def items_of(literal: lit.Literal, expected: str) -> tuple[lit.Literal, ...]:
    """The items of a list literal. Raises ``ValueMismatch`` for any other."""
    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    if not isinstance(literal, lit.ListLiteral):
        raise literal_mismatch(expected, literal)
    return literal.items


def _build_list(python_type: Any, registry: Transformers) -> Transformer:
    arguments = typing.get_args(python_type)
    item = item_transformer(arguments[0] if arguments else Any, registry)
    if _origin(python_type) is list:
        return _run(python_type, item, accepts=(list,), make=list, classes=(list,))
    # An abstract sequence takes a tuple too; a task gets a list.
    return _run(python_type, item, accepts=(list, tuple), make=list, classes=(list, tuple))


def _build_set(python_type: Any, registry: Transformers) -> Transformer:
    origin = _SETS[_origin(python_type)]
    accepts = (set, frozenset) if _origin(python_type) not in (set, frozenset) else (origin,)
    arguments = typing.get_args(python_type)
    item = item_transformer(arguments[0] if arguments else Any, registry)
    name = type_name(python_type)

    def check(value: Any) -> None:
        if not isinstance(value, accepts):
            raise mismatch(name, value)
        for each in value:
            item.check(each)

    def encode(value: Any) -> lit.Literal:
        if not isinstance(value, accepts):
            raise mismatch(name, value)
        return lit.ListLiteral(tuple(sorted([item.encode(each) for each in value], key=codec.canonical)))

    def decode(literal: lit.Literal) -> Any:
        items = items_of(literal, name)
        try:
            return origin([item.decode(each) for each in items])
        except TypeError as error:
            if isinstance(error, ValueMismatch):
                raise
            raise literal_mismatch(name, literal, "its items are not hashable") from None

    return Transformer(
        python_type, ListType(item.literal_type), check=check, encode=encode, decode=decode, name=name, classes=accepts
    )


def _build_tuple(python_type: Any, registry: Transformers) -> Transformer:
    arguments = typing.get_args(python_type)
    # tuple[()] has no arguments either, but an origin.
    bare = python_type is tuple or python_type is typing.Tuple  # noqa: UP006  both spellings are authors'
    if bare or (len(arguments) == 2 and arguments[1] is ...):
        item = item_transformer(Any if bare else arguments[0], registry)
        return _run(python_type, item, accepts=(tuple,), make=tuple, classes=(tuple,))
    items = tuple(item_transformer(argument, registry) for argument in arguments)
    return fixed_tuple(python_type, items)


def fixed_tuple(
    python_type: Any, items: tuple[Transformer, ...], *, names: tuple[str, ...] = (), of: Any = tuple
) -> Transformer:
    """A tuple of known length; with ``names``, the named tuple class ``of``."""
    name = type_name(python_type)
    steps = tuple(f".{field}" for field in names) or tuple(f"[{index}]" for index in range(len(items)))
    checks = tuple(zip(steps, (item.check for item in items), strict=True))
    encoders = tuple(zip(steps, (item.encode for item in items), strict=True))
    decoders = tuple(zip(steps, (item.decode for item in items), strict=True))
    size = len(items)
    plural = "item" if size == 1 else "items"
    make = getattr(of, "_make", tuple)

    def fit(value: Any) -> None:
        if not isinstance(value, of):
            raise mismatch(name, value)
        if len(value) != size:
            raise mismatch(f"{name} of {size} {plural}", value)

    def check(value: Any) -> None:
        fit(value)
        step = ""
        try:
            for (step, check_item), each in zip(checks, value, strict=True):  # noqa: B007  the handler names it
                check_item(each)
        except ValueMismatch as error:
            raise under(error, step) from None

    def encode(value: Any) -> lit.Literal:
        fit(value)
        step = ""
        encoded = []
        try:
            for (step, encode_item), each in zip(encoders, value, strict=True):  # noqa: B007  the handler names it
                encoded.append(encode_item(each))
        except ValueMismatch as error:
            raise under(error, step) from None
        return lit.ListLiteral(tuple(encoded))

    def decode(literal: lit.Literal) -> Any:
        given = items_of(literal, name)
        if len(given) != size:
            raise literal_mismatch(f"{name} of {size} {plural}", literal)
        step = ""
        decoded = []
        try:
            for (step, decode_item), each in zip(decoders, given, strict=True):  # noqa: B007  the handler names it
                decoded.append(decode_item(each))
        except ValueMismatch as error:
            raise under(error, step) from None
        return make(decoded)

    literal_type = TupleType(tuple(item.literal_type for item in items), names)
    return Transformer(python_type, literal_type, check=check, encode=encode, decode=decode, name=name, classes=(of,))


LIST: Final = Hook(_is_list, _build_list)
SET: Final = Hook(_is_set, _build_set)
TUPLE: Final = Hook(_is_tuple, _build_tuple)
