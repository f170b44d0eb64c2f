"""Runs that were parked: of each there is a row in the store and a line here, until its time comes.

Knows: times and the ids of runs. Must not know: runs, stores, how a run is carried on.
"""

from __future__ import annotations

import asyncio
import heapq
import math
from collections.abc import Callable
from typing import NamedTuple

from whimbrel.controlplane.ports import Clock

LOOK = 60.0
"""How often the clock is looked at, at least, in seconds: it may have been set, and the machine may have slept."""

SPARE = 64
"""Times of runs that are not here any more: so many may wait to be swept out."""


class Berth(NamedTuple):
    """What is kept of a parked run: when to wake it, and under which owner and epoch it was parked."""

    wake_at: float
    owner: str
    epoch: int


class ParkedRuns:
    """See the module. ``wake`` is called with the id of a run whose time has come, after the run was taken out."""

    def __init__(self, clock: Clock, wake: Callable[[str, Berth], None]) -> None:
        self._clock = clock
        self._wake = wake
        self._berths: dict[str, Berth] = {}
        self._times: list[tuple[float, str]] = []
        self._alarm: asyncio.TimerHandle | None = None

    def __contains__(self, run_id: str) -> bool:
        return run_id in self._berths

    def __len__(self) -> int:
        return len(self._berths)

    def add(self, run_id: str, berth: Berth) -> None:
        """Look after a run."""
        self._berths[run_id] = berth
        if berth.wake_at < math.inf:
            heapq.heappush(self._times, (berth.wake_at, run_id))
            if self._times[0][1] == run_id:
                self._set_alarm()

    def take(self, run_id: str) -> Berth | None:
        """Look after a run no more."""
        berth = self._berths.pop(run_id, None)
        if len(self._times) > SPARE + 2 * len(self._berths):
            # Of runs that were taken out before their times, which may be years away.
            self._times = [(left.wake_at, run) for run, left in self._berths.items() if left.wake_at < math.inf]
            heapq.heapify(self._times)
        return berth

    def close(self) -> None:
        """Wake nobody any more."""
        self._berths.clear()
        self._times.clear()
        if self._alarm is not None:
            self._alarm.cancel()

    def _set_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
        wait = min(max(self._times[0][0] - self._clock.now(), 0.0), LOOK)
        self._alarm = asyncio.get_running_loop().call_later(wait, self._ring)

    def _ring(self) -> None:
        self._alarm = None
        now = self._clock.now()
        while self._times and self._times[0][0] <= now:
            wake_at, run_id = heapq.heappop(self._times)
            berth = self._berths.get(run_id)
            # It may have been taken out, and even have been parked again, for another time.
            if berth is not None and berth.wake_at == wake_at:
                del self._berths[run_id]
                self._wake(run_id, berth)
        if self._times:
            self._set_alarm()
