"""Who reads a worker's instructions: the main thread while it is idle, a listener while it is busy.

A no-op task costs a fifth less when the thread that runs it has read its launch itself. So the listener takes over only
when a task has been running for a moment, and gives back when it has ended.
Knows: threads, a channel to wait on. Must not know: what instructions mean.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable
from typing import Protocol

_MOMENT = 0.005
"""Seconds that a task may run before somebody else listens: the delay of a cancel, and many times a no-op."""


class Heard(Protocol):
    """A channel."""

    def fileno(self) -> int:
        """What to wait on."""
        ...

    @property
    def pending(self) -> bool:
        """Whether something was read already."""
        ...


class Ear:
    """The right to read from a channel. The main thread has it, lends it and takes it back; the listener borrows it."""

    def __init__(self, channel: Heard) -> None:
        self._channel = channel
        self._held = threading.Lock()
        self._lent = False
        self._times = 0
        self._something_runs = threading.Event()
        self._nudge, nudged = socket.socketpair()
        self._nudged = nudged
        self._poll = select.poll()
        self._poll.register(channel, select.POLLIN)
        self._poll.register(nudged, select.POLLIN)

    # --- the main thread ---

    def lend(self) -> None:
        """A task begins."""
        self._times += 1
        self._lent = True
        if not self._something_runs.is_set():
            self._something_runs.set()

    def take_back(self) -> None:
        """The task has ended. Returns when the listener does not read any more."""
        self._lent = False
        if not self._held.acquire(blocking=False):
            self._nudge.send(b"x")
            self._held.acquire()
            self._nudged.recv(1)
        self._held.release()

    def close(self) -> None:
        """Nobody listens any more."""
        self._nudge.close()
        self._nudged.close()

    # --- the listener ---

    def borrow(self, hear: Callable[[], None]) -> None:
        """Wait for a task that takes longer than a moment; call ``hear`` for each instruction that arrives while it
        runs.
        """
        self._something_runs.wait()
        times = self._times
        time.sleep(_MOMENT)
        if not self._is_lent():
            self._something_runs.clear()
            if self._is_lent():
                # It began between the two lines above.
                self._something_runs.set()
            return
        if times != self._times:
            return
        with self._held:
            while self._is_lent():
                if self._channel.pending or self._ready():
                    hear()

    def _is_lent(self) -> bool:
        return self._lent

    def _ready(self) -> bool:
        """Wait for an instruction (true) or a nudge."""
        nudged = self._nudged.fileno()
        return all(descriptor != nudged for descriptor, _ in self._poll.poll())
