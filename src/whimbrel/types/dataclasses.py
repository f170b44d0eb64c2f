"""Dataclasses: nested, generic, frozen, slotted, with defaults, and recursive ones.

A value comes back with every field as it was. Its constructor is called, so that ``__post_init__`` sets up what is
not a field; where the constructor cannot be called with the fields alone (an ``InitVar`` without a default, an
``__init__`` of one's own) it is not.

Knows: literals, fields. Must not know: other kinds.
"""

from __future__ import annotations

import typing
from collections.abc import Callable
from typing import Any, Final

from whimbrel.errors import ValueMismatch
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import StructType
from whimbrel.types.fields import field_transformers
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import full_name, literal_mismatch, mismatch, type_name, under
from whimbrel.types.transformer import Transformer

_SUBCLASS: Final = "a subclass, whose own part would be lost: declare it, or a union of both"


def _matches(python_type: Any) -> bool:
    served = typing.get_origin(python_type) or python_type
    return isinstance(served, type) and "__dataclass_fields__" in vars(served)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    import dataclasses  # who has a dataclass has it already; it costs as much as the rest of this room

    served: Any = typing.get_origin(python_type) or python_type
    fields = dataclasses.fields(served)
    made = field_transformers(python_type, [field.name for field in fields], registry)
    name = type_name(python_type)
    defaulted = tuple(
        field.name
        for field in fields
        if field.default is not dataclasses.MISSING
        or field.default_factory is not dataclasses.MISSING
        or not field.init
    )
    init = frozenset(field.name for field in fields if field.init)
    constructs = _takes(served.__init__, init)
    # With __post_init__ a field may come out of the constructor other than it went in.
    sets = tuple(field.name for field in fields if not constructs or not field.init or hasattr(served, "__post_init__"))
    checks = tuple((field, transformer.check) for field, transformer in made.items())
    encoders = tuple((field, transformer.encode) for field, transformer in made.items())
    decoders = tuple((field, transformer.decode, field in defaulted) for field, transformer in made.items())
    factories: dict[str, Callable[[], Any]] = {}
    for item in fields:
        if item.default is not dataclasses.MISSING:
            factories[item.name] = _constant(item.default)
        elif item.default_factory is not dataclasses.MISSING:
            factories[item.name] = item.default_factory

    def refusal(value: Any) -> ValueMismatch:
        return mismatch(name, value, _SUBCLASS if isinstance(value, served) else "")

    def check(value: Any) -> None:
        if type(value) is not served:
            raise refusal(value)
        field = ""
        try:
            for field, check_field in checks:
                check_field(getattr(value, field))
        except ValueMismatch as error:
            raise under(error, f".{field}") from None
        except AttributeError:
            raise _unset(name, value, field) from None

    def encode(value: Any) -> lit.Literal:
        if type(value) is not served:
            raise refusal(value)
        items = {}
        field = ""
        try:
            for field, encode_field in encoders:
                items[field] = encode_field(getattr(value, field))
        except ValueMismatch as error:
            raise under(error, f".{field}") from None
        except AttributeError:
            raise _unset(name, value, field) from None
        return lit.MapLiteral(items)

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if not isinstance(literal, lit.MapLiteral):
            raise literal_mismatch(name, literal)
        given = literal.items
        values: dict[str, Any] = {}
        field = ""
        try:
            for field, decode_field, may_lack in decoders:
                if field in given:
                    values[field] = decode_field(given[field])
                elif not may_lack:
                    raise literal_mismatch(f"{name} with {field!r}", literal)
        except ValueMismatch as error:
            raise (under(error, f".{field}") if field in given else error) from None
        if constructs:
            instance = served(**{field: value for field, value in values.items() if field in init})
        else:
            instance = object.__new__(served)
            for field, factory in factories.items():
                values.setdefault(field, factory())
        for field in sets:
            if field in values:
                # Past a frozen class's refusal: the instance is being made.
                object.__setattr__(instance, field, values[field])
        return instance

    return Transformer(
        python_type,
        StructType(full_name(python_type), {field: made[field].literal_type for field in made}, defaulted),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(served,),
    )


def _unset(name: str, value: Any, field: str) -> Exception:
    if hasattr(value, field):
        # A property or descriptor of the author's failed: that is not a matter of types.
        return mismatch(name, value, f"its field {field!r} cannot be read")
    return ValueMismatch(name, f"{type(value).__name__} (its field {field!r} was never set)")


def _constant(value: Any) -> Callable[[], Any]:
    return lambda: value


def _takes(constructor: Any, fields: frozenset[str]) -> bool:
    """Whether ``constructor`` can be called with these keywords and no other argument."""
    code = getattr(constructor, "__code__", None)
    if code is None:
        return not fields
    named = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
    optional = len(constructor.__defaults__ or ())
    positional = code.co_varnames[1 : code.co_argcount]
    keyword_defaults = constructor.__kwdefaults__ or {}
    required = {
        *positional[: len(positional) - optional],
        *(name for name in named[len(positional) :] if name not in keyword_defaults),
    }
    return code.co_posonlyargcount <= 1 and fields <= set(named) and required <= fields


HOOK: Final = Hook(_matches, _build, recursive=True)
