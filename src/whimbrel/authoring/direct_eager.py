"""Eager workflows outside any engine: plain asyncio.

Every call in the body gives something to await. Tasks that are coroutines run on the author's loop, tasks and
workflows that block run on threads, nested eager bodies run inline. Failures are instances of the original class and
of ``EagerException``.
"""

from __future__ import annotations

import os
from collections.abc import Coroutine
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from whimbrel.authoring.calling import current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.pending import PendingCall, report_never_awaited
from whimbrel.model.program import Metadata
from whimbrel.types.failures import as_eager

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

# Tasks that block mostly wait (network, disk, subprocesses), so there are more threads than cores: enough that a few
# dozen gathered calls run side by side, few enough that a thousand don't cost a thousand stacks.
THREADS = max(64, 4 * (os.cpu_count() or 1))


class Threads:
    """The threads of one outermost eager workflow, made when the first blocking task is called."""

    __slots__ = ("_pool",)

    def __init__(self) -> None:
        self._pool: ThreadPoolExecutor | None = None

    @property
    def pool(self) -> ThreadPoolExecutor:
        """The pool. It belongs to one eager workflow: workflows that wait for each other never compete for a thread."""
        if self._pool is None:
            from concurrent.futures import ThreadPoolExecutor  # costs more than the rest of this room to import

            self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="whimbrel-task")
        return self._pool

    def close(self) -> None:
        """Let the threads end once what they run has ended."""
        if self._pool is not None:
            self._pool.shutdown(wait=False)


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
            coroutine: Coroutine[Any, Any, Any] | None = entity.run_async(inputs, self._execution)
            if coroutine is not None:
                return await coroutine
            import asyncio

            context = copy_context()
            return await asyncio.get_running_loop().run_in_executor(
                self.threads.pool, context.run, entity.run_blocking, inputs, self._execution
            )
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
