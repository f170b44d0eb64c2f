"""Context that travels: context variables whose values go with every call, options that hold for every call in a block.

A context variable is named ``module:name`` by the module that declared it; a worker imports that module to find it.
Only what was declared with ``propagate`` travels. Knows the caller in force by protocol only.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar, runtime_checkable

from msgspec.structs import replace

from whimbrel.authoring.calling import Caller, current
from whimbrel.authoring.naming import module_name
from whimbrel.authoring.options import read_metadata
from whimbrel.errors import CallMismatch, UnsupportedType
from whimbrel.model.literals import Literal, MapLiteral, StrLiteral
from whimbrel.model.program import Metadata
from whimbrel.types.registry import default_registry

T = TypeVar("T")

_travelling: dict[str, ContextVar[Any]] = {}


def propagate(variable: ContextVar[T]) -> ContextVar[T]:
    """Let the value of a context variable go with every call, wherever it runs. At the top level of a module.

    Returns the variable, so that it can wrap its declaration: ``tenant = propagate(ContextVar("tenant"))``. The
    value's class must have a transformer and be importable. Raises ``CallMismatch`` when another variable has this
    name in the module.
    """
    module = module_name(sys._getframe(1).f_globals.get("__name__", "__main__"))
    name = f"{module}:{variable.name}"
    known = _travelling.setdefault(name, variable)
    if known is not variable and sys.modules.get(module) is None:
        raise CallMismatch(f"another context variable travels as {name!r}; give this one a name of its own")
    _travelling[name] = variable
    return variable


def with_carried(metadata: Metadata) -> Metadata:
    """``metadata`` with the present values of all variables that travel.

    Raises ``UnsupportedType`` for a value that has no transformer.
    """
    if not _travelling:
        return metadata
    carried: dict[str, Literal] = dict(metadata.carried)
    for name, variable in _travelling.items():
        try:
            value = variable.get()
        except LookupError:
            continue
        kind = type(value)
        try:
            literal = default_registry().transformer(kind).encode(value)
        except UnsupportedType as error:
            raise UnsupportedType(f"the context variable {name} cannot travel: {error}") from None
        carried[name] = MapLiteral({"type": StrLiteral(f"{kind.__module__}:{kind.__qualname__}"), "value": literal})
    return replace(metadata, carried=carried) if carried else metadata


_NOTHING: AbstractContextManager[None] = nullcontext()


def carried_values(carried: Mapping[str, Literal]) -> AbstractContextManager[None]:
    """Set the variables that travelled, and put back what was there before."""
    return _carried_values(carried) if carried else _NOTHING


@contextmanager
def _carried_values(carried: Mapping[str, Literal]) -> Iterator[None]:
    tokens = []
    for name, literal in carried.items():
        module = name.partition(":")[0]
        if name not in _travelling:
            importlib.import_module(module)
        variable = _travelling.get(name)
        if variable is None:
            raise CallMismatch(
                f"{module} does not declare the context variable {name} with propagate() when it is imported; "
                "declare it at the top level"
            )
        assert isinstance(literal, MapLiteral)
        kind = literal.items["type"]
        assert isinstance(kind, StrLiteral)
        tokens.append(
            (variable, variable.set(default_registry().transformer(_class(kind.value)).decode(literal.items["value"])))
        )
    try:
        yield
    finally:
        for variable, token in reversed(tokens):
            variable.reset(token)


def _class(name: str) -> Any:
    module, _, path = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part)
    return found


@runtime_checkable
class Overlays(Protocol):
    """A caller that can say something of every call."""

    def overlaid(self, metadata: Metadata) -> Caller:
        """The caller, with ``metadata`` said of every call that goes through it."""
        ...


@contextmanager
def overrides(**options: Any) -> Iterator[None]:
    """Options for every call in the block and everything inside those calls: ``with overrides(retries=3, mem="2Gi"):``.

    Takes what ``entity.options(...)`` takes, but ``key``. What a call says itself goes before, inner blocks go before
    outer ones. In a plain Python call it has no effect, as options have none there. Raises ``CallMismatch`` for an
    unknown option.
    """
    if "key" in options:
        raise CallMismatch("key= pins one call; give it to the call: task.options(key=...)(...)")
    metadata = read_metadata(options)
    caller = current.get()
    if not isinstance(caller, Overlays):
        yield
        return
    token = current.set(caller.overlaid(metadata))
    try:
        yield
    finally:
        current.reset(token)
