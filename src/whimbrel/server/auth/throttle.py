"""How often somebody may be wrong: after some failures each next try has to wait longer.

Knows: names and time. Must not know: what is tried. It is in memory: a restart forgives.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

FREE = 5
"""Failures that cost nothing: people mistype."""
FORGIVEN = 900.0
"""Seconds after which failures are forgotten."""
LONGEST = 300.0
_MOST = 10_000
"""Names that are remembered; the oldest are forgotten first."""


class Throttle:
    """See the module. ``now`` gives seconds."""

    def __init__(self, now: Callable[[], float], *, free: int = FREE) -> None:
        self._now = now
        self._free = free
        self._failures: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def wait(self, *names: str) -> float:
        """Seconds until one of those names may try again; 0.0 is now."""
        now = self._now()
        longest = 0.0
        for name in names:
            count, at = self._failures.get(name, (0, 0.0))
            if count >= self._free and now - at < FORGIVEN:
                longest = max(longest, at + min(2.0 ** (count - self._free), LONGEST) - now)
        return max(longest, 0.0)

    def failed(self, *names: str) -> None:
        """One of those names was wrong."""
        now = self._now()
        for name in names:
            count, at = self._failures.pop(name, (0, 0.0))
            self._failures[name] = (count + 1 if now - at < FORGIVEN else 1, now)
            if len(self._failures) > _MOST:
                self._failures.popitem(last=False)

    def succeeded(self, *names: str) -> None:
        """Those names were right."""
        for name in names:
            self._failures.pop(name, None)
