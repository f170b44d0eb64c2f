"""``asyncio.run`` for one coroutine after the other: the loop is kept as long as nothing was left on it.

Making an event loop costs more than a small task. What ``asyncio.run`` promises holds here too: tasks that were left
are cancelled, threads that were started are waited for, and no coroutine meets what an earlier one left behind.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


class WarmLoop:
    """Runs coroutines in the thread that calls ``run``; always the same one."""

    def __init__(self) -> None:
        self._kept: tuple[asyncio.Runner, _Threads] | None = None

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The coroutine's result, or what it raises."""
        runner, threads = self._kept or self._new()
        self._kept = None
        loop = runner.get_loop()
        clean = False
        try:
            # A runner has a context of its own; the coroutine belongs to ours.
            result = runner.run(coroutine, context=contextvars.copy_context())
            clean = not threads.used and not asyncio.all_tasks(loop)
        finally:
            if clean:
                self._kept = runner, threads
            else:
                runner.close()
        return result

    def close(self) -> None:
        """Close the loop that was kept."""
        if self._kept is not None:
            self._kept[0].close()
            self._kept = None

    def _new(self) -> tuple[asyncio.Runner, _Threads]:
        runner, threads = asyncio.Runner(), _Threads()
        runner.get_loop().set_default_executor(threads)
        return runner, threads


class _Threads(ThreadPoolExecutor):
    """A pool that knows whether anybody asked it for a thread."""

    used = False

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        self.used = True
        return super().submit(fn, *args, **kwargs)
