"""``TypedDict`` classes: dicts with known string keys.

Knows: literals, fields. Must not know: other kinds.
"""

from __future__ import annotations

import typing
from typing import Any, Final

import typing_extensions

from whimbrel.errors import UnsupportedType, ValueMismatch
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import StructType
from whimbrel.types.fields import field_hints
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import field_step, full_name, literal_mismatch, mismatch, shown_key, type_name, under
from whimbrel.types.transformer import Transformer

_QUALIFIERS: Final = {
    typing.Required,
    typing.NotRequired,
    typing_extensions.Required,
    typing_extensions.NotRequired,
    typing_extensions.ReadOnly,
}


def _matches(python_type: Any) -> bool:
    return typing_extensions.is_typeddict(typing.get_origin(python_type) or python_type)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    served = typing.get_origin(python_type) or python_type
    name = type_name(python_type)
    required, made = set(served.__required_keys__), {}
    for key, declared in field_hints(python_type).items():
        hint = declared
        while (origin := typing.get_origin(hint)) in _QUALIFIERS:
            # Under `from __future__ import annotations` the class could not see these when it was made.
            if "NotRequired" in str(origin):
                required.discard(key)
            elif "Required" in str(origin):
                required.add(key)
            hint = typing.get_args(hint)[0]
        try:
            made[key] = registry.transformer(hint)
        except UnsupportedType as error:
            raise UnsupportedType(f"key {key!r} of {full_name(python_type)}: {error}") from None
    encoders = {key: transformer.encode for key, transformer in made.items()}
    checks = {key: transformer.check for key, transformer in made.items()}
    decoders = {key: transformer.decode for key, transformer in made.items()}

    def fit(value: Any) -> None:
        if not isinstance(value, dict):
            raise mismatch(name, value)
        if not required <= value.keys():
            missing = ", ".join(repr(key) for key in made if key in required and key not in value)
            raise mismatch(f"{name} with {missing}", value)
        for key in value:
            if key not in made:
                raise mismatch(name, value, f"it has no key {shown_key(key)}")

    def check(value: Any) -> None:
        fit(value)
        key = ""
        try:
            for key, item in value.items():
                checks[key](item)
        except ValueMismatch as error:
            raise under(error, field_step(key)) from None

    def encode(value: Any) -> lit.Literal:
        fit(value)
        items = {}
        key = ""
        try:
            for key, item in value.items():
                items[key] = encoders[key](item)
        except ValueMismatch as error:
            raise under(error, field_step(key)) from None
        return lit.MapLiteral(items)

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if not isinstance(literal, lit.MapLiteral):
            raise literal_mismatch(name, literal)
        if not required <= literal.items.keys():
            missing = ", ".join(repr(key) for key in made if key in required and key not in literal.items)
            raise literal_mismatch(f"{name} with {missing}", literal)
        decoded = {}
        key = ""
        try:
            for key, item in literal.items.items():
                if key in decoders:
                    decoded[key] = decoders[key](item)
        except ValueMismatch as error:
            raise under(error, field_step(key)) from None
        return decoded

    return Transformer(
        python_type,
        StructType(
            full_name(python_type),
            {key: transformer.literal_type for key, transformer in made.items()},
            tuple(key for key in made if key not in required),
        ),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(dict,),
    )


HOOK: Final = Hook(_matches, _build, recursive=True)
