"""Who carries a call out: the one context variable, and the caller that is in force when nobody else is.

``Task.__call__`` and its like ask ``current`` and hand the call over; a caller decides what a call is: run it now
(``Direct``), add a node (``Tracer``), or make it pending (``DirectEager``, and the durable session of a driver). Must
not know what an entity is beyond what ``Callee`` says.
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any, Protocol

from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.decks import provide_context
from whimbrel.model.program import Metadata
from whimbrel.types.blobs import Storage, provide_storage


class Caller(Protocol):
    """Carries out the calls of entities. ``overrides`` is what ``entity.options(...)`` said, ``None`` for nothing."""

    @property
    def execution(self) -> ExecutionContext:
        """What ``current_context()`` shows."""
        ...

    def call(
        self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> Any:
        """The result of the call, or what stands for it."""
        ...


class Callee(Protocol):
    """What ``Direct`` needs of an entity."""

    def call_plain(self, args: tuple[Any, ...], kwargs: dict[str, Any], execution: ExecutionContext) -> Any:
        """Check the arguments, run the function here and now, check the result."""
        ...


class Direct:
    """A call is a plain Python call with its types checked. Overrides (retries, resources, …) are of no effect."""

    __slots__ = ("_execution",)

    def __init__(self, execution: ExecutionContext | None = None) -> None:
        self._execution = execution

    @property
    def execution(self) -> ExecutionContext:
        """The execution that this call belongs to."""
        return self._execution if self._execution is not None else _outside

    def call(
        self, entity: Callee, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> Any:
        """Run it."""
        # Outside everything each workflow is an execution of its own; inside one, calls belong to it.
        return entity.call_plain(args, kwargs, self._execution or ExecutionContext())


_outside = ExecutionContext()

current: ContextVar[Caller] = ContextVar("whimbrel.caller", default=Direct())  # noqa: B039 (Direct() has no state to share)


def current_context() -> ExecutionContext:
    """The execution and task that are running: ids, secrets, scratch directory, logger, checkpoint, decks, stats."""
    return current.get().execution


def _storage() -> Storage | None:
    execution = current.get().execution
    return None if execution.files is None else Storage(execution.files, lambda: execution.working_directory)


# Files are below this room, and find their store by the one context variable all the same.
provide_storage(_storage)
provide_context(current_context)
