"""The registry: finds, makes and keeps the transformer of each Python type.

A registry is a list of hooks, each a test of a type and a factory; the last one added is asked first. What a factory
makes is kept per type. Inside a type that refers to itself a stand-in takes its place.

Knows: hooks, the list of kinds, the entry-point group. Must not know: what any one kind does.
"""

from __future__ import annotations

import threading
import typing
from collections.abc import Hashable, Iterable, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from whimbrel.errors import UnsupportedType, UserError
from whimbrel.model.literal_types import ANY, LiteralType, StructType
from whimbrel.model.literals import Literal
from whimbrel.types.hooks import Hook
from whimbrel.types.kinds import KINDS
from whimbrel.types.mismatch import full_name, mismatch, type_name
from whimbrel.types.pickle import untyped
from whimbrel.types.transformer import Transformer, TypeTransformer, hooks_of

ENTRY_POINTS: Final = "whimbrel.types"
"""The entry-point group for transformers: each names a ``TypeTransformer`` class or instance, or a function that
takes the registry.
"""

# What stands for a type that nothing has filled in yet.
_UNRESOLVED: Final = (str, typing.ForwardRef, typing.TypeVar)

_TOO_DEEP: Final = "nested too deeply, or containing itself"


class Registry:
    """Transformers by Python type.

    ``pickle_untyped`` makes ``Any``, ``object`` and every class that no hook knows travel as a pickle.
    """

    def __init__(self, hooks: Iterable[Hook] = (), *, pickle_untyped: bool = False, discover: bool = True) -> None:
        self.pickle_untyped = pickle_untyped
        # Shared with the registry that pickling() makes: what is added to one is in both.
        self._shelf = _Shelf(list(hooks), discovered=not discover)
        self._begin()

    def _begin(self) -> None:
        self._made: dict[Hashable, Transformer] = {}
        self._records: dict[Hashable, _Record] = {}
        self._open: list[_Record] = []
        self._shelf.registries.append(self)

    def transformer(self, python_type: Any) -> Transformer:
        """The transformer of ``python_type``, made on first use.

        Raises ``UnsupportedType``, which says what to do, when no hook knows the type.
        """
        key = cache_key(python_type)
        made = self._made.get(key)
        if made is not None:
            return made
        with self._shelf.lock:
            return self._make(python_type, key)

    def hook(self, hook: Hook) -> None:
        """Add a kind of type; it is asked before those that are there."""
        with self._shelf.lock:
            self._shelf.hooks.insert(0, hook)
            self._shelf.forget()

    def register(self, transformer: TypeTransformer[Any], *, replace: bool = False) -> None:
        """Serve ``transformer.python_type`` and its subclasses with ``transformer``.

        Raises ``UserError`` when another transformer serves that class already, unless ``replace`` is set.
        """
        served = getattr(transformer, "python_type", None)
        if not isinstance(served, type):
            raise UserError(
                f"{_class_name(transformer)} must set python_type to the class that it serves, not {served!r}"
            )
        with self._shelf.lock:
            present = self._shelf.registered.get(served)
            if present is not None and not replace:
                raise UserError(
                    f"two transformers for {full_name(served)}: {_class_name(present)} and {_class_name(transformer)}; "
                    "register one of them, or pass replace=True"
                )
            if present is None and not replace and (kind := self._kind(served)) is not None and not kind.recursive:
                raise UserError(
                    f"whimbrel knows {full_name(served)} already; pass replace=True to serve it with "
                    f"{_class_name(transformer)}"
                )
            self._shelf.registered[served] = transformer
            self._shelf.forget()

    def pickling(self) -> Registry:
        """This registry with ``pickle_untyped`` set: what is added to one is in both."""
        if self.pickle_untyped:
            return self
        with self._shelf.lock:
            for registry in self._shelf.registries:
                if registry.pickle_untyped:
                    return registry
            sibling = Registry.__new__(Registry)
            sibling.pickle_untyped = True
            sibling._shelf = self._shelf
            sibling._begin()
            return sibling

    def registered(self, python_type: Any) -> TypeTransformer[Any] | None:
        """The user's transformer that serves ``python_type``: its own, or that of its nearest base class."""
        served = typing.get_origin(python_type) or python_type
        if not self._shelf.registered or not isinstance(served, type):
            return None
        found = (self._shelf.registered.get(base) for base in served.__mro__ if base is not object)
        return next((transformer for transformer in found if transformer is not None), None)

    @property
    def users(self) -> Mapping[type, TypeTransformer[Any]]:
        """The transformers that were registered, by the class that each serves; a live view."""
        return MappingProxyType(self._shelf.registered)

    def _kind(self, python_type: Any) -> Hook | None:
        return next((hook for hook in self._shelf.hooks if hook.matches(python_type)), None)

    def _make(self, python_type: Any, key: Hashable) -> Transformer:
        made = self._made.get(key)
        if made is None:
            made = self._build(python_type, key)
            # Inside a record, what a container gets for its items depends on the record: such a one is not kept.
            if not self._open and key is not None:
                self._made[key] = made
        return made

    def _build(self, python_type: Any, key: Hashable) -> Transformer:
        transformer = self.registered(python_type)
        if transformer is not None:
            return hooks_of(transformer, python_type)
        kind = self._kind(python_type)
        if kind is None:
            trouble = self._discover()
            transformer = self.registered(python_type)
            if transformer is not None:
                return hooks_of(transformer, python_type)
            kind = self._kind(python_type)
            if kind is None and self.pickle_untyped and not isinstance(python_type, _UNRESOLVED):
                return untyped(python_type)
            if kind is None:
                raise _unsupported(python_type, trouble)
        return self._record(python_type, key, kind) if kind.recursive else kind.build(python_type, self)

    def _record(self, python_type: Any, key: Hashable, kind: Hook) -> Transformer:
        """The transformer of a type that may contain itself.

        Its literal type is written out, but types of its own cycle are cut short in it: so a literal type is as long as
        its declaration, and depends on nothing but its Python type.
        """
        if self._open:
            self._open[-1].refers_to.add(key)
        record = self._records.get(key)
        if record is None:
            record = self._records[key] = _Record(python_type)
            self._open.append(record)
            try:
                record.stands_for = kind.build(python_type, self)
            except BaseException:
                # With it go the records that were finished meanwhile: they may refer to this one.
                for later in list(self._records)[list(self._records).index(key) :]:
                    del self._records[later]
                raise
            finally:
                self._open.pop()
        return record.stand_in if record.stands_for is None or self._leads_back(key) else record.stands_for

    def _leads_back(self, key: Hashable) -> bool:
        """Whether a type refers, however indirectly, to one that is being made."""
        if not self._open:
            return False
        seen, ahead = {key}, [key]
        while ahead:
            record = self._records[ahead.pop()]
            if record.stands_for is None:
                return True
            ahead.extend(record.refers_to - seen)
            seen |= record.refers_to
        return False

    def _discover(self) -> str:
        """Load the entry points, once; what could not be loaded is told with the error that follows."""
        shelf = self._shelf
        if not shelf.discovered:
            shelf.discovered = True
            from importlib.metadata import entry_points  # costs more than the rest of this room; few programs need it

            for entry in entry_points(group=ENTRY_POINTS):
                try:
                    loaded = entry.load()
                    if isinstance(loaded, type) and issubclass(loaded, TypeTransformer):
                        self.register(loaded())
                    elif isinstance(loaded, TypeTransformer):
                        self.register(loaded)
                    else:
                        loaded(self)
                except Exception as error:
                    shelf.trouble += (
                        f"; the plug-in {entry.name} ({entry.value}) could not be loaded: "
                        f"{type(error).__name__}: {error}"
                    )
        return shelf.trouble


class _Shelf:
    """What a registry and its pickling sibling share."""

    def __init__(self, hooks: list[Hook], *, discovered: bool) -> None:
        self.hooks = hooks
        self.registered: dict[type, TypeTransformer[Any]] = {}
        self.registries: list[Registry] = []
        self.discovered = discovered
        self.trouble = ""
        self.lock = threading.RLock()

    def forget(self) -> None:
        for registry in self.registries:
            registry._made.clear()
            registry._records.clear()


class _Record:
    """A type that may contain itself: its transformer once that is made, and one that stands in for it inside."""

    def __init__(self, python_type: Any) -> None:
        literal_type: LiteralType = ANY
        classes: tuple[type, ...] = ()
        served = typing.get_origin(python_type) or python_type
        if isinstance(served, type):
            classes = (served,)
            # A named tuple is no struct.
            literal_type = ANY if issubclass(served, tuple) else StructType(full_name(python_type))
        self.name = type_name(python_type)
        self.refers_to: set[Hashable] = set()
        self.stands_for: Transformer | None = None
        self.stand_in = Transformer(
            python_type,
            literal_type,
            check=self._check,
            encode=self._encode,
            decode=self._decode,
            name=self.name,
            classes=classes,
        )

    def _check(self, value: Any) -> None:
        assert self.stands_for is not None
        try:
            self.stands_for.check(value)
        except RecursionError:
            raise mismatch(self.name, value, _TOO_DEEP) from None

    def _encode(self, value: Any) -> Literal:
        assert self.stands_for is not None
        try:
            return self.stands_for.encode(value)
        except RecursionError:
            raise mismatch(self.name, value, _TOO_DEEP) from None

    def _decode(self, literal: Literal) -> Any:
        assert self.stands_for is not None
        return self.stands_for.decode(literal)


@cache
def _default() -> Registry:
    return Registry(KINDS)


def default_registry(*, pickle_untyped: bool = False) -> Registry:
    """The registry of this process, with every kind that whimbrel knows. Made on first use."""
    registry = _default()
    return registry.pickling() if pickle_untyped else registry


def cache_key(python_type: Any) -> Hashable:
    """What tells types apart that compare equal: ``int | str`` and ``str | int`` differ in order, ``Literal[1]`` and
    ``Literal[True]`` in kind, and metadata need not be hashable. ``None`` when the type cannot be a key.
    """
    if type(python_type) is type:
        return python_type
    if python_type is None:
        return typing.cast(Hashable, type(None))
    origin = typing.get_origin(python_type)
    if origin is None:
        try:
            hash(python_type)
        except TypeError:
            return None
        return typing.cast(Hashable, python_type)
    if origin is typing.Annotated:
        # By identity: the transformer that is kept under this key keeps the metadata alive, so no other object gets
        # its id.
        return (origin, cache_key(python_type.__origin__), tuple(id(item) for item in python_type.__metadata__))
    arguments = typing.get_args(python_type)
    if origin is typing.Literal:
        return (origin, tuple((type(argument), argument) for argument in arguments))
    keys = tuple(cache_key(argument) for argument in arguments)
    return None if None in keys else (origin, keys)


def _class_name(transformer: object) -> str:
    return full_name(type(transformer))


def _unsupported(python_type: Any, trouble: str) -> UnsupportedType:
    name = type_name(python_type)
    pickle = f"Annotated[{name}, Pickle] (from whimbrel.types.pickle import Pickle)"
    if isinstance(python_type, str | typing.ForwardRef):
        shown = python_type if isinstance(python_type, str) else python_type.__forward_arg__
        return UnsupportedType(
            f"the annotation {shown!r} is a string that was not resolved; define what it names at module level, "
            f"where it can be found without `if TYPE_CHECKING`{trouble}"
        )
    if python_type is Any or python_type is object:
        return UnsupportedType(
            f"{name} says nothing about the value; declare its type (a bare `dict` or `list` holds JSON-like values), "
            f"or opt in to pickling it with {pickle}{trouble}"
        )
    if isinstance(python_type, typing.TypeVar):
        return UnsupportedType(f"nothing says what {name} is; write the generic class with its argument{trouble}")
    if isinstance(python_type, type):
        remedy = "make it a dataclass, register a TypeTransformer for it"
        if full_name(python_type).startswith("pathlib."):
            remedy = "declare it as Path, which is a file, or as FlyteFile or FlyteDirectory"
        elif hasattr(python_type, "_fields") and issubclass(python_type, tuple):
            remedy = "its fields have no types: derive from typing.NamedTuple"
        return UnsupportedType(
            f"no transformer knows {full_name(python_type)}; {remedy}, or opt in to pickling it with {pickle}{trouble}"
        )
    return UnsupportedType(f"no transformer knows {name}; opt in to pickling it with {pickle}{trouble}")
