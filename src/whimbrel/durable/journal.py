"""What an eager body has done, as the journal tells it: the entries recorded by earlier drivers, and those that
become durable now.

The durable boundary has two operations. *Record* says what the program did (began a call, set a timer, drew a
value); it is ordered and returns at once. *Deliver* says what has become durable, in the one order in which every
driver of this run, now and after a crash, learns it. Both the past and the present come through ``Feed``: replaying
is nothing but a feed that is already full.

Knows nothing of asyncio and of transports.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from typing import TypeAlias

from whimbrel.durable.scope import scope_of
from whimbrel.model.attempt import JournalReport
from whimbrel.model.run import Done, Entry, EntryKind

Record: TypeAlias = Callable[[JournalReport], None]
"""Sends a report towards the control plane: in order, without waiting, from any thread."""

Place: TypeAlias = tuple[str, str]
"""(parent, key) of an entry."""


class Feed:
    """Entries to deliver, in order, and the recorded ones that nobody has claimed yet.

    ``append`` may be called from any thread; everything else from the driver's. ``changed`` says that the code is not
    the code that made the record: only then is an entry that nobody came for a sign of another road. (A body that is
    tried again after a failure passes entries over too, and comes for them later.)
    """

    def __init__(self, recorded: Iterable[Entry], *, changed: bool = False) -> None:
        self.changed = changed
        self.known: dict[Place, Entry] = {}
        self._queue: deque[Entry] = deque()
        # What is withdrawn keeps its place in the queue and is passed over there: taking it out would make a program
        # that has changed cost the square of its length.
        self._queued: set[int] = set()
        self._orphans: dict[str, list[Entry]] = {}
        self._recorded = tuple(recorded)
        self._by_scope: dict[tuple[str, str, str], deque[Entry]] | None = None
        self._claimed: set[Place] = set()
        self.replaying = 0
        self.diverged = False
        finished_bodies: list[str] = []
        for entry in self._recorded:
            place = (entry.parent, entry.key)
            self.known[place] = entry
            if entry.outcome is None:
                continue
            self._queue.append(entry)
            if entry.kind is EntryKind.CALL:
                finished_bodies.append(f"{entry.parent}/{entry.key}")
        if finished_bodies:
            # A nested body that has ended answers as one call: what happened inside it is not asked for again.
            ended = frozenset(finished_bodies)
            self._queue = deque(entry for entry in self._queue if not _inside(entry.parent, ended))
        self._queued.update(map(id, self._queue))
        self.replaying = len(self._queue)

    def append(self, entries: Iterable[Entry]) -> None:
        """Entries that have just become durable."""
        for entry in entries:
            self._queued.add(id(entry))
            self._queue.append(entry)

    def __len__(self) -> int:
        return len(self._queued)

    def peek(self) -> Entry | None:
        """The next entry in order."""
        queue, queued = self._queue, self._queued
        while queue and id(queue[0]) not in queued:
            queue.popleft()
        return queue[0] if queue else None

    def pop(self) -> Entry:
        """Take the next entry, which ``peek`` has shown."""
        if self.peek() is None:
            raise IndexError("nothing is left to deliver")
        if self.replaying:
            self.replaying -= 1
        entry = self._queue.popleft()
        self._queued.discard(id(entry))
        return entry

    def _withdraw(self, entry: Entry) -> bool:
        """Take an entry out of the queue, wherever it stands: whether it was there."""
        if id(entry) not in self._queued:
            return False
        self._queued.discard(id(entry))
        self.replaying -= 1
        return True

    def pass_over(self) -> None:
        """Take the next entry, which nobody is waiting for: the program went another way than when it was recorded."""
        entry = self.pop()
        self.diverged = self.diverged or self.changed
        if entry.kind is EntryKind.CALL and isinstance(entry.outcome, Done):
            self._orphans.setdefault(entry.digest, []).append(entry)
        else:
            self._orphans.setdefault(f"{entry.parent} {entry.key}", []).append(entry)

    def claim(self, place: Place) -> None:
        """Somebody waits for the entry of ``place``. If it was passed over, it is delivered next."""
        self._claimed.add(place)
        entry = self.known.get(place)
        if entry is None or entry.outcome is None:
            return
        for name in (entry.digest, f"{entry.parent} {entry.key}"):
            row = self._orphans.get(name)
            if row is not None and entry in row:
                row.remove(entry)
                self.append([entry])
                return

    def unclaimed(self) -> list[Entry]:
        """The recorded calls with an outcome that the program has not come to, without those of bodies that have
        ended: they answer as one call."""
        open_ = [e for e in self.known.values() if e.kind is EntryKind.CALL and e.outcome is not None]
        ended = frozenset(f"{entry.parent}/{entry.key}" for entry in open_)
        return [
            entry
            for entry in open_
            if (entry.parent, entry.key) not in self._claimed and not _inside(entry.parent, ended)
        ]

    def displace(self, place: Place) -> None:
        """Another call stands at this place now: the recorded one is free for whoever makes the same call elsewhere."""
        self.diverged = True
        entry = self.known.pop(place)
        if entry.outcome is None or place in self._claimed:
            return
        if not self._withdraw(entry):
            return
        if entry.kind is EntryKind.CALL and isinstance(entry.outcome, Done):
            self._orphans.setdefault(entry.digest, []).append(entry)

    def graft(self, parent: str, key: str, digest: str) -> Entry | None:
        """A finished, unclaimed entry of the same call made elsewhere: one that lost its place, or a later one of
        the same scope.

        Only after the program has been seen to go another way: while it repeats itself, two equal calls are never
        mistaken for each other.
        """
        if not self.diverged:
            return None
        orphans = self._orphans.get(digest)
        while orphans:
            entry = orphans.pop(0)
            if (entry.parent, entry.key) not in self._claimed:
                return self._give_away(entry)
        row = self._scopes().get((parent, scope_of(key), digest))
        while row:
            entry = row.popleft()
            place = (entry.parent, entry.key)
            if place not in self._claimed and place in self.known:
                return self._give_away(entry)
        return None

    def _scopes(self) -> dict[tuple[str, str, str], deque[Entry]]:
        """The recorded calls with outputs by scope and content: made when it is first asked for, since a program that
        repeats itself never asks, and a row for each call would be most of what its driver holds."""
        if self._by_scope is None:
            self._by_scope = {}
            for entry in self._recorded:
                if entry.kind is EntryKind.CALL and isinstance(entry.outcome, Done):
                    self._by_scope.setdefault((entry.parent, scope_of(entry.key), entry.digest), deque()).append(entry)
        return self._by_scope

    def _give_away(self, entry: Entry) -> Entry:
        """An outcome is given once: whoever comes to its own place makes the call anew."""
        place = (entry.parent, entry.key)
        self._claimed.add(place)
        self.known.pop(place, None)
        self._withdraw(entry)
        return entry


def _inside(parent: str, ended: frozenset[str]) -> bool:
    while parent:
        if parent in ended:
            return True
        parent = parent.rpartition("/")[0]
    return False
