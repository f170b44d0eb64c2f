"""The event loop that an eager body runs on: plain asyncio, whose outside events come in a recorded order.

asyncio is deterministic once the order of outside events is fixed. So outside events (outcomes of calls, timers of
the program) are handed to the program **one at a time, and only when it has nothing left to do**, live and on replay
alike; replay takes them from the journal first.

How: a ``SelectorEventLoop`` asks its selector for I/O at the end of each turn, with a time-out of zero as long as
callbacks are ready. Our selector sees the idle moment (a time-out that is not zero) and uses it to deliver one
event. Nothing private of asyncio is touched.

Real I/O and threads work as on any loop. They are not recorded: they happen again on replay. While some are under
way, a recorded event that nobody waits for yet is held back for ``PATIENCE`` seconds, since the program may come to
it once its I/O is done; so is a timer whose time came while no driver lived, since the program may cancel it.

A source may find that the program will wait for long, and *park* it: ``Parked`` comes out of the loop, and the tasks
stay where they are (``abandon``).

Must not know what a call is; ``Source`` tells it what to deliver.
"""

from __future__ import annotations

import asyncio
import ctypes
import selectors
import sys
import time
from collections.abc import Callable, Coroutine, Generator
from contextvars import Context, ContextVar, copy_context
from types import CoroutineType, FrameType
from typing import Any, Literal, Protocol, TypeAlias, TypeGuard, TypeVar, runtime_checkable
from weakref import WeakKeyDictionary

from whimbrel.model.codec import digest

T = TypeVar("T")

PATIENCE = 2.0
"""How long a recorded event waits for real I/O to bring the program to it, in seconds. An idle connection in a pool
looks just like I/O under way, so the wait must end; a request that takes longer than this on replay can make a race
take another road."""


@runtime_checkable
class Scoped(Protocol):
    """What the ambient variable holds inside an eager body."""

    @property
    def trail(self) -> str:
        """Where it stands in the program."""
        ...

    def spawn(self, name: str, group: str | None, bare: bool) -> Scoped:
        """What it holds in a new asyncio task that runs a coroutine of this name: one of ``group``; ``bare`` when it
        is no coroutine of the author's."""
        ...

    def group(self, kind: str) -> str:
        """The name of tasks that are created together."""
        ...

    def set_timer(self, when: float, fire: Callable[[], None]) -> Callable[[], None] | None:
        """Make a timer durable: ``fire`` is called when it is delivered; ``when`` is in ``loop.time()``. Returns how
        to cancel it; ``None`` when nothing is recorded any more, and the timer is the loop's own affair."""
        ...


Delivery: TypeAlias = Literal["delivered", "held", "nothing"]
"""What came of an idle moment."""


class Source(Protocol):
    """Where outside events come from."""

    def deliver_one(self, patient: bool) -> Delivery:
        """Hand the next event to the program if there is one. ``patient``: hold back one that nobody waits for yet."""
        ...

    def timer_due(self) -> float | None:
        """Seconds until the next durable timer must be looked at (by ``deliver_one``); ``None`` when there is none."""
        ...

    def park(self, idle: float) -> float | None:
        """The program has had nothing to do for ``idle`` seconds, and no thread or I/O is under way.

        Raises ``Parked`` to stop it here; else the seconds after which to be asked again, ``None`` for never.
        """
        ...


class IdleSelector(selectors.BaseSelector):
    """The platform's selector, plus the moment of idleness."""

    def __init__(self, real: selectors.BaseSelector) -> None:
        self._real = real
        self.on_idle: Callable[[float | None], float | None] | None = None
        self.busy_since: float | None = None

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.modify(fileobj, events, data)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.busy_since = None
        if (timeout is None or timeout > 0) and self.on_idle is not None:
            timeout = self.on_idle(timeout)
        ready = self._real.select(timeout)
        self.busy_since = time.monotonic()
        return ready

    def close(self) -> None:
        self._real.close()

    def get_map(self) -> Any:
        return self._real.get_map()


class _DurableTimer(asyncio.TimerHandle):
    """A timer that the journal knows. Cancelling it takes it out of the journal's hands."""

    forget: Callable[[], None] | None = None

    def cancel(self) -> None:
        if not self.cancelled():
            super().cancel()
            if self.forget is not None:
                self.forget()


_known_kinds: dict[Any, bool] = {}


def _is_scope(here: Any) -> TypeGuard[Scoped]:
    """``isinstance(here, Scoped)``, asked once of a class: it costs more than spawning a task."""
    known = _known_kinds.get(type(here))
    if known is None:
        known = _known_kinds[type(here)] = isinstance(here, Scoped)
    return known


_TOGETHER = {
    "gather": "gather",
    "TaskGroup.create_task": "TaskGroup",
    "as_completed": "as_completed",
    "_AsCompletedIterator.__init__": "as_completed",
}
"""What of asyncio creates tasks that belong together, by its qualified name."""


def _creator() -> FrameType | None:
    """What of asyncio is creating tasks that belong together, if anything is."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("asyncio."):
        if frame.f_code.co_qualname in _TOGETHER:
            return frame
        frame = frame.f_back
    return None


def fingerprint(coro: Any) -> str:
    """Four bytes of a digest of a fresh coroutine's arguments, in hexadecimal.

    Plain data counts by value, a pending call by its key, anything else by its class alone.
    """
    frame = getattr(coro, "cr_frame", None)
    seen = dict(frame.f_locals) if frame is not None else {}
    return digest(_plain(seen, 4))[:8]


def _plain(value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    if depth and isinstance(value, list | tuple):
        return [_plain(item, depth - 1) for item in value]
    if depth and isinstance(value, dict):
        return {repr(key): _plain(item, depth - 1) for key, item in value.items()}
    # Asked of the class: other values may do anything when they are asked for what they have not.
    return [type(value).__qualname__, value.__call_key__ if hasattr(type(value), "__call_key__") else ""]


class EagerLoop(asyncio.SelectorEventLoop):
    """See the module. ``ambient`` is the variable that holds a ``Scoped`` inside eager bodies."""

    def __init__(self, source: Source, ambient: ContextVar[Any]) -> None:
        self._idle = IdleSelector(selectors.DefaultSelector())
        super().__init__(self._idle)
        self._source = source
        self._ambient = ambient
        self._quiet_fds = len(self._idle.get_map())
        self._threads = 0
        self._held_since: float | None = None
        self._idle_since: float | None = None
        self._creating: tuple[FrameType, str] | None = None
        self._groups: WeakKeyDictionary[asyncio.TaskGroup, tuple[str, str]] = WeakKeyDictionary()
        self._idle.on_idle = self._on_idle
        self.set_task_factory(self._spawn)

    @property
    def io_under_way(self) -> bool:
        """Whether threads or descriptors are being waited for, an idle connection in a pool included."""
        return self._threads > 0 or len(self._idle.get_map()) > self._quiet_fds

    @property
    def busy_since(self) -> float | None:
        """When the present turn began, in ``time.monotonic()``; ``None`` while the loop waits."""
        return self._idle.busy_since

    def _on_idle(self, timeout: float | None) -> float | None:
        self._creating = None
        patient = self.io_under_way and (self._held_since is None or self.time() - self._held_since < PATIENCE)
        delivery = self._source.deliver_one(patient)
        if delivery == "delivered":
            self._held_since = self._idle_since = None
            return 0
        if delivery == "held":
            # Timers that are due are held back too.
            if self._held_since is None:
                self._held_since = self.time()
            waits = [timeout, PATIENCE - (self.time() - self._held_since)]
        else:
            waits = [timeout, self._source.timer_due()]
        if delivery == "held" or timeout is not None or self.io_under_way:
            self._idle_since = None
        else:
            since = self._idle_since
            if since is None:
                since = self._idle_since = self.time()
            waits.append(self._source.park(self.time() - since))
        known = [wait for wait in waits if wait is not None]
        return max(min(known), 0.0) if known else None

    def _spawn(
        self,
        loop: asyncio.AbstractEventLoop,
        coro: Coroutine[Any, Any, T] | Generator[Any, None, T],
        **options: Any,
    ) -> asyncio.Task[T]:
        given: Context | None = options.pop("context", None)
        # A context of the caller's own is copied: the new task's scope must not leak into others that run in it.
        context = copy_context() if given is None else given.copy()
        here: Any = context.get(self._ambient)
        if _is_scope(here):
            name = getattr(coro, "__name__", "task")
            creator = _creator()
            group = None if creator is None else self._group(here, creator)
            if creator is not None and _TOGETHER[creator.f_code.co_qualname] == "as_completed":
                # It creates them in the order of a set, which differs from process to process.
                name = f"{name}-{fingerprint(coro)}"
            scope = here.spawn(name, group, not isinstance(coro, CoroutineType))
            context.run(self._ambient.set, scope)
            # A scope may run something around its tasks' coroutines: bodies whose calls block do.
            carry = getattr(scope, "carry", None)
            if carry is not None:
                coro = carry(coro)
        return asyncio.Task(coro, loop=loop, context=context, **options)

    def _group(self, here: Scoped, creator: FrameType) -> str | None:
        """The trail of the tasks that ``creator`` creates. They are told apart by its frame, which does all of it in
        one turn, or by the task group: a task that is put into one by another task than the first stands where that
        one does."""
        kind = _TOGETHER[creator.f_code.co_qualname]
        if kind == "TaskGroup":
            owner: asyncio.TaskGroup = creator.f_locals["self"]
            found = self._groups.get(owner)
            if found is None:
                found = self._groups[owner] = (here.trail, here.group(kind))
            return found[1] if found[0] == here.trail else None
        if self._creating is None or self._creating[0] is not creator:
            self._creating = (creator, here.group(kind))
        return self._creating[1]

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's; inside an eager body the timer is durable."""
        here: Any = self._ambient.get(None) if context is None else context.get(self._ambient)
        if not _is_scope(here):
            return super().call_at(when, callback, *args, context=context)
        context = copy_context() if context is None else context
        timer = _DurableTimer(when, callback, args, self, context)

        def fire() -> None:
            if not timer.cancelled():
                self.call_soon(run, context=context)

        def run() -> None:
            # It may have been cancelled between its delivery and this turn.
            if not timer.cancelled():
                callback(*args)

        forget = here.set_timer(when, fire)
        if forget is None:
            return super().call_at(when, callback, *args, context=context)
        timer.forget = forget
        return timer

    def call_soon_threadsafe(  # type: ignore[override]
        self, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        """As asyncio's; whoever calls has work for the program."""
        self._idle_since = None
        return super().call_soon_threadsafe(callback, *args, context=context)

    def abandon(self) -> None:
        """Close the loop of a program that was parked, and leave its tasks where they are, for as long as the process
        lives.

        Nothing of them runs: no ``finally``, no ``__aexit__``. The program has not ended; its next driver comes to
        them. Freeing a suspended coroutine would run them, at the end of the interpreter too, so each task is given a
        reference that nobody ever takes back.
        """
        for task in asyncio.all_tasks(self):
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(task))
        self.close()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # type: ignore[override]
        """As asyncio's; counted as real work under way."""
        future = super().run_in_executor(executor, func, *args)
        self._threads += 1
        future.add_done_callback(self._thread_done)
        return future

    def _thread_done(self, _future: asyncio.Future[Any]) -> None:
        self._threads -= 1
