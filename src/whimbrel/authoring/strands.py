"""A coroutine in which a plain function can wait: ``wait(pending)`` gives the value, and the loop turns meanwhile.

The coroutine runs on a greenlet of its own, in the asyncio task and the context it is awaited in. What it awaits goes
to the loop as ever; ``wait`` switches to the greenlet that drives it, which awaits in its place and switches back. So
one thread does everything, one thing at a time, and the loop sees the same waits as if ``await`` stood there.

Knows greenlet (imported when the first such coroutine runs) and nothing of entities or callers.
"""

from __future__ import annotations

from collections.abc import Awaitable, Coroutine, Generator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from greenlet import greenlet

T = TypeVar("T")


class Strand(Coroutine[Any, Any, T]):
    """``coroutine``, with ``wait`` allowed in the plain functions that it calls. Await it, or make a task of it."""

    __slots__ = ("__name__", "__qualname__", "_coroutine", "_driver", "_steps")

    def __init__(self, coroutine: Coroutine[Any, Any, T]) -> None:
        self._coroutine = coroutine
        self._driver: greenlet | None = None
        self._steps: Generator[Any, Any, T] | None = None
        # asyncio names tasks by these.
        self.__name__ = str(getattr(coroutine, "__name__", "task"))
        self.__qualname__ = str(getattr(coroutine, "__qualname__", self.__name__))

    def __await__(self) -> Generator[Any, Any, T]:
        return self._drive()

    def send(self, value: Any, /) -> Any:
        """Coroutine protocol."""
        if self._steps is None:
            self._steps = self._drive()
        return self._steps.send(value)

    def throw(self, *args: Any) -> Any:
        """Coroutine protocol."""
        return self._coroutine.throw(*args) if self._steps is None else self._steps.throw(*args)

    def close(self) -> None:
        """Coroutine protocol."""
        if self._steps is None:
            self._coroutine.close()
        else:
            self._steps.close()

    def wait(self, awaitable: Awaitable[T]) -> T:
        """What ``awaitable`` gives. Only for who runs on this strand: see ``waiting_strand``."""
        assert self._driver is not None
        result: T = self._driver.switch((True, awaitable))
        return result

    def _drive(self) -> Generator[Any, Any, T]:
        from greenlet import getcurrent, greenlet  # only bodies with blocking calls need it

        strand = greenlet(self._run)
        vars(strand)["strand"] = self
        # A greenlet begins in an empty context; this one lives in its task's.
        strand.gr_context = getcurrent().gr_context
        resume = strand.switch
        while True:
            # A nested body may be resumed by another greenlet than the one that began it.
            self._driver = strand.parent = getcurrent()
            said: Any = resume()
            if strand.dead:
                result: T = said
                return result
            waits, what = said
            try:
                answer = (yield from what.__await__()) if waits else (yield what)
            except BaseException as error:
                resume = partial(strand.throw, error)
            else:
                resume = partial(strand.switch, answer)

    def _run(self) -> T:
        step: Any = partial(self._coroutine.send, None)
        while True:
            try:
                what = step()
            except StopIteration as stop:
                result: T = stop.value
                return result
            assert self._driver is not None
            try:
                step = partial(self._coroutine.send, self._driver.switch((False, what)))
            except BaseException as error:
                step = partial(self._coroutine.throw, error)


def waiting_strand() -> Strand[Any] | None:
    """The strand that runs the caller; ``None`` where nothing can wait: a callback of the loop, another thread."""
    from greenlet import getcurrent

    found: Strand[Any] | None = getattr(getcurrent(), "strand", None)
    return found
