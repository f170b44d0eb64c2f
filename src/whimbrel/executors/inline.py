"""Attempts in this very process: for tests, for debugging, and where a process per task would cost more than the task.

Coroutine functions run on the executor's own event loop, other functions on a few threads, eager bodies on a thread
each. A task that takes the process down takes everything down; a function that is stuck in C cannot be stopped, only
given up. A body that was parked gives its thread back, but its frames stay in memory until the process ends.
Knows: attempts, drivers, threads. Must not know: runs, stores.
"""

from __future__ import annotations

import asyncio
import inspect
import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from whimbrel.authoring.secret_sources import SecretSource
from whimbrel.errors import SystemFault
from whimbrel.model.attempt import AttemptEnd, AttemptFault, Cancel, Deliver, Launch, Report, Started
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import CodeRef, TaskKind
from whimbrel.model.run import AttemptId
from whimbrel.runtime.attempt import Attempt, Load, load_once
from whimbrel.runtime.capture import Capture, LineBuffer
from whimbrel.runtime.handing import handed
from whimbrel.runtime.masking import Mask
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.worker import DriverFactory, DriverThread, attempt_output, log_sink


class _Running:
    __slots__ = ("attempt", "cancelled", "driver", "escalation", "slot")

    def __init__(self, *, attempt: Attempt | None = None, driver: DriverThread | None = None) -> None:
        self.attempt = attempt
        self.driver = driver
        self.slot: _Slot | None = None
        self.cancelled: Cancel | None = None
        self.escalation: asyncio.TimerHandle | None = None


class _Slot:
    """A thread of the pool. ``abandoned`` tells it to end when it comes back."""

    __slots__ = ("abandoned", "ident")

    def __init__(self) -> None:
        self.abandoned = False
        self.ident = 0


class InlineExecutor:
    """``ports.Executor`` without processes.

    ``threads`` is how many blocking functions run at a time; with 0 they run on the event loop itself, which they then
    hold up. ``entities`` gives entities by name, before any import is tried: tests define theirs inside functions. With
    ``capture``, ``sys.stdout`` and ``sys.stderr`` are replaced from ``start`` to ``close``; what no attempt wrote
    passes through. ``secrets`` is where the secrets that tasks declare are found.
    """

    def __init__(
        self,
        *,
        blobs: BlobStore,
        driver: DriverFactory,
        threads: int = 8,
        entities: Mapping[str, Any] | None = None,
        capture: bool = True,
        close_grace: float = 0.5,
        clock: Callable[[], float] = time.time,
        secrets: SecretSource | None = None,
    ) -> None:
        self._blobs = blobs
        self._driver = driver
        self._threads = threads
        self._entities = entities or {}
        self._close_grace = close_grace
        self._clock = clock
        self._secrets = secrets
        self._streams = Capture(attempt_output) if capture else None
        self._load = load_once()
        self._worker = f"{os.getpid()} (inline)"
        self._running: dict[AttemptId, _Running] = {}
        self._todo: queue.SimpleQueue[_Running | None] = queue.SimpleQueue()
        self._slots: set[_Slot] = set()
        self._waiting = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._posted: deque[Report] = deque()
        self._woken = False
        self._coroutines: dict[Any, bool] = {}
        self._closing = False
        self._report: Callable[[Report], None] = _not_started
        self._loop: asyncio.AbstractEventLoop
        self._loop_thread = 0

    # --- the port ----------------------------------------------------------------------------------------------------

    async def start(self, report: Callable[[Report], None]) -> None:
        """Be ready to launch."""
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._report = report
        if self._streams is not None:
            self._streams.install()

    def launch(self, launch: Launch) -> None:
        """Run an attempt: an eager one at once, a blocking one when a thread is free."""
        if self._closing:
            return
        load = self._loader(launch)
        launch = handed(launch, self._secrets)
        if launch.task.kind is TaskKind.EAGER:
            self._drive(launch, load)
            return
        output = None
        if self._streams is not None:
            output = LineBuffer(log_sink(launch.attempt, self._post, self._clock), mask=Mask(launch.secrets))
        attempt = Attempt(launch, blobs=self._blobs, load=load, output=output, send=self._post, clock=self._clock)
        running = self._running[launch.attempt] = _Running(attempt=attempt)
        if self._threads and not self._is_coroutine(load, launch):
            self._todo.put(running)
            if len(self._slots) < min(self._threads, len(self._running)):
                self._add_thread()
        else:
            task = self._loop.create_task(self._run_here(attempt))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def cancel(self, cancel: Cancel) -> None:
        """Stop an attempt: it is asked; if it has not ended after twice ``grace``, it is given up and said to be
        cancelled.
        """
        running = self._running.get(cancel.attempt)
        if running is None:
            return
        if running.escalation is not None:
            running.escalation.cancel()
        running.cancelled = cancel
        running.escalation = self._loop.call_later(2 * cancel.grace, self._give_up, running)
        self._stop(running, cancel.reason, cancel.grace)

    def deliver(self, deliver: Deliver) -> None:
        """Hand journal entries to the driver of an eager attempt."""
        running = self._running.get(deliver.attempt)
        if running is not None and running.driver is not None:
            running.driver.deliver(deliver.entries)

    def running(self) -> frozenset[AttemptId]:
        """The attempts that were launched and have not ended."""
        return frozenset(self._running)

    async def close(self) -> None:
        """Stop everything, as far as a process can stop itself, and put the streams back."""
        self._closing = True
        running, self._running = list(self._running.values()), {}
        for one in running:
            if one.escalation is not None:
                one.escalation.cancel()
            self._stop(one, "the executor was closed", 0.0)
        for _ in self._slots:
            self._todo.put(None)
        if self._tasks:
            _, stuck = await asyncio.wait(self._tasks, timeout=self._close_grace)
            for task in stuck:
                task.cancel()
        if self._streams is not None:
            self._streams.restore()

    # --- running -----------------------------------------------------------------------------------------------------

    def _loader(self, launch: Launch) -> Load:
        entity = self._entities.get(launch.task.name)
        if entity is None:
            return self._load

        def found(_code: CodeRef) -> Any:
            return entity

        return found

    def _is_coroutine(self, load: Load, launch: Launch) -> bool:
        """Whether the function is a coroutine function. One that cannot be loaded is not: its attempt says why."""
        try:
            entity = load(launch.task.code)
        except BaseException:
            return False
        known = self._coroutines.get(entity)
        if known is None:
            known = self._coroutines[entity] = inspect.iscoroutinefunction(inspect.unwrap(entity.fn))
        return known

    def _drive(self, launch: Launch, load: Load) -> None:
        try:
            driver = DriverThread(
                launch,
                factory=self._driver,
                send=self._post,
                blobs=self._blobs,
                load=load,
                streams=self._streams if self._streams is not None else Capture(),
                ended=_nothing,
                clock=self._clock,
            )
        except Exception as error:
            failure = Failure(Fault.SYSTEM, f"the driver could not be made: {error}")
            self._running[launch.attempt] = _Running()
            self._post(AttemptFault(launch.attempt, failure, self._clock()))
            return
        self._running[launch.attempt] = _Running(driver=driver)
        self._post(Started(launch.attempt, self._worker, self._clock()))
        driver.start()

    async def _run_here(self, attempt: Attempt) -> None:
        self._post(Started(attempt.launch.attempt, self._worker, self._clock()))
        end = await attempt.run_here()
        # Told here and now: a turn of the loop for each end would be a good part of a step.
        self._posted.append(end)
        self._tell()

    def _add_thread(self) -> None:
        slot = _Slot()
        self._slots.add(slot)
        threading.Thread(target=self._serve, args=(slot,), name="inline attempts", daemon=True).start()

    def _serve(self, slot: _Slot) -> None:
        slot.ident = threading.get_ident()
        while not slot.abandoned and (running := self._todo.get()) is not None:
            attempt = running.attempt
            assert attempt is not None
            if attempt.cancelled:
                # Its end was said when it was cancelled.
                continue
            running.slot = slot
            self._post(Started(attempt.launch.attempt, self._worker, self._clock()))
            end = attempt.run()
            running.slot = None
            self._post(end)

    # --- reports, from any thread to the loop's ----------------------------------------------------------------------

    def _post(self, report: Report) -> None:
        self._posted.append(report)
        if not self._woken:
            self._woken = True
            if threading.get_ident() == self._loop_thread:
                self._loop.call_soon(self._tell)
                return
            try:
                self._loop.call_soon_threadsafe(self._tell)
            except RuntimeError:
                # The loop was closed while a thread was still busy: nobody listens any more.
                return

    def _tell(self) -> None:
        self._woken = False
        while self._posted:
            report = self._posted.popleft()
            running = self._running.get(report.attempt)
            if running is None:
                # A second end, or the words of an attempt that was given up.
                continue
            if isinstance(report, AttemptEnd):
                self._end(running, report)
            elif isinstance(report, Started) and not report.worker:
                # A driver says it too; said once is enough.
                continue
            else:
                self._report(report)

    def _end(self, running: _Running, end: AttemptEnd) -> None:
        del self._running[end.attempt]
        if running.escalation is not None:
            running.escalation.cancel()
        self._report(end)

    # --- cancelling --------------------------------------------------------------------------------------------------

    def _stop(self, running: _Running, reason: str, grace: float) -> None:
        if running.driver is not None:
            running.driver.cancel(reason, grace)
            return
        attempt, slot = running.attempt, running.slot
        if attempt is None or attempt.cancel(reason):
            return
        if slot is not None:
            attempt.interrupt_thread(slot.ident)
        elif self._threads and not self._closing:
            cancelled = Cancel(attempt.launch.attempt, reason)
            self._post(AttemptFault(cancelled.attempt, _cancelled(cancelled), self._clock()))

    def _give_up(self, running: _Running) -> None:
        assert running.cancelled is not None
        attempt = running.cancelled.attempt
        if self._running.get(attempt) is not running:
            return
        if (slot := running.slot) is not None:
            slot.abandoned = True
            self._slots.discard(slot)
            self._add_thread()
        self._end(running, AttemptFault(attempt, _cancelled(running.cancelled), self._clock()))


def _cancelled(cancel: Cancel) -> Failure:
    return Failure(Fault.CANCELLED, cancel.reason, recoverable=False)


def _nothing(_attempt: AttemptId) -> None:
    """A driver's end is heard by its last report."""


def _not_started(_report: Report) -> None:
    raise SystemFault("the executor was not started")
