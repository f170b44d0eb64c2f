"""One attempt at a task: read the inputs, call the function, write the outputs, say how it ended.

Knows: entities, literals, blobs, the caller in force. Must not know: processes, transports, who asked.
"""

from __future__ import annotations

import asyncio
import ctypes
import datetime as dt
import inspect
import tempfile
import threading
import time
from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any

from msgspec.structs import replace

from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext, ExecutionId, TaskId
from whimbrel.authoring.decks import Show
from whimbrel.authoring.dynamic import Dynamic
from whimbrel.authoring.travelling import carried_values
from whimbrel.errors import CompileError, SystemFault
from whimbrel.model.attempt import AttemptFault, Launch, Report, Succeeded, Unfolded
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import Literals
from whimbrel.model.program import CodeRef
from whimbrel.runtime.capture import LineBuffer
from whimbrel.runtime.environment import laid_over
from whimbrel.runtime.handing import mounted, secrets_of
from whimbrel.runtime.loading import Runnable, load_entity
from whimbrel.runtime.masking import Mask
from whimbrel.runtime.outlet import Outlet
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.task_decks import begin_decks, end_decks
from whimbrel.runtime.unfolding import unfold
from whimbrel.runtime.values import read_literals, write_literals
from whimbrel.types.failures import capture

End = Succeeded | Unfolded | AttemptFault


Load = Callable[[CodeRef], Runnable]
"""How an entity is found. It may raise anything: the attempt fails with it."""


def load_once() -> Load:
    """``load_entity`` that keeps what it found for the life of the process."""
    found: dict[CodeRef, Runnable] = {}

    def load(code: CodeRef) -> Runnable:
        entity = found.get(code)
        if entity is None:
            entity = found[code] = load_entity(code)
        return entity

    return load


class AttemptContext(ExecutionContext):
    """The context of an attempt; its scratch directory goes with it."""

    _own_scratch: tempfile.TemporaryDirectory[str] | None = None
    output: LineBuffer | None = None
    """Where the prints of the task go, whatever calls it makes."""

    @cached_property
    def working_directory(self) -> str:
        """A scratch directory, made when it is first asked for and removed when the attempt ends."""
        self._own_scratch = tempfile.TemporaryDirectory(prefix="whimbrel-", ignore_cleanup_errors=True)
        return self._own_scratch.name

    @property
    def scratch_so_far(self) -> str:
        """The scratch directory if anybody asked for it, else ""."""
        return "" if self._own_scratch is None else self._own_scratch.name

    def close(self) -> None:
        """Remove the scratch directory, if there is one."""
        if self._own_scratch is not None:
            self._own_scratch.cleanup()


def execution_context(launch: Launch, blobs: BlobStore, show: Show | None = None) -> AttemptContext:
    """What ``current_context()`` shows in the attempt."""
    attempt, task = launch.attempt, launch.task
    return AttemptContext(
        execution_id=ExecutionId("local", "local", attempt.run),
        execution_date=dt.datetime.fromtimestamp(launch.started_at, dt.UTC),
        task_id=TaskId("local", "local", task.name, task.code_digest),
        attempt=attempt.number,
        node=attempt.path,
        files=blobs,
        secrets=secrets_of(launch),
        show=show,
    )


def show_last(context: ExecutionContext, outlet: Outlet, output: LineBuffer | None) -> None:
    """The end of an attempt, whatever the end: its decks as they are, and where its progress stopped."""
    try:
        if context.decks and not outlet.decks_on and output is not None:
            name = context.task_id.name.rpartition(".")[2]
            output.record("WARNING", f"whimbrel: the decks of {name} are not kept; write @task(enable_deck=True)")
        context.publish_decks()
        outlet.close()
    except Exception as error:
        # A deck of the author's own class, a full disk: the outcome stands.
        if output is not None:
            output.record("WARNING", f"whimbrel: the decks could not be shown: {type(error).__name__}: {error}")


class Attempt:
    """One launch of a task in this process. ``run`` or ``run_here`` is called once; ``cancel`` from any thread.

    A function that is running in the main thread is reached by ``interrupt``, called from a signal handler.
    """

    __slots__ = (
        "_blobs",
        "_cancelled",
        "_clock",
        "_guard",
        "_load",
        "_loop",
        "_mask",
        "_open",
        "_outlet",
        "_output",
        "_run_coroutine",
        "_task",
        "launch",
    )

    def __init__(
        self,
        launch: Launch,
        *,
        blobs: BlobStore,
        load: Load,
        output: LineBuffer | None = None,
        send: Callable[[Report], None] | None = None,
        run_coroutine: Callable[[Coroutine[Any, Any, Any]], Any] = asyncio.run,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.launch = launch
        self._run_coroutine = run_coroutine
        self._blobs = blobs
        self._load = load
        self._output = output
        self._clock = clock
        self._mask = Mask(launch.secrets)
        self._outlet: Outlet | None = None
        if send is not None:
            self._outlet = Outlet(
                launch.attempt, send=send, blobs=blobs, mask=self._mask, decks_on=launch.task.deck, clock=clock
            )
        self._cancelled: str | None = None
        self._open = False
        self._guard = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[Any] | None = None

    # --- from other threads, and from signals ------------------------------------------------------------------------

    @property
    def cancelled(self) -> bool:
        """Whether somebody asked it to stop."""
        return self._cancelled is not None

    def cancel(self, reason: str) -> bool:
        """Ask it to stop. Whether it has been told already: a coroutine is, a function in C or a plain loop is not."""
        with self._guard:
            self._cancelled = reason
            if self._loop is None or self._task is None:
                return False
            self._loop.call_soon_threadsafe(self._task.cancel, reason)
            return True

    def interrupt(self) -> None:
        """Raise ``CancelledError`` if the user's code is running. In the thread that runs it, from a signal handler."""
        if self._open:
            raise asyncio.CancelledError(self._cancelled or "the worker was told to stop")

    def interrupt_thread(self, ident: int) -> None:
        """The same from another thread; it takes effect when the thread is back from C."""
        with self._guard:
            if self._open:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(
                    ctypes.c_ulong(ident), ctypes.py_object(asyncio.CancelledError)
                )

    # --- running -----------------------------------------------------------------------------------------------------

    def run(self) -> End:
        """Run it in this thread, a coroutine on an event loop of its own. Raises nothing."""
        context = execution_context(self.launch, self._blobs, self._outlet)
        try:
            try:
                self._open = True
                if self._cancelled is not None:
                    raise asyncio.CancelledError(self._cancelled)
                with laid_over(self.launch.metadata.environment), mounted(self.launch, context.secrets):
                    end = self._call(context)
            finally:
                # Who holds the guard may be about to raise in this thread: after this nobody can.
                with self._guard:
                    self._open = False
        except BaseException as error:
            self._open = False
            return self._fault(error)
        finally:
            self._finish(context)
        return end

    def _call(self, context: AttemptContext) -> Succeeded | Unfolded:
        entity = self._load(self.launch.task.code)
        context.output = self._output
        token = current.set(Direct(context))
        try:
            # Inside too: a file is bound to the attempt's store.
            values = entity.signature.decode_inputs(read_literals(self.launch.inputs, self._blobs))
            self._begin_decks(entity, values, context)
            with carried_values(self.launch.metadata.carried):
                if isinstance(entity, Dynamic):
                    return unfold(
                        entity,
                        values,
                        execution=context,
                        attempt=self.launch.attempt,
                        blobs=self._blobs,
                        clock=self._clock,
                        refuse=lambda constants: self._mask.refuse(constants, "what the body laid out"),
                    )
                value = entity.fn(**values)
                if inspect.iscoroutine(value):
                    value = self._run_coroutine(self._awaited(value))
                # Encoding is inside: a transformer may ask for the attempt's context.
                return Succeeded(self.launch.attempt, self._written(entity, value, context), self._clock())
        finally:
            current.reset(token)

    async def run_here(self) -> End:
        """Run it on the running loop. Raises nothing, not even when the task that runs it is cancelled: ``cancel`` is
        the way to stop it.
        """
        context = execution_context(self.launch, self._blobs, self._outlet)
        context.output = self._output
        token = current.set(Direct(context))
        try:
            if self._cancelled is not None:
                raise asyncio.CancelledError(self._cancelled)
            with laid_over(self.launch.metadata.environment), mounted(self.launch, context.secrets):
                entity = self._load(self.launch.task.code)
                values = entity.signature.decode_inputs(read_literals(self.launch.inputs, self._blobs))
                self._begin_decks(entity, values, context)
                with carried_values(self.launch.metadata.carried):
                    value = entity.fn(**values)
                    if inspect.iscoroutine(value):
                        value = await self._awaited(value)
                outputs = self._written(entity, value, context)
        except BaseException as error:
            return self._fault(error)
        finally:
            current.reset(token)
            self._finish(context)
        return Succeeded(self.launch.attempt, outputs, self._clock())

    async def _awaited(self, coroutine: Any) -> Any:
        with self._guard:
            self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
            if self._cancelled is not None and self._task is not None:
                self._loop.call_soon(self._task.cancel, self._cancelled)
        try:
            return await coroutine
        finally:
            with self._guard:
                self._loop = self._task = None

    def _begin_decks(self, entity: Runnable, values: dict[str, Any], context: AttemptContext) -> None:
        if self.launch.task.deck and self._outlet is not None:
            begin_decks(entity, values, context.decks)
            # At once: they are there even if nothing more is ever heard of this attempt.
            context.publish_decks()

    def _written(self, entity: Runnable, value: Any, context: AttemptContext) -> Literals:
        encoded = entity.signature.encode_outputs(value)
        self._mask.refuse(encoded, "what the task returned")
        if self.launch.task.deck and self._outlet is not None:
            end_decks(entity, value, context.decks)
        return write_literals(encoded, self._blobs, context.scratch_so_far)

    def _finish(self, context: AttemptContext) -> None:
        context.close()
        if self._outlet is not None:
            show_last(context, self._outlet, self._output)
        if self._output is not None:
            self._output.close()

    def _fault(self, error: BaseException) -> AttemptFault:
        return AttemptFault(self.launch.attempt, self._mask.failure(self._failure(error)), self._clock())

    def _failure(self, error: BaseException) -> Failure:
        if self._cancelled is not None:
            # Whatever it raised on its way out, it ended because it was told to.
            return replace(capture(error, fault=Fault.CANCELLED), message=self._cancelled, recoverable=False)
        if isinstance(error, SystemFault):
            return capture(error, fault=Fault.SYSTEM)
        failure = capture(error, fault=Fault.USER)
        # What is wrong with a graph is wrong with it the next time, too.
        return replace(failure, recoverable=False) if isinstance(error, CompileError) else failure
