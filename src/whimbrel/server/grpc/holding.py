"""Which questions for an execution that runs are answered late: those of clients that ask seldom, or at once again.

Real flytekit asks when it has launched something, asks again at once, and then every 30 seconds. A short run is over
long before it looks. So the second question is held until the run ends, for as long as the client would sleep at
most; so are those that come at its interval. Who asks more often, or about several executions, or from inside an
eager task, hears at once.

Knows: connections by name, times. Must not know: gRPC, executions.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

LONGEST = 30.0
"""Seconds: the interval of flytekit's own loop, so that waiting there is never longer than it was."""
SHARE = 0.5
"""Of what is left of a call's deadline."""
AT_ONCE = 2.0
"""A question that follows the last answer in so many seconds comes from a program that waits."""
INTERVAL = (LONGEST - 1.0, LONGEST + 5.0)
"""So does one that follows it after so many."""
_REMEMBERED = 4_096


class _Last(Struct):
    """What a connection has done last: with which execution, and when it was answered. ``made``: it launched it."""

    about: str
    at: float
    made: bool
    asked: int = 0


class Holding:
    """See the module. For the thread of one event loop."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last: OrderedDict[str, _Last] = OrderedDict()

    def made(self, peer: str, execution: str) -> None:
        """A connection has launched an execution."""
        self._remember(peer, _Last(execution, self._now(), made=True))

    def seconds(self, peer: str, execution: str, remaining: float | None) -> float:
        """For how long the answer to a question may be held, 0.0 for not at all. ``remaining`` is of its deadline."""
        last = self._last.get(peer)
        if last is None or last.about != execution or not last.asked:
            return 0.0
        gap = self._now() - last.at
        if not (gap <= AT_ONCE and last.made) and not INTERVAL[0] <= gap <= INTERVAL[1]:
            return 0.0
        return LONGEST if remaining is None else min(LONGEST, max(remaining, 0.0) * SHARE)

    def answered(self, peer: str, execution: str) -> None:
        """A question was answered."""
        last = self._last.get(peer)
        if last is None or last.about != execution:
            last = _Last(execution, 0.0, made=False)
        last.at = self._now()
        last.asked += 1
        self._remember(peer, last)

    def _remember(self, peer: str, last: _Last) -> None:
        self._last[peer] = last
        self._last.move_to_end(peer)
        if len(self._last) > _REMEMBERED:
            self._last.popitem(last=False)
