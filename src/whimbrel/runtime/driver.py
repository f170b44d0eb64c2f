"""One attempt of an eager task: its body on a replaying event loop, its calls over the attempt's own channel.

A driver owns a thread. What it records goes out through ``send`` in order; what becomes durable comes in through
``deliver``. It ends with exactly one ``Succeeded`` or ``AttemptFault``, or with ``Parked``: then the body is left where
it waits, and nothing more of it runs here.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

from whimbrel.authoring.calling import current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.durable_caller import Book, DurableCaller
from whimbrel.authoring.eager import Eager
from whimbrel.authoring.pending import report_never_awaited
from whimbrel.authoring.travelling import carried_values
from whimbrel.durable.loop import EagerLoop, Source
from whimbrel.durable.scope import Scope
from whimbrel.durable.session import Parking, Session
from whimbrel.model.attempt import AttemptFault, Launch, LogChunk, Parked, Report, Started, Succeeded
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import Literals
from whimbrel.model.run import Entry
from whimbrel.runtime.attempt import execution_context, show_last
from whimbrel.runtime.handing import mounted
from whimbrel.runtime.loading import load_entity
from whimbrel.runtime.masking import Mask, masked_send
from whimbrel.runtime.outlet import Outlet
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.task_decks import begin_decks, end_decks
from whimbrel.runtime.values import read_literals, write_literals
from whimbrel.runtime.watchdog import VARIABLE, threshold, watchdog
from whimbrel.types.failures import capture


class _Values:
    def __init__(self, blobs: BlobStore, mask: Mask) -> None:
        self._blobs = blobs
        self._mask = mask

    def offload(self, literals: Literals) -> Literals:
        self._mask.refuse(literals, "an input of a call, or an output,")
        return write_literals(literals, self._blobs)

    def fetch(self, literals: Literals) -> Literals:
        return read_literals(literals, self._blobs)


class Driver:
    """See the module. ``load`` finds the entity of a task; the default imports it.

    The rest is for tests: the clock, randomness and event loop of another world, and ``substitute``, which gives the
    nested eager workflow to run in place of one that is called.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        send: Callable[[Report], None],
        blobs: BlobStore,
        load: Callable[[Any], Any] = load_entity,
        clock: Callable[[], float] = time.time,
        entropy: Callable[[int], bytes] = os.urandom,
        make_loop: Callable[[Source, ContextVar[Any]], EagerLoop] = EagerLoop,
        substitute: Callable[[Any], Any] | None = None,
    ) -> None:
        self._clock = clock
        self._make_loop = make_loop
        self._launch = launch
        mask = Mask(launch.secrets)
        send = masked_send(send, mask)
        self._send = send
        self._blobs = blobs
        self._values = _Values(blobs, mask)
        # An eager body's decks are always shown.
        self._outlet = Outlet(launch.attempt, send=send, blobs=blobs, mask=mask, decks_on=True, clock=clock)
        self._load = load
        self._book = Book(self._values, self._execution(), entropy=entropy)
        if substitute is not None:
            self._book.substitute = substitute
        self._session = self._book.session = Session(
            attempt=launch.attempt,
            recorded=launch.journal,
            record=send,
            define=self._book.define,
            clock=clock,
            reuse=launch.reuse,
            moved=launch.moved,
            park_after=launch.park_after,
        )
        self._loop: EagerLoop | None = None
        self._main: asyncio.Task[Any] | None = None
        self._cancelled: str | None = None
        self._interrupted: str | None = None
        self._session.on_interrupt = self._interrupt

    def _execution(self) -> ExecutionContext:
        return execution_context(self._launch, self._blobs, self._outlet)

    def deliver(self, entries: tuple[Entry, ...]) -> None:
        """Entries have become durable. From any thread."""
        self._session.deliver(entries)

    def cancel(self, reason: str, grace: float) -> None:
        """Cancel the body by force: what clean-up it still does makes no durable calls. From any thread."""
        self._cancelled = reason
        loop = self._loop
        if loop is not None:
            # It may close at any moment: then there is nothing left to cancel here.
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._cancel_main)

    def unclaimed(self) -> list[Entry]:
        """The recorded calls that the body has not come to."""
        return self._session.unclaimed()

    def _cancel_main(self) -> None:
        assert self._cancelled is not None
        self._session.end(self._cancelled)
        if self._main is not None:
            self._main.cancel()

    def _interrupt(self, failure: Failure) -> None:
        """The journal says that the body was stopped here: its clean-up makes calls like any other."""
        self._interrupted = failure.message
        if self._main is not None:
            # The message comes out of whatever the body awaits: a teardown is told it.
            self._main.cancel(failure.title)

    def run(self) -> None:
        """Drive the body to its end. Blocks; never raises what the body raises."""
        attempt = self._launch.attempt
        self._send(Started(attempt, worker="", at=self._clock()))
        try:
            try:
                with mounted(self._launch, self._book.execution.secrets):
                    outputs = self._drive()
            finally:
                show_last(self._book.execution, self._outlet, None)
        except Parking as parking:
            self._send(Parked(attempt, parking.seen, parking.wake_at, self._clock()))
        except asyncio.CancelledError:
            stopped = self._cancelled if self._cancelled is not None else self._interrupted
            reason = stopped or "the body cancelled itself"
            fault = Fault.CANCELLED if stopped is not None else Fault.USER
            failure = Failure(fault, reason, type="asyncio.exceptions:CancelledError", recoverable=False)
            self._send(AttemptFault(attempt, failure, self._clock()))
        except BaseException as error:
            failure = capture(error, node=attempt.path)
            self._send(AttemptFault(attempt, failure, self._clock()))
        else:
            self._send(Succeeded(attempt, outputs, self._clock()))
        finally:
            # What the body fetched goes with it; a driver that follows a parked one fetches again.
            self._book.execution.close()

    def _drive(self) -> Literals:
        entity: Eager[Any, Any] = self._load(self._launch.task.code)
        self._book.entities[entity.name] = entity
        if self._launch.journal and entity.code_digest() != self._launch.task.code_digest:
            self._session.code_has_changed()
        loop = self._loop = self._make_loop(self._session, current)
        self._session.attach(loop)
        runner = asyncio.Runner(loop_factory=lambda: loop)
        try:
            with watchdog.watching(loop, threshold(), self._held_up):
                value = runner.run(self._body(entity))
        except Parking:
            # Not the runner's ``close``: it would cancel what waits.
            loop.abandon()
            raise
        except BaseException:
            runner.close()
            raise
        runner.close()
        report_never_awaited(self._book.open_calls)
        return self._values.offload(entity.signature.encode_outputs(value))

    def _held_up(self, seconds: float, stack: str) -> None:
        """The body does not let its loop turn: say so where its prints go. In the watchdog's thread."""
        text = (
            f"whimbrel: the eager body {self._launch.attempt.path} has held its event loop up for {seconds:.1f} s; "
            "nothing else in it can go on. Move the work into a task, or into `await asyncio.to_thread(...)`. "
            f"({VARIABLE} sets when this is said.)\n{stack}\n"
        )
        self._send(LogChunk(self._launch.attempt, "stderr", text, self._clock()))

    async def _body(self, entity: Eager[Any, Any]) -> Any:
        self._main = asyncio.current_task()
        if self._cancelled is not None:
            self._cancel_main()
        current.set(DurableCaller(self._book, Scope(self._launch.attempt.path)))
        inputs = entity.signature.decode_inputs(self._values.fetch(self._launch.inputs))
        shows, decks = self._launch.task.deck, self._book.execution.decks
        if shows:
            begin_decks(entity, inputs, decks)
        with carried_values(self._launch.metadata.carried):
            value = await entity.fn(**inputs)
        if shows:
            end_decks(entity, value, decks)
        return value
