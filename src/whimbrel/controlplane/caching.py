"""Looking outputs up, keeping them, and taking turns at computing them.

A serialised look-up waits while somebody else holds the reservation of its key. Within this process the wait ends by
notice; another process is asked every ``POLL`` seconds. A reservation lapses ``LEASE`` seconds after its last
renewal, so that a holder that died blocks nobody for longer.
"""

from __future__ import annotations

import asyncio

from whimbrel.controlplane.ports import CachedOutputs, CacheStore, Clock
from whimbrel.model.codec import digest
from whimbrel.model.commands import CacheKey, LookUpCache, ReleaseCache, WriteCache
from whimbrel.model.events import CacheHit, CacheMiss

LEASE = 60.0
POLL = 0.5


class CacheDesk:
    """The cache as all runs of a process use it."""

    def __init__(self, store: CacheStore) -> None:
        self._store = store
        self._freed: dict[str, asyncio.Event] = {}
        self._renewals: dict[tuple[str, str], asyncio.Task[None]] = {}

    async def look_up(self, run: str, command: LookUpCache, clock: Clock) -> CacheHit | CacheMiss:
        """The answer to a look-up; for a serialised one, when it is this node's turn."""
        name = digest(command.key)
        holder = f"{run}/{command.path}"
        while True:
            row = await self._store.cached(command.key)
            if row is not None:
                source = "this run" if row.run == run else f"run {row.run}"
                reason = f"hit: node {row.path} of {source} computed it (version {command.key.version})"
                return CacheHit(command.path, row.outputs, reason, clock.now())
            now = clock.now()
            if not command.serialize or await self._store.reserve(command.key, holder, now + LEASE, now):
                break
            freed = self._freed.setdefault(name, asyncio.Event())
            try:
                await asyncio.wait_for(freed.wait(), POLL)
            except TimeoutError:
                continue
        if command.serialize:
            self._renewals[name, holder] = asyncio.ensure_future(self._renew(command.key, holder, clock))
        return CacheMiss(command.path, f"miss: {await self._store.why_not(command.key)}", clock.now())

    async def write(self, run: str, command: WriteCache, at: float) -> None:
        """Keep outputs, and let those go on who wait for them."""
        await self._store.put_cached(command.key, CachedOutputs(command.outputs, run, command.path, at))
        self._free(command.key, f"{run}/{command.path}")

    async def release(self, run: str, command: ReleaseCache) -> None:
        """The computation failed: the next in line may try."""
        holder = f"{run}/{command.path}"
        await self._store.release(command.key, holder)
        self._free(command.key, holder)

    def close(self) -> None:
        """Stop renewing; reservations lapse."""
        for task in self._renewals.values():
            task.cancel()
        self._renewals.clear()

    def _free(self, key: CacheKey, holder: str) -> None:
        name = digest(key)
        renewal = self._renewals.pop((name, holder), None)
        if renewal is not None:
            renewal.cancel()
        freed = self._freed.pop(name, None)
        if freed is not None:
            freed.set()

    async def _renew(self, key: CacheKey, holder: str, clock: Clock) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            now = clock.now()
            await self._store.reserve(key, holder, now + LEASE, now)
