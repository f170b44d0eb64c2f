"""Who follows what happens here: everybody is told that something has changed, and reads for themselves what.

A follower holds one flag, whatever happens between two of its looks: a slow one costs no memory and delays nobody. Of
each run the feed knows when it changed last, in numbers of its own; the oldest are forgotten.

Knows: runs by id. Must not know: events, stores, HTTP.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

EVERYTHING = ""
REMEMBERED = 10_000
"""Runs. A list that was away for longer is read again."""


class Feed:
    """See the module. For the thread of one event loop. ``name`` tells the numbers of this feed from those of others,
    such as the same server's before it was started again."""

    def __init__(self, name: str = "", remembered: int = REMEMBERED) -> None:
        self.name = name
        self.closed = False
        self.last = 0
        """The number of the last change."""
        self._remembered = remembered
        self._forgotten = 0
        self._changed: OrderedDict[str, int] = OrderedDict()
        self._followers: dict[str, dict[asyncio.Event, None]] = {}

    @property
    def followers(self) -> int:
        """How many follow."""
        return sum(map(len, self._followers.values()))

    @contextmanager
    def following(self, run: str = EVERYTHING) -> Iterator[asyncio.Event]:
        """An event that is set whenever something of ``run`` (of any run) has changed, and when the feed closes."""
        changed = asyncio.Event()
        self._followers.setdefault(run, {})[changed] = None
        try:
            yield changed
        finally:
            rest = self._followers[run]
            del rest[changed]
            if not rest:
                del self._followers[run]

    def tell(self, run: str) -> None:
        """Something of ``run`` has changed, durably."""
        self.last += 1
        self._changed[run] = self.last
        self._changed.move_to_end(run)
        if len(self._changed) > self._remembered:
            _, self._forgotten = self._changed.popitem(last=False)
        self.whisper(run)
        for changed in self._followers.get(EVERYTHING, ()):
            changed.set()

    def whisper(self, run: str) -> None:
        """Something of ``run`` has changed that lists do not show."""
        for changed in self._followers.get(run, ()):
            changed.set()

    def since(self, number: int) -> list[str] | None:
        """The runs that have changed after ``number``, the first to have done so first; ``None`` when that is not known
        any more."""
        if not self._forgotten <= number <= self.last:
            return None
        found = []
        for run, at in reversed(self._changed.items()):
            if at <= number:
                break
            found.append(run)
        return found[::-1]

    def close(self) -> None:
        """Nothing will change any more."""
        self.closed = True
        for followers in self._followers.values():
            for changed in followers:
                changed.set()
