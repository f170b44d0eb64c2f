"""Arguments of calls in a workflow's body, turned into bindings: constants, promises, containers with promises in them.

Knows promises and transformers. Must not know nodes or callers.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import Any

from whimbrel.authoring.promise import Expression, Outputs, Promise, Void
from whimbrel.authoring.standin import Standin
from whimbrel.errors import CallMismatch, UnsupportedType, ValueMismatch
from whimbrel.model.literal_types import LiteralType
from whimbrel.model.literals import Literal
from whimbrel.model.program import Binding, ListBinding, LiteralBinding, MapBinding
from whimbrel.types.held import holds_value, unhashed
from whimbrel.types.registry import default_registry
from whimbrel.types.transformer import Transformer

_PLAIN = (int, str, float, bool, type(None), bytes)


class Binder:
    """Makes bindings. Raises ``CallMismatch`` with a sentence on what does not fit; the caller adds the place."""

    def constant(self, literal: Literal) -> LiteralBinding:
        """A literal as a binding."""
        return LiteralBinding(literal)

    def bind(self, value: Any, transformer: Transformer) -> Binding:
        """``value`` where a value of ``transformer``'s type is wanted."""
        if isinstance(value, Promise):
            return typing.cast(Any, value)._binding()  # type: ignore[no-any-return]
        if type(value) in _PLAIN or not holds_standin(value):
            return LiteralBinding(self._encode(value, transformer))
        if isinstance(value, Standin | Outputs):
            raise CallMismatch(_standin_fault(value))
        kind = transformer.python_type
        if isinstance(value, list | tuple):
            items = [self.bind(item, self._item(kind, position, item)) for position, item in enumerate(value)]
            return ListBinding(tuple(items))
        if isinstance(value, Mapping):
            fields = value.items()
        else:
            fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}.items()
        return MapBinding({str(key): self.bind(item, self._item(kind, key, item)) for key, item in fields})

    def free(self, value: Any) -> tuple[Binding, LiteralType | None]:
        """``value`` where no type is wanted (in a condition, or given by an arm), and its literal type."""
        if isinstance(value, Promise):
            promise = typing.cast(Any, value)
            return promise._binding(), promise._kind
        if isinstance(value, Standin):
            raise CallMismatch(_standin_fault(value))
        transformer = self._of(value)
        return LiteralBinding(self._encode(value, transformer)), transformer.literal_type

    def _encode(self, value: Any, transformer: Transformer) -> Literal:
        try:
            literal = transformer.encode(value)
        except ValueMismatch as error:
            raise CallMismatch(f"expected {error.expected}, got {error.got} at {error.path}") from None
        if holds_value(literal):
            raise CallMismatch(
                f"a {type(value).__name__} in memory cannot be part of a compiled program: load it in a task, or give "
                "the path or URI of a file"
            )
        return unhashed(literal)

    def _of(self, value: Any) -> Transformer:
        try:
            return default_registry().transformer(type(value))
        except UnsupportedType as error:
            raise CallMismatch(str(error)) from None

    def _item(self, kind: Any, key: Any, item: Any) -> Transformer:
        """The transformer for what stands at ``key`` in a value of type ``kind``; by the item where that is open."""
        wanted = _item_type(kind, key)
        return default_registry().transformer(wanted) if wanted is not None else self._of_any(item)

    def _of_any(self, item: Any) -> Transformer:
        return default_registry().transformer(type(None)) if holds_standin(item) else self._of(item)


def holds_standin(value: Any) -> bool:
    """Whether ``value`` is a stand-in, or a container or dataclass with one somewhere inside."""
    if type(value) in _PLAIN:
        return False
    if isinstance(value, Standin | Outputs):
        return True
    if isinstance(value, list | tuple | set | frozenset):
        return any(holds_standin(item) for item in value)
    if isinstance(value, Mapping):
        return any(holds_standin(item) for item in value.values())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return any(holds_standin(getattr(value, field.name)) for field in dataclasses.fields(value))
    return False


def _standin_fault(value: Any) -> str:
    if isinstance(value, Void):
        return (
            f"the result of {value._entity}() is given, but it has no outputs. Order the two calls with `>>` instead."
        )
    if isinstance(value, Outputs):
        names = ", ".join(value._names)
        return f"{value._entity}() has several outputs ({names}): give one of them, such as `.{value._names[0]}`."
    if isinstance(value, Expression):
        return "a comparison of promises is given, which only `conditional().if_` takes. Compare in a task."
    return f"{value!r} is given, whose value is not there. Finish the conditional with `.else_()`."


def _item_type(kind: Any, key: Any) -> Any:
    origin = typing.get_origin(kind)
    args = typing.get_args(kind)
    if origin is typing.Annotated:
        return _item_type(args[0], key)
    if origin in (list, set, frozenset) and args:
        return args[0]
    if origin is tuple and args:
        if args[-1] is Ellipsis:
            return args[0]
        return args[key] if isinstance(key, int) and key < len(args) else None
    if origin is dict and len(args) == 2:
        return args[1]
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return typing.get_type_hints(kind, include_extras=True).get(key)
    if origin is not None or str(type(kind)).endswith("UnionType'>"):
        found = [inner for arg in args if (inner := _item_type(arg, key)) is not None]
        return found[0] if len(found) == 1 else None
    return None
