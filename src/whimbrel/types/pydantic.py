"""pydantic models (version 2). pydantic is never imported here: a program that has a model has imported it.

A field whose type whimbrel knows travels as that type; any other (``HttpUrl``, a validated custom type) as the JSON
that pydantic writes for it, if it reads that as the same value. Reading runs the model's validators; fields that
whimbrel knows then hold exactly what they held.

Knows: literals, JSON-like values, pydantic's public model API. Must not know: other kinds.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final

from whimbrel.errors import UnsupportedType, ValueMismatch
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import ANY, StructType
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.json import json_value
from whimbrel.types.mismatch import field_step, full_name, literal_mismatch, mismatch, type_name, under
from whimbrel.types.transformer import Transformer


def _base(name: str) -> Any:
    """A class of pydantic's, or an empty tuple (which nothing is an instance or subclass of) before anybody has
    imported it.
    """
    return getattr(sys.modules.get("pydantic"), name, ())


def _matches(python_type: Any) -> bool:
    return isinstance(python_type, type) and issubclass(python_type, _base("BaseModel"))


def _build(python_type: Any, registry: Transformers) -> Transformer:
    if not python_type.__pydantic_complete__:
        try:
            python_type.model_rebuild()
        except Exception as error:
            raise UnsupportedType(f"the model {full_name(python_type)} is not complete: {error}") from None
    if issubclass(python_type, _base("RootModel")):
        return _root(python_type, registry)
    return _model(python_type, registry)


def _field(python_type: Any, name: str, registry: Transformers) -> Transformer | None:
    """The transformer of a field; ``None`` when pydantic's JSON has to do."""
    info = python_type.model_fields[name]
    try:
        return registry.transformer(Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation)
    except UnsupportedType:
        return None


def _model(python_type: Any, registry: Transformers) -> Transformer:
    name = type_name(python_type)
    fields = python_type.model_fields
    made = {field: _field(python_type, field, registry) for field in fields}
    known = {field: transformer for field, transformer in made.items() if transformer is not None}
    foreign = {field for field in fields if field not in known}
    # Names by which the model takes its fields: an alias if there is one.
    given_as = {field: _input_name(field, info) for field, info in fields.items()}
    json = json_value(registry)

    def check(value: Any) -> None:
        if type(value) is not python_type:
            raise mismatch(name, value)
        field = ""
        try:
            for field, transformer in known.items():
                transformer.check(getattr(value, field))
        except ValueMismatch as error:
            raise under(error, field_step(field)) from None
        if foreign or value.__pydantic_extra__:
            encode(value)

    def _others(value: Any) -> dict[str, Any]:
        """Fields that only pydantic knows, and extra ones, as JSON."""
        try:
            return dict(value.model_dump(mode="json", exclude=set(known), round_trip=True))
        except Exception as error:
            raise mismatch(name, value, f"pydantic cannot write it as JSON: {error}") from None

    def encode(value: Any) -> lit.Literal:
        if type(value) is not python_type:
            raise mismatch(name, value)
        items: dict[str, lit.Literal] = {}
        others: Mapping[str, Any] = _others(value) if foreign or value.__pydantic_extra__ else {}
        field = ""
        try:
            for field, transformer in made.items():
                items[field] = (
                    json.encode(others[field]) if transformer is None else transformer.encode(getattr(value, field))
                )
            for field in others:
                if field not in items:
                    items[field] = json.encode(others[field])
        except ValueMismatch as error:
            raise under(error, field_step(field)) from None
        literal = lit.MapLiteral(items)
        if foreign:
            # pydantic writes some classes as a shadow of themselves (any iterable is a list).
            again = decode(literal)
            for field in sorted(foreign):
                if getattr(again, field) != getattr(value, field):
                    raise under(
                        mismatch("a value that pydantic reads as it wrote it", getattr(value, field)), f".{field}"
                    )
        return literal

    def decode(literal: lit.Literal) -> Any:
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if not isinstance(literal, lit.MapLiteral):
            raise literal_mismatch(name, literal)
        values: dict[str, Any] = {}
        field = ""
        try:
            for field, item in literal.items.items():
                transformer = known.get(field, json)
                values[field] = transformer.decode(item)
        except ValueMismatch as error:
            raise under(error, field_step(field)) from None
        instance = _validated(python_type, name, {given_as.get(field, field): value for field, value in values.items()})
        # A validator may change what it is given; what comes back is what was sent.
        instance.__dict__.update((field, value) for field, value in values.items() if field in known)
        return instance

    return Transformer(
        python_type,
        StructType(
            full_name(python_type),
            {field: ANY if transformer is None else transformer.literal_type for field, transformer in made.items()},
            tuple(field for field, info in fields.items() if not info.is_required()),
        ),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(python_type,),
    )


def _root(python_type: Any, registry: Transformers) -> Transformer:
    """A ``RootModel`` is what its root is."""
    name = type_name(python_type)
    inner = _field(python_type, "root", registry) or json_value(registry)
    native = inner.literal_type != ANY

    def root_of(value: Any) -> Any:
        if type(value) is not python_type:
            raise mismatch(name, value)
        return value.root if native else value.model_dump(mode="json", round_trip=True)

    def check(value: Any) -> None:
        inner.check(root_of(value))

    def encode(value: Any) -> lit.Literal:
        return inner.encode(root_of(value))

    def decode(literal: lit.Literal) -> Any:
        return _validated(python_type, name, inner.decode(literal))

    return Transformer(
        python_type, inner.literal_type, check=check, encode=encode, decode=decode, name=name, classes=(python_type,)
    )


def _validated(python_type: Any, name: str, values: Any) -> Any:
    try:
        return python_type.model_validate(values)
    except ValueError as error:
        problems = getattr(error, "errors", None)
        if problems is None:
            raise
        first = problems(include_url=False)[0]
        steps = "".join(f"[{step}]" if isinstance(step, int) else field_step(str(step)) for step in first["loc"])
        raise ValueMismatch(name, f"{first.get('input')!r} ({first['msg']})", f"${steps}") from None


def _input_name(field: str, info: Any) -> str:
    alias = info.validation_alias if info.validation_alias is not None else info.alias
    if alias is None:
        return field
    if isinstance(alias, str):
        return alias
    # AliasChoices: any of its plain names will do.
    names = [choice for choice in getattr(alias, "choices", ()) if isinstance(choice, str)]
    return names[0] if names else field


HOOK: Final = Hook(_matches, _build, recursive=True)
