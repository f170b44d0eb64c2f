"""What an eager node has recorded: calls, timers and values of its body, and of the bodies that its driver runs inline.

Knows: entries, their order, and which are pending. Must not know: nodes, commands, or how an outcome came about. A
key is a pair: the body (the node path of the eager call whose body it is, without incarnations) and the call path in
it.
"""

from __future__ import annotations

from collections.abc import Iterator, Set
from typing import TypeAlias

from msgspec.structs import replace

from whimbrel.model.literals import Literals
from whimbrel.model.run import Done, Entry, EntryKind, Failed, Outcome

Key: TypeAlias = tuple[str, str]


class Journal:
    """Entries by key.

    Those with an outcome are in the order of their outcomes, pending ones in the order in which they began.
    """

    __slots__ = ("_done", "_parents", "_pending", "bodies", "paths")

    def __init__(self) -> None:
        self._done: dict[Key, Entry] = {}
        self._pending: dict[Key, Entry] = {}
        self._parents: set[str] = set()
        self.paths: dict[Key, str] = {}
        """Node path of the call that stands at each key."""
        self.bodies: dict[str, str] = {}
        """Node path of the inline call whose body has a name."""

    def __len__(self) -> int:
        return len(self._done) + len(self._pending)

    def __iter__(self) -> Iterator[Entry]:
        yield from self._done.values()
        yield from self._pending.values()

    def get(self, key: Key) -> Entry | None:
        """The entry at ``key``."""
        return self._done.get(key) or self._pending.get(key)

    def entries(self) -> tuple[Entry, ...]:
        """Everything, for a new driver."""
        return (*self._done.values(), *self._pending.values())

    def drawn(self) -> Iterator[tuple[Entry, Literals]]:
        """The values that bodies drew."""
        for entry in self._done.values():
            if entry.kind is EntryKind.VALUE and isinstance(entry.outcome, Done):
                yield entry, entry.outcome.outputs

    def begin(self, key: Key, entry: Entry) -> None:
        """Record a call or timer that has no outcome yet. One pair is the key of it everywhere."""
        self._pending[key] = entry
        self._parents.add(entry.parent)
        if entry.path:
            self.paths[key] = entry.path

    def finish(self, key: Key, outcome: Outcome, seq: int, at: float) -> Entry:
        """Give the pending entry at ``key`` its outcome and its place in the order."""
        entry = replace(self._pending.pop(key), outcome=outcome, seq=seq, at=at)
        self._done[key] = entry
        return entry

    def forget(self, key: Key) -> None:
        """Drop the entry at ``key``, and everything in the body that it stands for."""
        body = f"{key[0]}/{key[1]}"
        self._drop(key)
        if body not in self._parents:
            # Most calls have none, and looking through everything for each would add up to the square of it.
            return
        below = [other for other in self._keys() if other[0] == body or other[0].startswith(f"{body}/")]
        for other in below:
            self._drop(other)

    def keep_successes(self, but: Set[Key] = frozenset()) -> None:
        """What a retry of the whole body may reuse: calls that succeeded, without those of ``but``, and values drawn.

        Failures and cancelled calls are tried again, timers wait again. What a body did after it was told to stop was
        clean-up, and is done again.
        """
        cleaning = False
        for entry in self.entries():
            cleaning = cleaning or entry.kind is EntryKind.ABORT
            key = (entry.parent, entry.key)
            failed = entry.outcome is None or isinstance(entry.outcome, Failed)
            if cleaning or failed or entry.kind is EntryKind.TIMER or key in but:
                self._drop(key)

    def _keys(self) -> list[Key]:
        return [*self._done, *self._pending]

    def _drop(self, key: Key) -> None:
        self._done.pop(key, None)
        self._pending.pop(key, None)
        self.paths.pop(key, None)
        self.bodies.pop(f"{key[0]}/{key[1]}", None)
