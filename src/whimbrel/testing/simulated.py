"""An executor for the simulated world: attempts in this process, one thing at a time, in an order drawn from the seed.

Coroutine functions run on the control plane's loop, other functions on a thread that everybody waits for, eager
bodies on ``runtime.driver.Driver`` with its loop in the world's time.

Knows: attempts, drivers, the world. Must not know: runs, stores.
"""

from __future__ import annotations

import asyncio
import inspect
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any

from msgspec.structs import replace

from whimbrel.authoring.secret_sources import SecretSource
from whimbrel.model.attempt import AttemptEnd, AttemptFault, Cancel, Deliver, Launch, Observation, Report, Started
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import CodeRef, TaskKind
from whimbrel.model.run import AttemptId, Entry
from whimbrel.runtime.attempt import Attempt
from whimbrel.runtime.capture import Capture, LineBuffer
from whimbrel.runtime.driver import Driver
from whimbrel.runtime.handing import handed
from whimbrel.runtime.masking import Mask
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.worker import attempt_output, log_sink
from whimbrel.testing.world import DriverLoop, Seat, World

Journal = Callable[[AttemptId], tuple[Entry, ...]]
"""What the engine has of the journal of an eager attempt."""

Find = Callable[[str, CodeRef], Any]
"""The entity to run for a task, by its name and code."""


class _Driving:
    def __init__(self, launch: Launch) -> None:
        self.launch = launch
        self.stale = False
        self.driver: Driver
        self.seat: Seat


class SimulatedExecutor:
    """``ports.Executor`` in ``world``. ``find`` gives entities, ``substitute`` those that stand in for others inside
    eager bodies, ``takes`` how long a task takes in the world's seconds.

    With a seed each attempt waits before it starts and before its end is heard, ``latency`` seconds on average.
    ``always_replay``: a driver that is to hear of something is thrown away, and made anew from its journal.
    """

    def __init__(
        self,
        *,
        world: World,
        blobs: BlobStore,
        find: Find,
        substitute: Callable[[Any], Any],
        takes: Callable[[str], float],
        latency: float = 0.0,
        always_replay: bool = False,
        journal: Journal,
        started: Callable[[Launch], None],
        capture: bool = False,
        secrets: SecretSource | None = None,
    ) -> None:
        self._world = world
        self._blobs = blobs
        self._find = find
        self._substitute = substitute
        self._takes = takes
        self._latency = latency
        self._always_replay = always_replay
        self._journal = journal
        self._started = started
        self._secrets = secrets
        self._streams = Capture(attempt_output) if capture else None
        self._attempts: dict[AttemptId, tuple[Attempt, asyncio.Task[None]]] = {}
        self._drivers: dict[AttemptId, _Driving] = {}
        self._threads: ThreadPoolExecutor | None = None
        self._report: Callable[[Report], None] = _nobody
        self._loop: asyncio.AbstractEventLoop
        self.rebuilt = 0
        """How many drivers were made anew."""

    # --- the port

    async def start(self, report: Callable[[Report], None]) -> None:
        """Be ready to launch."""
        self._loop = asyncio.get_running_loop()
        self._report = report
        self._world.before_turns = self._renew
        if self._streams is not None:
            self._streams.install()

    def launch(self, launch: Launch) -> None:
        """Run an attempt."""
        launch = handed(launch, self._secrets)
        if launch.task.kind is TaskKind.EAGER:
            self._drive(_Driving(launch))
            return
        output = None
        if self._streams:
            sink = log_sink(launch.attempt, self._post, self._world.clock)
            output = LineBuffer(sink, mask=Mask(launch.secrets))
        attempt = Attempt(
            launch,
            blobs=self._blobs,
            load=lambda code: self._find(launch.task.name, code),
            output=output,
            send=self._show,
            clock=self._world.clock,
        )
        task = self._loop.create_task(self._run(attempt, *self._draw(launch.attempt)))
        self._attempts[launch.attempt] = (attempt, task)

    def cancel(self, cancel: Cancel) -> None:
        """Stop an attempt; unknown ones are ignored."""
        if (driving := self._drivers.get(cancel.attempt)) is not None:
            driving.driver.cancel(cancel.reason, cancel.grace)
            driving.seat.kicked = True
        elif (running := self._attempts.get(cancel.attempt)) is not None:
            attempt, task = running
            if not attempt.cancel(cancel.reason):
                task.cancel(cancel.reason)

    def deliver(self, deliver: Deliver) -> None:
        """Hand journal entries to a driver; unknown ones are ignored."""
        if (driving := self._drivers.get(deliver.attempt)) is not None:
            if self._always_replay and driving.seat.begun:
                driving.stale = True
            else:
                driving.driver.deliver(deliver.entries)
                driving.seat.kicked = True

    def running(self) -> frozenset[AttemptId]:
        """The attempts that were launched and have not ended."""
        return frozenset(self._attempts) | frozenset(self._drivers)

    async def close(self) -> None:
        """Throw everything away, as the end of a process does; nothing more is reported."""
        drivers, self._drivers = list(self._drivers.values()), {}
        attempts, self._attempts = list(self._attempts.values()), {}
        for driving in drivers:
            driving.seat.abandon()
        for _, task in attempts:
            task.cancel()
        await asyncio.gather(*(task for _, task in attempts), return_exceptions=True)
        if self._threads is not None:
            self._threads.shutdown()
        if self._streams is not None:
            self._streams.restore()

    # --- tasks

    def _draw(self, attempt: AttemptId) -> tuple[float, float]:
        if self._world.seed is None or not self._latency:
            return 0.0, 0.0
        # By its name, not by its turn: asyncio makes some tasks in the order of a set.
        rng = random.Random(f"{self._world.seed} {attempt.path} {attempt.number}")
        return rng.expovariate(1.0 / self._latency), rng.expovariate(1.0 / self._latency)

    async def _run(self, attempt: Attempt, before: float, after: float) -> None:
        launch = attempt.launch
        end: Report
        try:
            if before:
                await asyncio.sleep(before)
            self._post(Started(launch.attempt, "simulated", self._world.clock()))
            self._started(launch)
            if self._is_coroutine(launch):
                end = await attempt.run_here()
            else:
                end = self._on_thread(attempt)
            if pause := after + self._takes(launch.task.name):
                await asyncio.sleep(pause)
            end = replace(end, at=self._world.clock())
        except asyncio.CancelledError as error:
            failure = Failure(Fault.CANCELLED, str(error) or "the attempt was cancelled", recoverable=False)
            end = AttemptFault(launch.attempt, failure, self._world.clock())
        self._post(end)

    def _is_coroutine(self, launch: Launch) -> bool:
        try:
            entity = self._find(launch.task.name, launch.task.code)
        except Exception:
            # The attempt meets the same error, and says it.
            return False
        return inspect.iscoroutinefunction(inspect.unwrap(entity.fn))

    def _on_thread(self, attempt: Attempt) -> Report:
        # A thread, since the function may well run an event loop of its own. Everybody waits for it: what else it
        # could meet would depend on the machine.
        if self._threads is None:
            self._threads = ThreadPoolExecutor(1, thread_name_prefix="simulated task")
        return self._threads.submit(attempt.run).result()

    # --- eager bodies

    def _drive(self, driving: _Driving) -> None:
        launch = driving.launch

        def send(report: Report) -> None:
            if self._drivers.get(launch.attempt) is driving:
                self._heard(report)

        driving.driver = Driver(
            launch,
            send=send,
            blobs=self._blobs,
            load=lambda code: self._find(launch.task.name, code),
            clock=self._world.clock,
            entropy=self._world.entropy,
            make_loop=lambda source, ambient: DriverLoop(source, ambient, driving.seat),
            substitute=self._substitute,
        )
        output = LineBuffer(log_sink(launch.attempt, send, self._world.clock), mask=Mask(launch.secrets))

        def work() -> None:
            with self._streams.owned_by(output) if self._streams is not None else nullcontext():
                driving.driver.run()
                output.close()

        self._drivers[launch.attempt] = driving
        driving.seat = Seat(self._world, f"driver {launch.attempt.path}", work)

    def _heard(self, report: Report) -> None:
        # In the driver's thread; the control plane's is waiting for it.
        if isinstance(report, Started) and not report.worker:
            report = replace(report, worker="simulated")
        self._loop.call_soon_threadsafe(self._post, report)

    def _renew(self) -> None:
        """Everything that the engine knows is durable now: put fresh drivers in the place of stale ones."""
        for attempt, driving in list(self._drivers.items()):
            if driving.stale:
                del self._drivers[attempt]
                driving.seat.abandon()
                self.rebuilt += 1
                self._drive(_Driving(replace(driving.launch, journal=self._journal(attempt))))

    # --- reports

    def _show(self, report: Report) -> None:
        """What an attempt shows, from its thread or from the loop's."""
        self._loop.call_soon_threadsafe(self._post, report)

    def _post(self, report: Report) -> None:
        if isinstance(report, AttemptEnd):
            known = self._attempts.pop(report.attempt, None) or self._drivers.pop(report.attempt, None)
            if known is not None:
                self._report(report)
        elif isinstance(report, Observation) or report.attempt in self._attempts or report.attempt in self._drivers:
            self._report(report)


def _nobody(_report: Report) -> None:
    """Nobody listens before ``start``."""
