"""Eager workflows outside any engine: plain asyncio.

Every call in the body gives something to await. Tasks that are coroutines run on the author's loop, tasks and
workflows that block run on threads, nested eager bodies run inline. Failures are instances of the original class and
of ``EagerException``.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from whimbrel.authoring.calling import current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.pending import PendingCall, report_never_awaited
from whimbrel.model.program import Metadata
from whimbrel.types.failures import as_eager

if TYPE_CHECKING:
    import asyncio

# Tasks that compute gain nothing from more threads than this: they would only fight for the interpreter.
FEW = (os.cpu_count() or 1) + 4

# Tasks that block mostly wait (network, disk, subprocesses), so there may be more threads than cores: enough that a
# few dozen gathered calls run side by side, few enough that a thousand don't cost a thousand stacks.
MANY = max(64, 2 * FEW)

# How often it is looked whether the threads are held up, in seconds, while calls wait for one.
LOOK = 0.002


class _Work:
    __slots__ = ("error", "future", "result", "run")

    def __init__(self, run: Callable[[], Any], future: asyncio.Future[Any]) -> None:
        self.run = run
        self.future = future
        self.result: Any = None
        self.error: BaseException | None = None


class Threads:
    """The threads of one outermost eager workflow: workflows that wait for each other never compete for one.

    A few are made as calls come. More follow when those are held up: when, in the time of a look, some of them did
    not finish a single call. Everything but ``_serve`` belongs to the thread of the event loop.
    """

    __slots__ = ("_closed", "_done", "_finished", "_looking", "_loop", "_open", "_threads", "_todo", "_woken")

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._todo: SimpleQueue[_Work | None] = SimpleQueue()
        self._done: deque[_Work] = deque()
        self._woken = False
        self._threads = 0
        self._open = 0
        self._finished = 0
        self._looking = False
        self._closed = False

    def run(self, work: Callable[[], Any]) -> asyncio.Future[Any]:
        """Call ``work`` on a thread. If the future is cancelled before that, it is not called.

        Raises ``RuntimeError`` after ``close``.
        """
        import asyncio

        if self._closed:
            raise RuntimeError("the eager workflow that this call belongs to has ended; await its calls before it does")
        loop = self._loop = asyncio.get_running_loop()
        future = loop.create_future()
        self._open += 1
        self._todo.put(_Work(work, future))
        if self._threads < FEW:
            if self._threads < self._open:
                self._add(1)
        elif not self._looking and self._open > self._threads < MANY:
            self._looking = True
            self._finished = 0
            loop.call_later(LOOK, self._look)
        return future

    def close(self) -> None:
        """Let the threads end once what they run has ended."""
        self._closed = True
        for _ in range(self._threads):
            self._todo.put(None)

    def _add(self, count: int) -> None:
        for _ in range(count):
            self._threads += 1
            threading.Thread(target=self._serve, name=f"whimbrel-task_{self._threads}").start()

    def _look(self) -> None:
        self._looking = False
        waiting = self._open - self._threads
        if waiting <= 0 or self._closed:
            return
        if self._finished < self._threads:
            self._add(min(waiting, self._threads, MANY - self._threads))
        self._finished = 0
        if self._threads < MANY and self._loop is not None:
            self._looking = True
            self._loop.call_later(LOOK, self._look)

    def _serve(self) -> None:
        while (work := self._todo.get()) is not None:
            if not work.future.cancelled():
                try:
                    work.result = work.run()
                except BaseException as error:
                    work.error = error
            self._done.append(work)
            if not self._woken:
                self._woken = True
                assert self._loop is not None
                try:
                    self._loop.call_soon_threadsafe(self._settle)
                except RuntimeError:
                    # The loop is closed: nobody waits there any more.
                    return
            del work

    def _settle(self) -> None:
        self._woken = False
        while self._done:
            work = self._done.popleft()
            self._open -= 1
            self._finished += 1
            if work.future.done():
                continue
            if isinstance(work.error, StopIteration):
                # No future takes it, nor would a coroutine let it out.
                stopped = RuntimeError("the task raised StopIteration")
                stopped.__cause__ = work.error
                work.future.set_exception(stopped)
            elif work.error is not None:
                work.future.set_exception(work.error)
            else:
                work.future.set_result(work.result)


class DirectEager:
    """The caller in force in an eager body that no engine drives."""

    __slots__ = ("_execution", "_open_calls", "threads")

    def __init__(self, execution: ExecutionContext, threads: Threads) -> None:
        self._execution = execution
        self.threads = threads
        self._open_calls: dict[int, PendingCall[Any]] = {}

    @property
    def execution(self) -> ExecutionContext:
        """The execution that the whole eager workflow belongs to."""
        return self._execution

    def call(
        self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> PendingCall[Any]:
        """Check the arguments now; give what runs the call when it is awaited."""
        signature = entity.signature
        inputs = signature.bind(args, kwargs)
        signature.check_inputs(inputs)
        return PendingCall(entity.short_name, lambda: self._run(entity, inputs), self._open_calls)

    async def _run(self, entity: Any, inputs: dict[str, Any]) -> Any:
        try:
            if getattr(entity, "is_eager", False):
                return await entity.run_body(inputs, DirectEager(self._execution, self.threads))
            gather = getattr(entity, "gather", None)
            if gather is not None:  # a map: each item is a call of its own
                return await gather(inputs, self._run)
            coroutine: Coroutine[Any, Any, Any] | None = entity.run_async(inputs, self._execution)
            if coroutine is not None:
                return await coroutine
            return await self.threads.run(partial(copy_context().run, entity.run_blocking, inputs, self._execution))
        except Exception as error:
            failure = as_eager(error)
            if failure is error:
                raise
            raise failure from failure.__cause__

    async def drive(self, body: Coroutine[Any, Any, Any]) -> Any:
        """Run ``body`` with this caller in force; calls that were never awaited are reported when it has returned."""
        token = current.set(self)
        try:
            value = await body
        finally:
            current.reset(token)
        if self._open_calls:
            report_never_awaited(self._open_calls)
        return value
