"""What turns values of one Python type into literals and back, and the class to derive from for types of one's own.

Knows: literal types, literals, errors. Must not know: any one kind of type, the registry.
"""

from __future__ import annotations

import typing
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from whimbrel.model.literal_types import LiteralType
from whimbrel.model.literals import Literal
from whimbrel.types.mismatch import mismatch, type_name

T = TypeVar("T")


class Transformer:
    """The hooks for one Python type, made once by the registry.

    ``check(value)``, ``encode(value)`` and ``decode(literal)`` raise ``ValueMismatch`` with a path into the value;
    ``check`` accepts what ``encode`` accepts. ``classes`` are the classes whose instances a union tries here first;
    ``plain`` is a class of which every exact instance fits, so that containers need not look at each. Values of a type
    that is ``remade`` are used up by who gets them: in a plain call too, each gets one of its own, decoded anew.
    """

    __slots__ = ("check", "classes", "decode", "encode", "literal_type", "name", "plain", "python_type", "remade")

    def __init__(
        self,
        python_type: Any,
        literal_type: LiteralType,
        *,
        check: Callable[[Any], None],
        encode: Callable[[Any], Literal],
        decode: Callable[[Literal], Any],
        name: str = "",
        classes: tuple[type, ...] = (),
        plain: type | None = None,
        remade: bool = False,
    ) -> None:
        self.python_type = python_type
        self.literal_type = literal_type
        self.check = check
        self.encode = encode
        self.decode = decode
        self.name = name or type_name(python_type)
        self.classes = classes
        self.plain = plain
        self.remade = remade

    def __repr__(self) -> str:
        return f"Transformer({self.name})"

    def renamed(self, python_type: Any) -> Transformer:
        """The same hooks under another spelling of the type (``Annotated``, ``NewType``)."""
        return Transformer(
            python_type,
            self.literal_type,
            check=self.check,
            encode=self.encode,
            decode=self.decode,
            name=self.name,
            classes=self.classes,
            plain=self.plain,
            remade=self.remade,
        )


class TypeTransformer(ABC, Generic[T]):
    """Derive from it to teach whimbrel a class; register an instance, or name it in the entry-point group
    ``whimbrel.types``.

    It serves ``python_type``, its subclasses and, if it is generic, its parametrisations; each method is told which
    one was declared, with its ``Annotated`` metadata. ``to_literal`` and ``to_python`` may raise ``ValueMismatch``;
    the path is added for them.
    """

    python_type: type[T]

    @abstractmethod
    def literal_type(self, python_type: Any) -> LiteralType:
        """The literal type that values of ``python_type`` have."""

    @abstractmethod
    def to_literal(self, value: T, python_type: Any) -> Literal:
        """``value`` as a literal of ``literal_type(python_type)``."""

    @abstractmethod
    def to_python(self, literal: Literal, python_type: Any) -> T:
        """The value of ``literal``; the inverse of ``to_literal``."""

    def check(self, value: Any, python_type: Any) -> None:
        """Raise ``ValueMismatch`` unless ``value`` fits; called on every plain Python call, so it should be quick."""
        if not isinstance(value, self.python_type):
            raise mismatch(type_name(python_type), value)


def hooks_of(transformer: TypeTransformer[Any], python_type: Any) -> Transformer:
    """A user's transformer, bound to the declared type."""

    def check(value: Any) -> None:
        transformer.check(value, python_type)

    def encode(value: Any) -> Literal:
        transformer.check(value, python_type)
        return transformer.to_literal(value, python_type)

    def decode(literal: Literal) -> Any:
        return transformer.to_python(literal, python_type)

    declared = python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type
    served = typing.get_origin(declared) or declared
    return Transformer(
        python_type,
        transformer.literal_type(python_type),
        check=check,
        encode=encode,
        decode=decode,
        classes=(served,),
    )
