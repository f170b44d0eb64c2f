"""The classes that transformers are derived from."""

from __future__ import annotations

import asyncio
import contextvars
import html
import threading
import typing
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from flytekit._types.literal_types import LiteralType
from flytekit._types.literals import Binary, Literal
from flytekit.core.context_manager import FlyteContext

T = TypeVar("T")


class TypeTransformerFailedError(TypeError, AssertionError, ValueError):
    """A value does not fit, or a transformer cannot make one of it."""


class RestrictedTypeError(Exception):
    """The type was ruled out by ``TypeEngine.register_restricted_type``."""


def is_annotated(t: Any) -> bool:
    """Whether a type is ``Annotated``."""
    return typing.get_origin(t) is typing.Annotated


def get_underlying_type(t: Any) -> Any:
    """A type without its annotations."""
    return t.__origin__ if is_annotated(t) else t


class TypeTransformer(Generic[T]):
    """Teaches a class: derive from it, and give an instance to ``TypeEngine.register``."""

    def __init__(self, name: str, t: type[T], enable_type_assertions: bool = True) -> None:
        self._t = t
        self._name = name
        self._type_assertions_enabled = enable_type_assertions

    @property
    def name(self) -> str:
        """What it is called."""
        return self._name

    @property
    def python_type(self) -> type[T]:
        """The class that it serves, with its subclasses."""
        return self._t

    @property
    def is_async(self) -> bool:
        """Whether it has ``async_to_literal`` and ``async_to_python_value``."""
        return False

    @property
    def type_assertions_enabled(self) -> bool:
        """Whether values are looked at before they are transformed."""
        return self._type_assertions_enabled

    def assert_type(self, t: type[T], v: T) -> None:
        """Raise ``TypeTransformerFailedError`` unless ``v`` is of type ``t``."""
        served = get_underlying_type(t)
        served = typing.get_origin(served) or served
        if isinstance(served, type) and not isinstance(v, served):
            raise TypeTransformerFailedError(f"Expected value of type {t} but got '{v}' of type {type(v)}")

    def isinstance_generic(self, obj: Any, generic_alias: Any) -> None:
        """Raise ``TypeTransformerFailedError`` unless ``obj`` is of the class that an alias is of."""
        origin = typing.get_origin(generic_alias)
        if not isinstance(obj, origin):
            raise TypeTransformerFailedError(f"Value '{obj}' is not of container type {origin}")

    def get_literal_type(self, t: type[T]) -> LiteralType:
        """The literal type of a value of type ``t``."""
        raise NotImplementedError("Conversion to LiteralType should be implemented")

    def guess_python_type(self, literal_type: LiteralType) -> type[T]:
        """The Python type for a literal type. Raises ``ValueError`` if it is not of this transformer."""
        raise ValueError(f"{self.name} guesses no type")

    def to_literal(self, ctx: FlyteContext, python_val: T, python_type: type[T], expected: LiteralType) -> Literal:
        """The literal of a value."""
        raise NotImplementedError(f"{type(self).__name__} has no to_literal")

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: type[T]) -> T | None:
        """The value of a literal."""
        raise NotImplementedError(f"{type(self).__name__} has no to_python_value")

    def from_binary_idl(self, binary_idl_object: Binary, expected_python_type: type[T]) -> T | None:
        """The value of bytes in MessagePack, of the types that whimbrel knows."""
        if binary_idl_object.tag != "msgpack":
            raise TypeTransformerFailedError(f"bytes of the encoding {binary_idl_object.tag!r} cannot be read")
        from msgspec import convert, msgpack

        decoded: T = convert(msgpack.decode(binary_idl_object.value), expected_python_type)
        return decoded

    def to_html(self, ctx: FlyteContext, python_val: T, expected_python_type: type[T]) -> str:
        """A value as it is shown in a deck."""
        return html.escape(str(python_val))

    def __repr__(self) -> str:
        return f"{self._name} Transforms ({self._t}) to Flyte native"


class AsyncTypeTransformer(TypeTransformer[T]):
    """One whose methods are coroutines."""

    @property
    def is_async(self) -> bool:
        """It is."""
        return True

    async def async_to_literal(
        self, ctx: FlyteContext, python_val: T, python_type: type[T], expected: LiteralType
    ) -> Literal:
        """The literal of a value."""
        raise NotImplementedError(f"{type(self).__name__} has no async_to_literal")

    async def async_to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: type[T]) -> T | None:
        """The value of a literal."""
        raise NotImplementedError(f"{type(self).__name__} has no async_to_python_value")

    def to_literal(self, ctx: FlyteContext, python_val: T, python_type: type[T], expected: LiteralType) -> Literal:
        """The literal of a value."""
        return _finished(self.async_to_literal(ctx, python_val, python_type, expected))

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: type[T]) -> T | None:
        """The value of a literal."""
        return _finished(self.async_to_python_value(ctx, lv, expected_python_type))


R = TypeVar("R")


def _finished(coroutine: Coroutine[Any, Any, R]) -> R:
    """The result of a coroutine, on an event loop of its own: the one that runs here is the program's."""
    result: list[R] = []
    trouble: list[BaseException] = []

    def run() -> None:
        try:
            result.append(asyncio.run(coroutine))
        except BaseException as error:
            trouble.append(error)

    thread = threading.Thread(target=contextvars.copy_context().run, args=(run,), name="transformer")
    thread.start()
    thread.join()
    if trouble:
        raise trouble[0]
    return result[0]


class SimpleTransformer(TypeTransformer[T]):
    """One of two functions."""

    def __init__(
        self,
        name: str,
        t: type[T],
        lt: LiteralType,
        to_literal_transformer: Callable[[T], Literal],
        from_literal_transformer: Callable[[Literal], T],
    ) -> None:
        super().__init__(name, t)
        self._lt = lt
        self._to = to_literal_transformer
        self._from = from_literal_transformer

    @property
    def base_type(self) -> type[T]:
        """The class that it serves."""
        return self._t

    def get_literal_type(self, t: type[T] | None = None) -> LiteralType:
        """The literal type that was given."""
        return self._lt

    def guess_python_type(self, literal_type: LiteralType) -> type[T]:
        """The class that it serves, for its literal type."""
        if literal_type.simple is not None and literal_type.simple == self._lt.simple:
            return self._t
        raise ValueError(f"Transformer {self} cannot reverse {literal_type}")

    def to_literal(self, ctx: FlyteContext, python_val: T, python_type: type[T], expected: LiteralType) -> Literal:
        """What the function makes of a value."""
        return self._to(python_val)

    def to_python_value(self, ctx: FlyteContext, lv: Literal, expected_python_type: type[T]) -> T:
        """What the other function makes of a literal."""
        return self._from(lv)
