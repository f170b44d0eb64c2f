"""What code refers to while it runs: an eager body that calls somebody else's task, the graph of a dynamic task that
names one. The registry is asked before the run hears of it, and the run hears of everything in the order in which it
was said.

Knows: attempts, a way to resolve references. Must not know: where entities are kept, how an executor runs anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from msgspec.structs import replace

from whimbrel.controlplane.ports import Executor
from whimbrel.errors import WhimbrelError
from whimbrel.graph.references import unresolved
from whimbrel.model.attempt import BeginCall, Cancel, Deliver, Launch, Report, Unfolded
from whimbrel.model.program import Program
from whimbrel.model.run import AttemptId

log = logging.getLogger("whimbrel.server")

Resolve = Callable[[Program], Awaitable[Program]]
"""A program with what it refers to, as far as that is known."""


class ReferringExecutor:
    """``ports.Executor`` around another. While something is looked up for an attempt, what the attempt says waits;
    other attempts are not held up."""

    def __init__(self, inner: Executor, *, resolve: Resolve) -> None:
        self._inner = inner
        self._resolve = resolve
        self._held: dict[AttemptId, deque[Report]] = {}
        self._looking: set[asyncio.Task[None]] = set()
        self._report: Callable[[Report], None]

    async def start(self, report: Callable[[Report], None]) -> None:
        """See ``Executor``."""
        self._report = report
        await self._inner.start(self._heard)

    def launch(self, launch: Launch) -> None:
        """See ``Executor``."""
        self._inner.launch(launch)

    def cancel(self, cancel: Cancel) -> None:
        """See ``Executor``."""
        self._inner.cancel(cancel)

    def deliver(self, deliver: Deliver) -> None:
        """See ``Executor``."""
        self._inner.deliver(deliver)

    def running(self) -> frozenset[AttemptId]:
        """See ``Executor``. One whose end is still held back has not ended, to whoever asks."""
        return self._inner.running().union(self._held)

    async def close(self) -> None:
        """See ``Executor``."""
        for task in self._looking:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*self._looking, return_exceptions=True)
        await self._inner.close()

    def _heard(self, report: Report) -> None:
        held = self._held.get(report.attempt)
        if held is not None:
            held.append(report)
        elif _refers(report):
            self._held[report.attempt] = deque((report,))
            task = asyncio.ensure_future(self._look(report.attempt))
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)
        else:
            self._report(report)

    async def _look(self, attempt: AttemptId) -> None:
        held = self._held[attempt]
        while held:
            report = held.popleft()
            if isinstance(report, BeginCall | Unfolded) and report.define is not None and _refers(report):
                try:
                    report = replace(report, define=await self._resolve(report.define))
                except WhimbrelError as error:
                    # Left as it is: the run says what it lacks, where it is called.
                    log.warning("attempt %s refers to what cannot be looked up: %s", attempt, error)
            if not held:
                del self._held[attempt]
            self._report(report)


def _refers(report: Report) -> bool:
    return isinstance(report, BeginCall | Unfolded) and report.define is not None and bool(unresolved(report.define))
