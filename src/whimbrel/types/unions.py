"""``Optional`` and ``Union``, also written ``X | Y``.

A value goes to the first variant that names its exact class, else to the first that accepts it. The literal remembers
which one it was.

Knows: literals. Must not know: other kinds.
"""

from __future__ import annotations

import types
import typing
from typing import Any, Final

from whimbrel.errors import ValueMismatch
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import FLOAT, INTEGER, NONE, STRING, LiteralType, UnionType
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import literal_mismatch, mismatch, type_name
from whimbrel.types.transformer import Transformer

# The type that a bare literal was written for, where nothing says so.
_NATURAL: Final[dict[type, LiteralType]] = {
    lit.NoneLiteral: NONE,
    lit.IntLiteral: INTEGER,
    lit.BigIntLiteral: INTEGER,
    lit.FloatLiteral: FLOAT,
    lit.StrLiteral: STRING,
}


def _matches(python_type: Any) -> bool:
    origin = typing.get_origin(python_type)
    return origin is typing.Union or origin is types.UnionType


def _build(python_type: Any, registry: Transformers) -> Transformer:
    variants = tuple(registry.transformer(argument) for argument in typing.get_args(python_type))
    name = type_name(python_type)
    count = len(variants)
    indices = tuple(range(count))
    by_class: dict[type, tuple[int, ...]] = {}
    for index, variant in enumerate(variants):
        for kind in variant.classes:
            by_class[kind] = (*by_class.get(kind, ()), index)
    # What is tried for a value of each class: the variants that name it, then the others in the author's order.
    order = {kind: named + tuple(i for i in indices if i not in named) for kind, named in by_class.items()}
    sole = {kind: named[0] for kind, named in by_class.items() if len(named) == 1}
    checks = tuple(variant.check for variant in variants)
    encoders = tuple(variant.encode for variant in variants)
    decoders = tuple(variant.decode for variant in variants)
    types_ = tuple(variant.literal_type for variant in variants)

    def refusal(value: Any, errors: dict[int, ValueMismatch]) -> ValueMismatch:
        # Only one variant is of this class: what it found inside the value says more than that the union does not fit.
        expected = sole.get(type(value))
        if expected is not None:
            return errors[expected]
        return mismatch(name, value)

    def check(value: Any) -> None:
        errors = {}
        for index in order.get(type(value), indices):
            try:
                return checks[index](value)
            except ValueMismatch as error:
                errors[index] = error
        raise refusal(value, errors)

    def encode(value: Any) -> lit.Literal:
        errors = {}
        for index in order.get(type(value), indices):
            try:
                return lit.UnionLiteral(index, encoders[index](value))
            except ValueMismatch as error:
                errors[index] = error
        raise refusal(value, errors)

    natural = {
        kind: tuple(sorted(indices, key=lambda index: types_[index] != literal_type))
        for kind, literal_type in _NATURAL.items()
    }

    def decode(literal: lit.Literal) -> Any:
        tag = -1
        if isinstance(literal, lit.UnionLiteral):
            tag, literal = literal.variant, literal.value
        given = natural.get(type(literal), indices)
        # The index may be that of another union, which gave this one its value. A float reads integers but never
        # writes one.
        if 0 <= tag < count and not (types_[tag] == FLOAT and isinstance(literal, lit.IntLiteral)):
            given = (tag, *(index for index in given if index != tag))
        errors = []
        for index in given:
            try:
                return decoders[index](literal)
            except ValueMismatch as error:
                errors.append(error)
        deepest = [error for error in errors if error.path != "$"]
        raise deepest[0] if len(deepest) == 1 else literal_mismatch(name, literal)

    return Transformer(
        python_type,
        UnionType(types_),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=tuple(by_class),
    )


HOOK: Final = Hook(_matches, _build)
