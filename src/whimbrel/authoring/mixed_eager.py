"""``mixed_eager``: eager workflows in which ``async`` tasks are awaited, and other calls block and give their value.

It is flytekit 1.16's ``eager``. Outside an engine a call that blocks is a plain call. In a driver it is a durable call
like any other: the body waits for it on a strand, and everything else in the body goes on.

Knows the callers of eager bodies, and strands. Must not know sessions and journals.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, Protocol, TypeGuard, TypeVar, overload

from whimbrel.authoring.calling import current
from whimbrel.authoring.direct_eager import DirectEager
from whimbrel.authoring.eager import Eager, EagerDecorator, eager
from whimbrel.authoring.pending import PendingCall
from whimbrel.authoring.source import caller_position
from whimbrel.authoring.strands import Strand, waiting_strand
from whimbrel.errors import CallMismatch
from whimbrel.model.program import Metadata
from whimbrel.types.failures import as_eager

P = ParamSpec("P")
R = TypeVar("R")


@overload
def mixed_eager(fn: Callable[P, Coroutine[Any, Any, R]], /) -> Eager[P, R]: ...
@overload
def mixed_eager(fn: None = None, /, **options: Any) -> EagerDecorator: ...
def mixed_eager(fn: Any = None, /, **options: Any) -> Any:
    """Make an eager workflow of an ``async`` function; with options (those of ``eager``), a decorator that does.

    In the body, and in what it calls: ``async`` tasks and eager workflows are awaited; tasks, workflows and all others
    block. Calls that block cannot overlap, unless each is in an asyncio task of its own.
    """
    if fn is None:
        return lambda fn: mixed_eager(fn, **options)

    @functools.wraps(fn)
    async def body(*args: Any, **kwargs: Any) -> Any:
        caller = current.get()
        if _drives(caller):
            token = current.set(MixedDurable(caller))
            running = Strand(fn(*args, **kwargs))
        elif isinstance(caller, DirectEager):
            token = current.set(MixedDirect(caller))
            running = fn(*args, **kwargs)
        else:
            return await fn(*args, **kwargs)
        try:
            return await running
        finally:
            current.reset(token)

    body.__dict__["calls_block"] = True  # the check of bodies must know; other decorators hand it on
    return eager(**options)(body)


def _is_awaited(entity: Any) -> bool:
    return bool(getattr(entity, "is_async", False))


class MixedDirect(DirectEager):
    """The caller in such a body outside any engine."""

    __slots__ = ("_awaiting",)

    def __init__(self, awaiting: DirectEager) -> None:
        super().__init__(awaiting.execution, awaiting.threads)
        self._awaiting = awaiting

    def call(
        self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> Any:
        """Something to await, or the value."""
        if _is_awaited(entity):
            return self._awaiting.call(entity, args, kwargs, overrides)
        inputs = entity.signature.bind(args, kwargs)
        entity.signature.check_inputs(inputs)
        try:
            return entity.run_blocking(inputs, self.execution)
        except Exception as error:
            failure = as_eager(error)
            if failure is error:
                raise
            raise failure from failure.__cause__


class Drives(Protocol):
    """The caller of a driver: what this module asks of it."""

    @property
    def trail(self) -> str:
        """Where it stands in the program."""
        ...

    def spawn(self, name: str, group: str | None, bare: bool) -> Drives:
        """The caller of an asyncio task."""
        ...

    def group(self, kind: str) -> str:
        """The trail of tasks that are created together."""
        ...

    def overlaid(self, metadata: Metadata) -> Drives:
        """The caller, with something said of every call."""
        ...

    def set_timer(self, when: float, fire: Callable[[], None]) -> Callable[[], None] | None:
        """A durable timer."""
        ...

    def call(
        self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> PendingCall[Any]:
        """A pending call."""
        ...


def _drives(caller: Any) -> TypeGuard[Drives]:
    # A driver's caller is known by what it does: its module imports asyncio, which scripts need not pay for.
    return hasattr(caller, "spawn")


class MixedDurable:
    """The caller in such a body in a driver, around the driver's own."""

    __slots__ = ("_awaiting",)

    def __init__(self, awaiting: Drives) -> None:
        self._awaiting = awaiting

    def __getattr__(self, name: str) -> Any:
        return getattr(self._awaiting, name)

    def set_timer(self, when: float, fire: Callable[[], None]) -> Callable[[], None] | None:
        """A durable timer; the event loop looks for this on the class."""
        return self._awaiting.set_timer(when, fire)

    @property
    def trail(self) -> str:
        """Where it stands in the program; the event loop looks for this on the class, and for what follows."""
        return self._awaiting.trail

    def spawn(self, name: str, group: str | None, bare: bool) -> MixedDurable:
        """The caller of an asyncio task: calls block there as well."""
        return MixedDurable(self._awaiting.spawn(name, group, bare))

    def group(self, kind: str) -> str:
        """The trail of tasks that are created together."""
        return self._awaiting.group(kind)

    def carry(self, coroutine: Coroutine[Any, Any, R]) -> Coroutine[Any, Any, R]:
        """What the event loop runs in place of a new task's coroutine."""
        return coroutine if isinstance(coroutine, PendingCall | Strand) else Strand(coroutine)

    def overlaid(self, metadata: Metadata) -> MixedDurable:
        """This caller, with something said of every call."""
        return MixedDurable(self._awaiting.overlaid(metadata))

    def call(
        self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> Any:
        """Something to await, or the value. Raises ``CallMismatch`` where nothing can wait for a value."""
        awaited = _is_awaited(entity)
        strand = None if awaited else waiting_strand()
        if strand is None and not awaited:
            file, line = caller_position()
            raise CallMismatch(
                f"{file}:{line}: {entity.short_name} blocks, and is called where an eager body cannot wait: in a "
                "callback of the event loop, or on another thread. Call it in the body or in an asyncio task of it."
            )
        pending = self._awaiting.call(entity, args, kwargs, overrides)
        return pending if strand is None else strand.wait(pending)
