"""Attempts in warm worker processes on this machine.

A process is bound by its first attempt to a code root and a set of environment variables, and to one role: a *task
worker* runs one attempt at a time, a *driver host* runs many eager bodies, each in a thread. Eager attempts never wait
for room, because their calls do.
Knows: worker processes, the attempt protocol. Must not know: runs, stores, what an attempt means.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Sequence

from msgspec.structs import replace

from whimbrel.authoring.secret_sources import SecretSource
from whimbrel.errors import SystemFault
from whimbrel.executors.worker_process import WorkerProcess
from whimbrel.model.attempt import (
    AttemptEnd,
    AttemptFault,
    Cancel,
    Deliver,
    Frame,
    Heartbeat,
    Hello,
    Launch,
    LogChunk,
    Lost,
    Parked,
    Report,
    Shutdown,
    Started,
    Succeeded,
    Unfolded,
)
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import TaskKind
from whimbrel.model.run import AttemptId
from whimbrel.runtime.frames import BrokenFrame
from whimbrel.runtime.handing import handed, without_secrets

WORKER_COMMAND = (sys.executable, "-P", "-m", "whimbrel.cli.worker")
"""``-P``: a user's ``random.py`` in the working directory must not be found before the standard library's when the
worker starts.
"""

_FAILED_STARTS = 3
_SPARE = 2
"""Idle processes beyond ``workers``, and idle driver hosts, that are kept for when their binding is wanted again."""
_PARKED_PER_HOST = 256
"""After so many parked bodies a driver host takes no more drivers."""
_LINGER = 1.0
"""Seconds that a host of parked bodies alone stays, in case that more drivers come."""
_LEAVE = 5.0
"""Seconds that a dismissed process has to end by itself."""

NAMES = "FLYTE_INTERNAL_EXECUTION_"
"""Variables that begin so say which execution it is. A task finds them in its environment; a process is not bound to
them, or each run would start its own."""

Binding = tuple[str, tuple[tuple[str, str], ...]]
"""The code root, and the environment variables in order of name."""


class _Seat:
    """A process and what it runs."""

    __slots__ = (
        "attempts",
        "binding",
        "drivers",
        "leaving",
        "measured_at",
        "parked",
        "patience",
        "process",
        "ready",
        "served",
        "ticks",
        "usual_size",
    )

    def __init__(self, process: WorkerProcess) -> None:
        self.process = process
        self.binding: Binding | None = None
        self.drivers = False
        self.attempts: dict[AttemptId, _Running] = {}
        self.ready = False
        self.leaving = False
        self.parked = 0
        self.usual_size = 0
        self.measured_at = 0.0
        self.served = 0
        self.ticks = -1
        self.patience = 0.0


class _Running:
    """An attempt that has a seat."""

    __slots__ = ("cancelled", "escalation", "launch", "seat", "started")

    def __init__(self, launch: Launch, seat: _Seat) -> None:
        self.launch = launch
        self.seat = seat
        self.started = False
        self.cancelled: Cancel | None = None
        self.escalation: asyncio.TimerHandle | None = None


class ProcessExecutor:
    """``ports.Executor`` over worker processes.

    ``blobs`` is where the workers find the blob store (a directory or URL, handed to them as it is). ``workers`` is how
    many tasks run at a time; ``warm`` how many processes are started before they are needed. A process that says
    nothing for ``silence`` seconds, and uses no processor time meanwhile, is ended. A worker is replaced after
    ``max_attempts`` attempts, or when it has grown by ``max_growth`` bytes since its first ones. ``secrets`` is where
    the secrets that tasks declare are found; workers do not inherit those of this process's environment.
    """

    def __init__(
        self,
        *,
        blobs: str,
        workers: int | None = None,
        drivers_per_host: int = 64,
        warm: int = 2,
        silence: float = 30.0,
        max_attempts: int = 100_000,
        max_growth: int = 1024**3,
        close_grace: float = 0.5,
        command: Sequence[str] = WORKER_COMMAND,
        clock: Callable[[], float] = time.time,
        secrets: SecretSource | None = None,
    ) -> None:
        self._command = (*command, "--blobs", blobs)
        self._workers = workers if workers is not None else _processors()
        self._drivers_per_host = drivers_per_host
        self._warm = warm
        self._silence = silence
        self._max_attempts = max_attempts
        self._max_growth = max_growth
        self._close_grace = close_grace
        self._clock = clock
        self._secrets = secrets
        self._seats: dict[WorkerProcess, _Seat] = {}
        self._idle: dict[_Seat, None] = {}
        self._quiet: dict[_Seat, None] = {}
        self._queue: OrderedDict[AttemptId, Launch] = OrderedDict()
        self._eager: deque[Launch] = deque()
        self._early: dict[AttemptId, list[Deliver]] = {}
        """For those in ``_eager``."""
        self._running: dict[AttemptId, _Running] = {}
        self._busy = 0
        self._failed_starts = 0
        self._refusal = ""
        self._dispatching = False
        self._closing = False
        self._empty: asyncio.Future[None] | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._report: Callable[[Report], None] = _not_started
        self._lifeline: tuple[int, int] | None = None
        self._loop: asyncio.AbstractEventLoop

    # --- the port ----------------------------------------------------------------------------------------------------

    async def start(self, report: Callable[[Report], None]) -> None:
        """Be ready; the first processes start in the background."""
        self._loop = asyncio.get_running_loop()
        self._lifeline = os.pipe()
        self._report = report
        self._look_after_silence()
        self._loop.call_soon(self._warm_up)

    def launch(self, launch: Launch) -> None:
        """Run an attempt: an eager one now, another as soon as one of ``workers`` is free.

        The secrets that its task declared go with it.
        """
        launch = handed(launch, self._secrets)
        if launch.task.kind is TaskKind.EAGER:
            self._eager.append(_without_names(launch))
        else:
            self._queue[launch.attempt] = launch
        self._dispatch_soon()

    def cancel(self, cancel: Cancel) -> None:
        """Stop an attempt: it is asked, after ``grace`` it gets SIGTERM, after another ``grace`` SIGKILL."""
        running = self._running.get(cancel.attempt)
        if running is None:
            self._cancel_queued(cancel)
            return
        if running.cancelled is None or cancel.grace < running.cancelled.grace:
            running.cancelled = cancel
            running.seat.process.send(cancel)
            self._escalate_later(running, self._terminate)

    def deliver(self, deliver: Deliver) -> None:
        """Hand journal entries to the driver of an eager attempt."""
        running = self._running.get(deliver.attempt)
        if running is not None:
            running.seat.process.send(deliver)
        elif any(launch.attempt == deliver.attempt for launch in self._eager):
            # Launched in this very turn: it follows the launch.
            self._early.setdefault(deliver.attempt, []).append(deliver)

    def running(self) -> frozenset[AttemptId]:
        """The attempts that were launched and have not ended, those in the queue included."""
        return frozenset(self._running).union(self._queue, (launch.attempt for launch in self._eager))

    async def close(self) -> None:
        """End every process: those that run something get ``close_grace`` seconds to clean up."""
        self._closing = True
        self._queue.clear()
        self._eager.clear()
        self._early.clear()
        if self._watch is not None:
            self._watch.cancel()
        for running in self._running.values():
            if running.escalation is not None:
                running.escalation.cancel()
        self._running.clear()
        if self._seats:
            self._empty = self._loop.create_future()
            for process in self._seats:
                process.send(Shutdown())
            sweep = self._loop.call_later(self._close_grace, self._kill_all)
            try:
                await self._empty
            finally:
                sweep.cancel()
                self._let_go()
        else:
            self._let_go()

    def _kill_all(self) -> None:
        for process in self._seats:
            process.kill("the executor was closed")

    def _let_go(self) -> None:
        """Close the pipe that the workers hang on: who is left, as ``close`` was cancelled, dies of that."""
        if self._lifeline is not None:
            for end in self._lifeline:
                os.close(end)
            self._lifeline = None

    # --- giving out work ---------------------------------------------------------------------------------------------

    def _dispatch_soon(self) -> None:
        """Reports are never made inside a caller's ``launch`` or ``cancel``: the loop that called us is in the middle
        of something.
        """
        if not self._dispatching and not self._closing:
            self._dispatching = True
            self._loop.call_soon(self._dispatch)

    def _dispatch(self) -> None:
        self._dispatching = False
        if self._closing:
            return
        while self._eager:
            launch = self._eager.popleft()
            seat = self._driver_host(_binding(launch))
            if seat is None:
                self._lose(launch)
            else:
                self._seat(launch, seat)
        while self._queue and self._busy < self._workers:
            _, launch = self._queue.popitem(last=False)
            seat = self._task_worker(_binding(launch))
            if seat is None:
                self._lose(launch)
            else:
                self._seat(launch, seat)

    def _task_worker(self, binding: Binding) -> _Seat | None:
        free = None
        for seat in reversed(self._idle):
            if seat.binding == binding:
                free = seat
                break
            if free is None and seat.binding is None:
                free = seat
        if free is None:
            tasks = [seat for seat in self._idle if seat.binding is not None]
            if len(tasks) + self._busy >= self._workers + _SPARE:
                self._dismiss(tasks[0])
            free = self._spawn()
        if free is not None:
            self._idle.pop(free, None)
            free.binding = binding
        return free

    def _driver_host(self, binding: Binding) -> _Seat | None:
        unbound = None
        for seat in self._seats.values():
            if seat.leaving:
                continue
            if seat.drivers and seat.binding == binding and len(seat.attempts) < self._drivers_per_host:
                self._quiet.pop(seat, None)
                return seat
            if seat.binding is None:
                unbound = seat
        host = unbound or self._spawn()
        if host is not None:
            self._idle.pop(host, None)
            host.binding = binding
            host.drivers = True
        return host

    def _seat(self, launch: Launch, seat: _Seat) -> None:
        running = _Running(launch, seat)
        self._running[launch.attempt] = running
        seat.attempts[launch.attempt] = running
        if not seat.drivers:
            self._busy += 1
        seat.process.hide(launch.secrets)
        early = self._early.pop(launch.attempt, ())
        try:
            seat.process.send(launch)
            for deliver in early:
                seat.process.send(deliver)
        except BrokenFrame as error:
            failure = Failure(Fault.USER, f"the inputs are too large to be handed over: {error}", recoverable=False)
            self._end(running, AttemptFault(launch.attempt, failure, self._clock()))
            return
        if seat.ready:
            self._say_started(running)

    def _say_started(self, running: _Running) -> None:
        """Said here, not by the worker: a frame less to wake up for, and a ready process is about to call it."""
        if not running.started:
            running.started = True
            self._report(Started(running.launch.attempt, str(running.seat.process.pid), self._clock()))

    def _unseat(self, running: _Running) -> None:
        """The attempt has ended, one way or another."""
        seat = running.seat
        attempt = running.launch.attempt
        if running.escalation is not None:
            running.escalation.cancel()
        self._running.pop(attempt, None)
        if seat.attempts.pop(attempt, None) is None or seat.drivers:
            return
        self._busy -= 1
        if self._queue:
            self._dispatch_soon()

    # --- processes ---------------------------------------------------------------------------------------------------

    def _warm_up(self) -> None:
        while not self._closing and len(self._seats) < self._warm:
            if (seat := self._spawn()) is None:
                return
            self._idle[seat] = None

    def _spawn(self) -> _Seat | None:
        if self._lifeline is None:
            raise SystemFault("the executor was not started")
        try:
            process = WorkerProcess.spawn(
                self._command, without_secrets(os.environ), lifeline=self._lifeline[0], owner=self, loop=self._loop
            )
        except OSError as error:
            self._refusal = f"no worker process can be started: {error}"
            return None
        seat = _Seat(process)
        self._seats[process] = seat
        return seat

    def _dismiss(self, seat: _Seat) -> None:
        """Let a process go. Nothing more is given to it; what it runs still ends in its own way."""
        self._idle.pop(seat, None)
        self._quiet.pop(seat, None)
        if seat.leaving:
            return
        seat.leaving = True
        if not seat.attempts:
            seat.process.send(Shutdown())
            self._loop.call_later(_LEAVE, seat.process.kill, "it did not leave")

    def _free(self, seat: _Seat) -> None:
        """A task worker has nothing to do."""
        process = seat.process
        seat.served += 1
        if seat.leaving or seat.served >= self._max_attempts or self._has_grown(seat):
            seat.leaving = False
            self._dismiss(seat)
        elif not process.gone:
            process.forget_words()
            self._idle[seat] = None

    def _has_grown(self, seat: _Seat) -> bool:
        """Looked at once a second: reading /proc for every no-op would cost as much as the no-op."""
        now = self._loop.time()
        if now - seat.measured_at < 1.0:
            return False
        seat.measured_at = now
        size = seat.process.resident_bytes()
        seat.usual_size = seat.usual_size or size
        return size - seat.usual_size > self._max_growth

    # --- what processes say ------------------------------------------------------------------------------------------

    def on_frame(self, worker: WorkerProcess, frame: Frame) -> None:
        """A worker's frame."""
        seat = self._seats[worker]
        match frame:
            case Heartbeat():
                return
            case Hello():
                seat.ready = True
                self._failed_starts = 0
                for running in list(seat.attempts.values()):
                    self._say_started(running)
                return
        running_now = seat.attempts.get(frame.attempt)
        if running_now is None or self._closing:
            # A second end, or the words of an attempt that was given up: nobody may hear them.
            return
        match frame:
            case Succeeded() | Unfolded() | AttemptFault() | Parked():
                worker.drain()
                self._end(running_now, frame)
            case Started():
                self._say_started(running_now)
            case LogChunk():
                if frame.stream != "stdout":
                    worker.remember_words(frame.text)
                self._report(frame)
            case _:
                self._report(frame)

    def on_text(self, worker: WorkerProcess, stream: str, text: str) -> None:
        """A worker printed. A driver host's own output has no owner when several drivers share it; their streams are
        told apart inside it.
        """
        seat = self._seats[worker]
        if len(seat.attempts) == 1 and not self._closing:
            self._report(LogChunk(next(iter(seat.attempts)), stream, text, self._clock()))

    def _end(self, running: _Running, end: AttemptEnd) -> None:
        seat = running.seat
        self._unseat(running)
        if running.cancelled is not None and not seat.drivers:
            # It was interrupted at a point of nobody's choosing; a new process is cheaper than a doubt.
            seat.leaving = True
        if not seat.drivers:
            self._free(seat)
        else:
            seat.parked += isinstance(end, Parked)
            if seat.parked >= _PARKED_PER_HOST:
                seat.leaving = True
            if not seat.attempts:
                self._fall_quiet(seat)
                if seat.parked:
                    # What parked bodies hold is freed with their process, and not before.
                    self._loop.call_later(_LINGER, self._dismiss_quiet, seat)
        self._report(end)

    def _fall_quiet(self, host: _Seat) -> None:
        """A driver host has nothing to do; of such only a few are kept."""
        if host.leaving:
            host.leaving = False
            self._dismiss(host)
            return
        self._quiet[host] = None
        if len(self._quiet) > _SPARE:
            self._dismiss(next(iter(self._quiet)))

    def _dismiss_quiet(self, host: _Seat) -> None:
        if host in self._quiet and not self._closing:
            self._dismiss(host)

    def on_gone(self, worker: WorkerProcess, reason: str) -> None:
        """A process has ended."""
        seat = self._seats.pop(worker)
        self._idle.pop(seat, None)
        self._quiet.pop(seat, None)
        if self._closing:
            if not self._seats and self._empty is not None and not self._empty.done():
                self._empty.set_result(None)
            return
        ended = list(seat.attempts.values())
        for running in ended:
            self._unseat(running)
        if not seat.ready and not seat.leaving:
            self._failed_starts += 1
            if self._failed_starts < _FAILED_STARTS:
                again = [running for running in ended if running.cancelled is None]
                ended = [running for running in ended if running.cancelled is not None]
                for running in reversed(again):
                    self._put_back(running.launch)
            else:
                reason = f"workers end before they are ready: {reason}"
                self._lose_queue(reason)
        for running in ended:
            self._report(self._last_report(running, reason))
        self._dispatch_soon()

    def _put_back(self, launch: Launch) -> None:
        if launch.task.kind is TaskKind.EAGER:
            self._eager.appendleft(launch)
        else:
            self._queue[launch.attempt] = launch
            self._queue.move_to_end(launch.attempt, last=False)

    def _last_report(self, running: _Running, reason: str) -> AttemptFault | Lost:
        attempt, now = running.launch.attempt, self._clock()
        if running.cancelled is not None:
            return AttemptFault(attempt, _cancelled(running.cancelled), now)
        return Lost(attempt, reason, now)

    def _lose(self, launch: Launch) -> None:
        self._early.pop(launch.attempt, None)
        self._report(Lost(launch.attempt, self._refusal, self._clock()))

    def _lose_queue(self, reason: str) -> None:
        """There are no workers to be had: waiting longer would be waiting for ever. The next launch tries again."""
        lost = [*self._eager, *self._queue.values()]
        self._eager.clear()
        self._early.clear()
        self._queue.clear()
        for launch in lost:
            self._report(Lost(launch.attempt, reason, self._clock()))

    # --- cancelling --------------------------------------------------------------------------------------------------

    def _cancel_queued(self, cancel: Cancel) -> None:
        launch = self._queue.pop(cancel.attempt, None)
        if launch is None:
            launch = next((waiting for waiting in self._eager if waiting.attempt == cancel.attempt), None)
            if launch is None:
                return
            self._eager.remove(launch)
            self._early.pop(cancel.attempt, None)
        self._loop.call_soon(self._report, AttemptFault(cancel.attempt, _cancelled(cancel), self._clock()))

    def _escalate_later(self, running: _Running, step: Callable[[_Running], None]) -> None:
        assert running.cancelled is not None
        if running.escalation is not None:
            running.escalation.cancel()
        running.escalation = self._loop.call_later(running.cancelled.grace, step, running)

    def _terminate(self, running: _Running) -> None:
        if not running.seat.drivers:
            running.seat.process.signal(signal.SIGTERM)
        self._escalate_later(running, self._give_up)

    def _give_up(self, running: _Running) -> None:
        assert running.cancelled is not None
        seat = running.seat
        if not seat.drivers:
            seat.process.kill(f"worker pid {seat.process.pid} was stopped: {running.cancelled.reason}")
            return
        # Others live in the same process: this one is no longer listened to, and the process goes when they are done.
        seat.leaving = True
        self._end(running, AttemptFault(running.launch.attempt, _cancelled(running.cancelled), self._clock()))

    # --- silence -----------------------------------------------------------------------------------------------------

    def _look_after_silence(self) -> None:
        interval = min(1.0, self._silence / 4)
        self._watch = self._loop.call_later(interval, self._look_after_silence)
        now = self._loop.time()
        for seat in list(self._seats.values()):
            process = seat.process
            if now - process.heard_at < self._silence:
                seat.ticks, seat.patience = -1, 0.0
                continue
            if now < seat.patience:
                continue
            ticks = process.processor_ticks()
            if ticks > seat.ticks:
                # It computes without letting its other threads run; that is slow, not dead.
                seat.ticks, seat.patience = ticks, now + self._silence / 2
                continue
            process.kill(
                f"worker pid {process.pid} was silent for {now - process.heard_at:.0f} s{process.last_words()}"
            )


def _processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _binding(launch: Launch) -> Binding:
    environment = launch.metadata.environment.items()
    return launch.task.code.root, tuple(sorted(pair for pair in environment if not pair[0].startswith(NAMES)))


def _without_names(launch: Launch) -> Launch:
    """Bodies of several runs share a process: its environment cannot say which run it is."""
    metadata = launch.metadata
    if not any(name.startswith(NAMES) for name in metadata.environment):
        return launch
    environment = {name: value for name, value in metadata.environment.items() if not name.startswith(NAMES)}
    return replace(launch, metadata=replace(metadata, environment=environment))


def _cancelled(cancel: Cancel) -> Failure:
    return Failure(Fault.CANCELLED, cancel.reason, recoverable=False)


def _not_started(_report: Report) -> None:
    raise SystemFault("the executor was not started")
