"""Transformers that are written for flytekit, served by whimbrel's registry.

Values move as whimbrel's literals; a transformer sees flytekit's. A plain Python call only checks that values fit
(``assert_type``), as whimbrel does for every type.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flytekit._types.literal_types import LiteralType, SimpleType
from flytekit._types.literals import Literal, LiteralMap
from flytekit._types.transformers import (
    AsyncTypeTransformer,
    RestrictedTypeError,
    TypeTransformer,
    get_underlying_type,
)
from flytekit._types.translating import literal, literal_type, model_literal, model_type
from flytekit.core.context_manager import FlyteContext, FlyteContextManager
from whimbrel.errors import ValueMismatch
from whimbrel.model import literal_types as types
from whimbrel.model import literals as lit
from whimbrel.types.mismatch import full_name, mismatch, type_name
from whimbrel.types.registry import default_registry
from whimbrel.types.transformer import TypeTransformer as _OurTransformer


class _Adapted(_OurTransformer[Any]):
    """A transformer for flytekit, as whimbrel's registry knows them."""

    def __init__(self, theirs: TypeTransformer[Any], python_type: type) -> None:
        self.theirs = theirs
        self.python_type = python_type

    def literal_type(self, python_type: Any) -> types.LiteralType:
        return model_type(self.theirs.get_literal_type(python_type))

    def check(self, value: Any, python_type: Any) -> None:
        if not self.theirs.type_assertions_enabled:
            return
        try:
            self.theirs.assert_type(python_type, value)
        except ValueMismatch:
            raise
        except (TypeError, AssertionError) as error:
            # The base class says no more than the mismatch does.
            own = type(self.theirs).assert_type is not TypeTransformer.assert_type
            raise mismatch(type_name(python_type), value, str(error) if own else "") from None

    def to_literal(self, value: Any, python_type: Any) -> lit.Literal:
        expected = self.theirs.get_literal_type(python_type)
        made = self.theirs.to_literal(FlyteContextManager.current_context(), value, python_type, expected)
        return model_literal(made, model_type(expected))

    def to_python(self, literal_: lit.Literal, python_type: Any) -> Any:
        said = literal(literal_, self.literal_type(python_type))
        return self.theirs.to_python_value(FlyteContextManager.current_context(), said, python_type)


class _Known(TypeTransformer[Any]):
    """A type that whimbrel knows by itself, as a transformer for flytekit: for those that hand parts of a value on."""

    def __init__(self, python_type: Any) -> None:
        super().__init__(type_name(python_type), python_type)
        self._ours = default_registry().transformer(python_type)

    def assert_type(self, t: Any, v: Any) -> None:
        self._ours.check(v)

    def get_literal_type(self, t: Any = None) -> LiteralType:
        return literal_type(self._ours.literal_type)

    def to_literal(self, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        return literal(self._ours.encode(python_val), self._ours.literal_type)

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        return self._ours.decode(model_literal(lv, self._ours.literal_type))


class _Refused(TypeTransformer[Any]):
    """A type that was ruled out."""

    def get_literal_type(self, t: Any = None) -> LiteralType:
        raise RestrictedTypeError(f"{self.name} was ruled out by TypeEngine.register_restricted_type")


_GUESSES: Mapping[int, Any] = {
    SimpleType.NONE: type(None),
    SimpleType.INTEGER: int,
    SimpleType.FLOAT: float,
    SimpleType.STRING: str,
    SimpleType.BOOLEAN: bool,
    SimpleType.STRUCT: dict,
}


class TypeEngine:
    """Transformers by Python type. There is one registry in a process."""

    @classmethod
    def register(cls, transformer: TypeTransformer[Any], additional_types: Sequence[type] | None = None) -> None:
        """Serve the class of ``transformer``, and others. Raises ``ValueError`` if one of them has one already."""
        for python_type in [transformer.python_type, *(additional_types or ())]:
            cls.register_additional_type(transformer, python_type)

    @classmethod
    def register_additional_type(
        cls, transformer: TypeTransformer[Any], additional_type: type, override: bool = False
    ) -> None:
        """Serve one more class."""
        registry = default_registry()
        present = registry.registered(additional_type)
        taken = present is not None and present.python_type is additional_type
        if (taken or additional_type.__module__ in ("builtins", "datetime")) and not override:
            name = full_name(additional_type)
            raise ValueError(
                f"{transformer.name} cannot serve {name}, which has a transformer already. "
                "Pass override=True to TypeEngine.register_additional_type to take its place."
            )
        # Classes that whimbrel knows and flytekit does not are the author's to serve.
        registry.register(_Adapted(transformer, additional_type), replace=True)

    @classmethod
    def register_restricted_type(cls, name: str, type: type) -> None:
        """Rule a class out: declaring it raises ``RestrictedTypeError``."""
        cls.register_additional_type(_Refused(name, type), type)

    @classmethod
    def lazy_import_transformers(cls) -> None:
        """There is nothing to import: kinds of type are loaded when they are first met."""

    @classmethod
    def get_transformer(cls, python_type: Any) -> TypeTransformer[Any]:
        """The transformer of a type. Raises ``UnsupportedType``, a ``TypeError``, if there is none."""
        present = default_registry().registered(get_underlying_type(python_type))
        return present.theirs if isinstance(present, _Adapted) else _Known(python_type)

    @classmethod
    def get_available_transformers(cls) -> list[type]:
        """The classes that have a transformer of their own."""
        return list(default_registry().users)

    @classmethod
    def to_literal_type(cls, python_type: Any) -> LiteralType:
        """The literal type of a Python type."""
        return cls.get_transformer(python_type).get_literal_type(python_type)

    @classmethod
    def to_literal(cls, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType) -> Literal:
        """The literal of a value. Raises ``ValueMismatch``, a ``TypeError``, if it does not fit."""
        transformer = cls.get_transformer(python_type)
        if transformer.type_assertions_enabled:
            transformer.assert_type(python_type, python_val)
        return transformer.to_literal(ctx, python_val, python_type, expected)

    @classmethod
    def to_python_value(cls, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """The value of a literal."""
        return cls.get_transformer(expected_python_type).to_python_value(ctx, lv, expected_python_type)

    @classmethod
    async def async_to_literal(
        cls, ctx: FlyteContext, python_val: Any, python_type: Any, expected: LiteralType
    ) -> Literal:
        """The literal of a value."""
        transformer = cls.get_transformer(python_type)
        if isinstance(transformer, AsyncTypeTransformer):
            transformer.assert_type(python_type, python_val)
            made: Literal = await transformer.async_to_literal(ctx, python_val, python_type, expected)
            return made
        return cls.to_literal(ctx, python_val, python_type, expected)

    @classmethod
    async def async_to_python_value(cls, ctx: FlyteContext, lv: Literal, expected_python_type: Any) -> Any:
        """The value of a literal."""
        transformer = cls.get_transformer(expected_python_type)
        if isinstance(transformer, AsyncTypeTransformer):
            return await transformer.async_to_python_value(ctx, lv, expected_python_type)
        return transformer.to_python_value(ctx, lv, expected_python_type)

    @classmethod
    def dict_to_literal_map(
        cls, ctx: FlyteContext, d: Mapping[str, Any], type_hints: Mapping[str, Any] | None = None
    ) -> LiteralMap:
        """Values by name, as literals."""
        made = {}
        for name, value in d.items():
            python_type = (type_hints or {}).get(name, type(value))
            made[name] = cls.to_literal(ctx, value, python_type, cls.to_literal_type(python_type))
        return LiteralMap(made)

    @classmethod
    def literal_map_to_kwargs(
        cls, ctx: FlyteContext, lm: LiteralMap, python_types: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Literals by name, as values."""
        known = python_types or {}
        strange = sorted(set(lm.literals) - set(known))
        if strange:
            raise ValueError(f"no Python type is given for {', '.join(strange)}: pass python_types")
        return {name: cls.to_python_value(ctx, each, known[name]) for name, each in lm.literals.items()}

    @classmethod
    def guess_python_type(cls, flyte_type: LiteralType) -> Any:
        """A Python type for a literal type. Raises ``ValueError`` if nobody knows one."""
        for present in dict.fromkeys(default_registry().users.values()):
            if isinstance(present, _Adapted):
                try:
                    return present.theirs.guess_python_type(flyte_type)
                except (ValueError, NotImplementedError):
                    continue
        if flyte_type.simple is not None and flyte_type.simple in _GUESSES:
            return _GUESSES[flyte_type.simple]
        if flyte_type.collection_type is not None:
            return list[cls.guess_python_type(flyte_type.collection_type)]  # type: ignore[misc]  # made at run time
        if flyte_type.map_value_type is not None:
            return dict[str, cls.guess_python_type(flyte_type.map_value_type)]  # type: ignore[misc]  # made at run time
        raise ValueError(f"No transformers could reverse Flyte literal type {flyte_type}")

    @classmethod
    def to_html(cls, ctx: FlyteContext, python_val: Any, expected_python_type: Any) -> str:
        """A value as it is shown in a deck."""
        return cls.get_transformer(expected_python_type).to_html(ctx, python_val, expected_python_type)
