"""An executor that can be told to launch nothing more, and to say when what runs has ended.

Knows: attempts. Must not know: runs, why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from whimbrel.controlplane.ports import Executor
from whimbrel.model.attempt import AttemptEnd, Cancel, Deliver, Launch, Report, Started
from whimbrel.model.program import TaskKind
from whimbrel.model.run import AttemptId


class DrainingExecutor:
    """``ports.Executor`` around another. After ``drain`` what is launched is dropped: its run asks for it again when it
    is resumed. ``ended`` hears of the outcome of every attempt.
    """

    def __init__(self, inner: Executor, *, ended: Callable[[Report], None]) -> None:
        self._inner = inner
        self._ended = ended
        self._draining = False
        self._tasks: dict[AttemptId, bool] = {}
        """Of each task that was launched and has not ended: whether it has started. Bodies of eager workflows are not
        among them: they wait for calls that are not launched any more, and lose nothing."""
        self._awaited: set[AttemptId] = set()
        self._drained: asyncio.Event = asyncio.Event()
        self._report: Callable[[Report], None]

    async def start(self, report: Callable[[Report], None]) -> None:
        """See ``Executor``."""
        self._report = report
        await self._inner.start(self._heard)

    def launch(self, launch: Launch) -> None:
        """See ``Executor``."""
        if self._draining:
            return
        if launch.task.kind is not TaskKind.EAGER:
            self._tasks[launch.attempt] = False
        self._inner.launch(launch)

    def cancel(self, cancel: Cancel) -> None:
        """See ``Executor``."""
        self._inner.cancel(cancel)

    def deliver(self, deliver: Deliver) -> None:
        """See ``Executor``."""
        self._inner.deliver(deliver)

    def running(self) -> frozenset[AttemptId]:
        """See ``Executor``."""
        return self._inner.running()

    @property
    def queued(self) -> int:
        """How many tasks wait for a worker."""
        return sum(not started for started in self._tasks.values())

    async def drain(self, seconds: float) -> int:
        """Launch nothing more, and give the tasks that run ``seconds`` to end. How many have not."""
        self._draining = True
        self._awaited = {attempt for attempt, started in self._tasks.items() if started}
        if self._awaited:
            try:
                async with asyncio.timeout(seconds):
                    await self._drained.wait()
            except TimeoutError:
                pass
        return len(self._awaited)

    def hurry(self) -> None:
        """Wait for nobody any more."""
        self._drained.set()

    async def close(self) -> None:
        """See ``Executor``."""
        await self._inner.close()

    def _heard(self, report: Report) -> None:
        if isinstance(report, Started):
            if report.attempt in self._tasks:
                self._tasks[report.attempt] = True
        elif isinstance(report, AttemptEnd):
            self._tasks.pop(report.attempt, None)
            self._ended(report)
        self._report(report)
        if self._awaited and isinstance(report, AttemptEnd):
            self._awaited.discard(report.attempt)
            if not self._awaited:
                self._drained.set()
