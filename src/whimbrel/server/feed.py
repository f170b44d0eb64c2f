"""Who follows what happens here: everybody is told that something has changed, and reads for themselves what.

A follower holds one flag, whatever happens between two of its looks: a slow one costs no memory and delays nobody.
Knows: runs by id. Must not know: events, stores, HTTP.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

EVERYTHING = ""


class Feed:
    """See the module. For the thread of one event loop."""

    def __init__(self) -> None:
        self._followers: dict[str, dict[asyncio.Event, None]] = {}
        self.closed = False

    @property
    def followers(self) -> int:
        """How many follow."""
        return sum(map(len, self._followers.values()))

    @contextmanager
    def following(self, run: str = EVERYTHING) -> Iterator[asyncio.Event]:
        """An event that is set whenever something of ``run`` (of any run) has changed, and when the feed closes."""
        changed = asyncio.Event()
        if self.closed:
            changed.set()
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
        for changed in self._followers.get(run, ()):
            changed.set()
        for changed in self._followers.get(EVERYTHING, ()):
            changed.set()

    def close(self) -> None:
        """Nothing will change any more."""
        self.closed = True
        for followers in self._followers.values():
            for changed in followers:
                changed.set()
