"""The worker's main loop: instructions in, reports out.

Tasks run one at a time in the main thread, where signals arrive and libraries like to be; eager bodies run many at a
time, each in a thread. The main thread reads instructions too; while a task keeps it busy another thread does. A third
says every second that the worker lives.
Knows: the attempt protocol, attempts, drivers. Must not know: what started it, how it will be replaced.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable
from contextlib import ExitStack
from typing import NoReturn, Protocol, assert_never

from whimbrel.authoring.calling import current
from whimbrel.model.attempt import (
    AttemptEnd,
    AttemptFault,
    Cancel,
    Deliver,
    Frame,
    Heartbeat,
    Hello,
    Instruction,
    Launch,
    LogChunk,
    Parked,
    Report,
    Shutdown,
)
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import TaskKind
from whimbrel.model.run import AttemptId, Entry
from whimbrel.runtime.attempt import Attempt, AttemptContext, Load
from whimbrel.runtime.capture import Capture, LineBuffer
from whimbrel.runtime.ear import Ear
from whimbrel.runtime.environment import laid_over
from whimbrel.runtime.frames import BrokenFrame, WorkerChannel
from whimbrel.runtime.house import House
from whimbrel.runtime.masking import Mask
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.warm_loop import WarmLoop
from whimbrel.types.failures import capture

BEAT = 1.0
"""Seconds between heartbeats."""

EXIT_ORPHANED = 75
EXIT_BROKEN = 70


class DriverLike(Protocol):
    """Runs the body of one eager attempt."""

    def run(self) -> None:
        """Run it to its end in this thread, and send the end. Returns early when it is parked."""
        ...

    def deliver(self, entries: tuple[Entry, ...]) -> None:
        """Entries of its journal have become durable. From any thread."""
        ...

    def cancel(self, reason: str, grace: float) -> None:
        """Stop it. From any thread."""
        ...


class DriverFactory(Protocol):
    """Makes drivers: ``runtime.driver.Driver``, chosen where the worker is composed."""

    def __call__(self, launch: Launch, *, send: Callable[[Report], None], blobs: BlobStore, load: Load) -> DriverLike:
        """A driver for ``launch``."""
        ...


class DriverThread:
    """A driver in a thread of its own, with what it prints, and with the promise that it ends in a report.

    ``send`` is called in that thread (and, for what it prints, in others). ``ended`` is called before its last report
    is sent.
    """

    def __init__(
        self,
        launch: Launch,
        *,
        factory: DriverFactory,
        send: Callable[[Report], None],
        blobs: BlobStore,
        load: Load,
        streams: Capture,
        ended: Callable[[AttemptId], None],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._launch = launch
        self._send_report = send
        self._streams = streams
        self._ended = ended
        self._clock = clock
        self._over = False
        self._surroundings = ExitStack()
        self._output = LineBuffer(log_sink(launch.attempt, send, clock), mask=Mask(launch.secrets))
        self._driver = factory(launch, send=self._send, blobs=blobs, load=load)
        self.deliver = self._driver.deliver
        self.cancel = self._driver.cancel

    def start(self) -> None:
        """Begin."""
        threading.Thread(target=self._run, name=f"driver {self._launch.attempt.path}", daemon=True).start()

    def _run(self) -> None:
        self._surroundings.enter_context(laid_over(self._launch.metadata.environment))
        with self._streams.owned_by(self._output), self._surroundings:
            try:
                self._driver.run()
            except BaseException as error:
                self._fail(capture(error, fault=Fault.SYSTEM))
            else:
                self._fail(Failure(Fault.SYSTEM, "the driver stopped without a result"))

    def _fail(self, failure: Failure) -> None:
        self._send(AttemptFault(self._launch.attempt, failure, self._clock()))

    def _send(self, report: Report) -> None:
        if self._over:
            return
        if isinstance(report, AttemptEnd):
            self._over = True
            self._output.close()
            # Who hears the end may start another attempt at once.
            self._surroundings.close()
            self._ended(self._launch.attempt)
            try:
                self._send_report(report)
            except BrokenFrame as error:
                if isinstance(report, Parked):
                    raise
                self._send_report(_too_large(report, error))
        else:
            self._send_report(report)


def _too_large(end: AttemptEnd, error: BrokenFrame) -> AttemptFault:
    """What is said instead of an end that cannot be said: without it the attempt would never end."""
    failure = Failure(Fault.USER, f"the outcome is too large to be reported: {error}", recoverable=False)
    return AttemptFault(end.attempt, failure, end.at)


def log_sink(
    attempt: AttemptId, send: Callable[[LogChunk], None], clock: Callable[[], float]
) -> Callable[[str, str, str], None]:
    """What makes log chunks of an attempt's text."""
    return lambda stream, text, level: send(LogChunk(attempt, stream, text, clock(), level))


def attempt_output() -> LineBuffer | None:
    """Where the prints of the task go that is the current caller, whatever thread or asyncio task it has spread to."""
    execution = current.get().execution
    return execution.output if isinstance(execution, AttemptContext) else None


class Worker:
    """See the module. ``run`` returns when it was told to shut down, and the process should then end."""

    def __init__(
        self,
        channel: WorkerChannel,
        *,
        blobs: BlobStore,
        driver: DriverFactory,
        load: Load,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._channel = channel
        self._blobs = blobs
        self._driver = driver
        self._load = load
        self._clock = clock
        self._loop = WarmLoop()
        self._ear = Ear(channel)
        self._todo: deque[Attempt] = deque()
        self._leaving = False
        self._attempts: dict[AttemptId, Attempt] = {}
        self._running: Attempt | None = None
        self._drivers: dict[AttemptId, DriverThread] = {}
        self._streams = Capture(attempt_output)
        # What Python prints goes the way that everything else goes, and so stays in order; what is written past it,
        # by C libraries and child processes, is read from the pipes.
        self._streams.install()
        self._main = threading.main_thread().ident
        self._saying = False
        self._interrupted = False
        self._forked = False
        os.register_at_fork(after_in_child=self._in_child)
        self._house = House(self._on_terminate)

    def run(self) -> None:
        """Serve until told to shut down. In the main thread."""
        self._house.tidy()
        self._send(Hello(os.getpid()))
        threading.Thread(target=self._guarded, args=(self._listen,), name="instructions", daemon=True).start()
        threading.Thread(target=self._guarded, args=(self._beat,), name="heartbeat", daemon=True).start()
        while (attempt := self._next()) is not None:
            self._running = attempt
            self._ear.lend()
            end = attempt.run()
            self._running = None
            self._ear.take_back()
            self._attempts.pop(attempt.launch.attempt, None)
            self._house.flush()
            self._house.tidy()
            try:
                self._send(end)
            except BrokenFrame as error:
                self._send(_too_large(end, error))
        self._loop.close()

    def _next(self) -> Attempt | None:
        while not self._todo:
            if self._leaving:
                return None
            self._hear()
        return self._todo.popleft()

    def _hear(self) -> None:
        """Obey one instruction; wait for it."""
        instruction = self._channel.receive()
        if instruction is None:
            _die_with_children()
        self._obey(instruction)

    def _in_child(self) -> None:
        """A task has forked: the connection is the parent's. What the child prints goes through the pipes."""
        self._forked = True
        self._streams.restore()

    def _say(self, report: Report) -> None:
        """Send what an attempt says in the midst of its work."""
        if self._forked:
            return
        if threading.get_ident() != self._main:
            self._send(report)
            return
        self._saying = True
        try:
            self._send(report)
        finally:
            self._saying = False
            if self._interrupted:
                self._interrupted = False
                if self._running is not None:
                    self._running.interrupt()

    def _send(self, frame: Frame) -> None:
        try:
            self._channel.send(frame)
        except OSError:
            _die_with_children()

    # --- the other threads -------------------------------------------------------------------------------------------

    def _guarded(self, serve: Callable[[], None]) -> None:
        """A worker that has lost one of its threads would be deaf or look dead; it ends instead, and says why."""
        try:
            serve()
        except BaseException:
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(EXIT_BROKEN)

    def _beat(self) -> None:
        pause = threading.Event()
        while not pause.wait(BEAT):
            self._send(Heartbeat(self._clock()))

    def _listen(self) -> None:
        """Hear what is said while the main thread is busy."""
        while True:
            self._ear.borrow(self._hear)

    def _obey(self, instruction: Instruction) -> None:
        match instruction:
            case Launch(task=task) if task.kind is TaskKind.EAGER:
                self._drive(instruction)
            case Launch():
                attempt = Attempt(
                    instruction,
                    blobs=self._blobs,
                    load=self._load,
                    output=LineBuffer(
                        log_sink(instruction.attempt, self._say, self._clock), mask=Mask(instruction.secrets)
                    ),
                    send=self._say,
                    run_coroutine=self._loop.run,
                    clock=self._clock,
                )
                self._attempts[instruction.attempt] = attempt
                self._todo.append(attempt)
            case Cancel():
                self._cancel(instruction)
            case Deliver():
                if driver := self._drivers.get(instruction.attempt):
                    driver.deliver(instruction.entries)
            case Shutdown():
                self._leaving = True
                for attempt in list(self._attempts.values()):
                    self._stop(attempt, "the worker was shut down")
            case _:
                assert_never(instruction)

    def _drive(self, launch: Launch) -> None:
        driver = DriverThread(
            launch,
            factory=self._driver,
            send=self._send,
            blobs=self._blobs,
            load=self._load,
            streams=self._streams,
            ended=self._driver_ended,
            clock=self._clock,
        )
        self._drivers[launch.attempt] = driver
        driver.start()

    def _driver_ended(self, attempt: AttemptId) -> None:
        self._drivers.pop(attempt, None)

    def _cancel(self, cancel: Cancel) -> None:
        if driver := self._drivers.get(cancel.attempt):
            driver.cancel(cancel.reason, cancel.grace)
        elif attempt := self._attempts.get(cancel.attempt):
            self._stop(attempt, cancel.reason)

    def _stop(self, attempt: Attempt, reason: str) -> None:
        told = attempt.cancel(reason)
        if not told and attempt is self._running and self._main is not None:
            # Sent to the thread, so that a system call it sits in is interrupted.
            signal.pthread_kill(self._main, signal.SIGTERM)

    # --- signals -----------------------------------------------------------------------------------------------------

    def _on_terminate(self, _signal: int, _frame: object) -> None:
        """Between two attempts, or from a stranger while one runs: end. Else: interrupt it."""
        attempt = self._running
        if attempt is not None and attempt.cancelled:
            if self._saying:
                # Half a message would be the end of the connection.
                self._interrupted = True
            else:
                attempt.interrupt()
        elif attempt is not None or not self._attempts:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGTERM)


def _die_with_children() -> NoReturn:
    """Who started this worker is gone: what it would compute belongs to nobody, and neither do its child processes."""
    if os.getpgrp() == os.getpid():
        os.killpg(os.getpid(), signal.SIGKILL)
    os._exit(EXIT_ORPHANED)
