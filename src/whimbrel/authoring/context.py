"""What a running task or workflow may ask about itself: ``current_context()`` in user space.

Knows the standard library. Must not know who runs the task: the caller in force hands an ``ExecutionContext`` over.
"""

from __future__ import annotations

import datetime as dt
import os
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, Protocol

from whimbrel.authoring.decks import Deck, DeckField, HtmlDeck, Show, TimelineDeck
from whimbrel.authoring.secrets import Secrets as Secrets

if TYPE_CHECKING:
    import logging

    from whimbrel.types.blobs import FileStore


class ExecutionId(NamedTuple):
    """The identity of a run. ``str(id)`` is the run's name alone."""

    project: str
    domain: str
    name: str

    def __str__(self) -> str:
        return self.name


class TaskId(NamedTuple):
    """The task that is running: empty strings outside one."""

    project: str
    domain: str
    name: str
    version: str = ""

    def __str__(self) -> str:
        return self.name


class Checkpoint(Protocol):
    """What an attempt left for the next attempt at the same node."""

    def read(self) -> bytes | None:
        """The bytes of the last ``write``, of this attempt or an earlier one."""
        ...

    def write(self, data: bytes) -> None:
        """Keep ``data`` for the next attempt."""
        ...


class MemoryCheckpoint:
    """A checkpoint for a call that has no attempts: it lasts as long as the context."""

    def __init__(self) -> None:
        self._data: bytes | None = None

    def read(self) -> bytes | None:
        """The bytes of the last ``write``."""
        return self._data

    def write(self, data: bytes) -> None:
        """Keep ``data``."""
        self._data = bytes(data)


class Stats:
    """Counters and timings of the running task, kept in memory under their names."""

    def __init__(self) -> None:
        self.counts: dict[str, float] = {}
        self.gauges: dict[str, float] = {}
        self.timings: dict[str, list[float]] = {}

    def incr(self, metric: str, count: float = 1) -> None:
        """Add to a counter."""
        self.counts[metric] = self.counts.get(metric, 0) + count

    def decr(self, metric: str, count: float = 1) -> None:
        """Take from a counter."""
        self.incr(metric, -count)

    def gauge(self, metric: str, value: float) -> None:
        """Set a level."""
        self.gauges[metric] = value

    def timing(self, metric: str, seconds: float) -> None:
        """Record a duration."""
        self.timings.setdefault(metric, []).append(seconds)

    @contextmanager
    def timer(self, metric: str) -> Iterator[None]:
        """Record how long the block takes."""
        import time

        begin = time.perf_counter()
        try:
            yield
        finally:
            self.timing(metric, time.perf_counter() - begin)


class ExecutionContext:
    """The run and the task that are executing.

    Everything that costs something (a scratch directory, a logger, a random name) is made when it is first asked for.
    """

    def __init__(
        self,
        *,
        execution_id: ExecutionId | None = None,
        execution_date: dt.datetime | None = None,
        task_id: TaskId | None = None,
        working_directory: str | None = None,
        raw_output_prefix: str = "",
        checkpoint: Checkpoint | None = None,
        secrets: Secrets | None = None,
        attempt: int = 1,
        node: str = "",
        files: FileStore | None = None,
        show: Show | None = None,
    ) -> None:
        self._execution_id = execution_id
        self._execution_date = execution_date
        self._working_directory = working_directory
        self._checkpoint = checkpoint
        self._secrets = secrets
        self._scratch: weakref.finalize[..., ExecutionContext] | None = None
        self.task_id = task_id or TaskId("", "", "")
        self.raw_output_prefix = raw_output_prefix
        self.attempt = attempt
        """Which try at this node it is, counted from 1."""
        self.files = files
        """Where files are kept, ``None`` outside the engine."""
        self.node = node
        """The path of the node in its run, "" outside the engine."""
        self.show = show
        """Where decks and progress go, ``None`` outside the engine."""

    @cached_property
    def execution_id(self) -> ExecutionId:
        """The run. A plain Python call gets a random ``local-…`` name, the same for the whole workflow."""
        return self._execution_id or ExecutionId("local", "local", f"local-{os.urandom(5).hex()}")

    @cached_property
    def execution_date(self) -> dt.datetime:
        """When the run was requested, in UTC; for a plain Python call, when it was first asked."""
        return self._execution_date or dt.datetime.now(dt.UTC)

    @cached_property
    def working_directory(self) -> str:
        """A scratch directory of this context's own."""
        if self._working_directory is not None:
            return self._working_directory
        import shutil
        import tempfile

        path = tempfile.mkdtemp(prefix="whimbrel-")
        self._scratch = weakref.finalize(self, shutil.rmtree, path, ignore_errors=True)
        return path

    def close(self) -> None:
        """Remove the scratch directory, if one was made; it goes with the context in any case."""
        if self._scratch is not None:
            self._scratch()

    @cached_property
    def secrets(self) -> Secrets:
        """Secrets by group and key."""
        return self._secrets or Secrets()

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """What an earlier attempt left."""
        return self._checkpoint or MemoryCheckpoint()

    @cached_property
    def logging(self) -> logging.Logger:
        """The logger of user code, ``whimbrel.user``."""
        import logging

        return logging.getLogger("whimbrel.user")

    @cached_property
    def decks(self) -> list[Deck]:
        """The decks that this task has made, in order."""
        return []

    @cached_property
    def default_deck(self) -> Deck:
        """A deck for what belongs nowhere else. As in flytekit, its text is HTML."""
        deck = HtmlDeck("default", auto_add_to_deck=False)
        self.decks.append(deck)
        return deck

    @cached_property
    def timeline_deck(self) -> TimelineDeck:
        """The deck of how long the parts of this task take."""
        deck = TimelineDeck(DeckField.TIMELINE.value, auto_add_to_deck=False)
        self.decks.append(deck)
        return deck

    def publish_decks(self) -> None:
        """Show the decks as they are now."""
        if self.show is not None and self.decks:
            self.show.publish(self.decks)

    @cached_property
    def stats(self) -> Stats:
        """Counters and timings."""
        return Stats()
