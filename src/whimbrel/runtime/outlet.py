"""What an attempt shows while it runs, as reports: decks and progress.

A deck is sent again only when it has changed; a large one goes into the blob store. Progress is sent no oftener than
people can see, and the last of it always. Secrets are masked before anything leaves.

Knows: decks, reports, the blob port. Must not know: transports, who keeps or shows them.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable

from whimbrel.authoring.decks import Deck
from whimbrel.model.attempt import DeckUpdate, Progress, Report
from whimbrel.model.run import AttemptId
from whimbrel.runtime.masking import Mask
from whimbrel.runtime.ports import BlobStore

INLINE_CHARACTERS = 10 * 1024
"""Of a deck that travels, and is kept, as it is; what is larger is a blob."""
INTERVAL = 0.1
"""Seconds between two reports of progress: as often as the command line draws."""


class Outlet:
    """``authoring.decks.Show`` for one attempt. Thread-safe. ``decks_on``: whether its decks are shown."""

    def __init__(
        self,
        attempt: AttemptId,
        *,
        send: Callable[[Report], None],
        blobs: BlobStore,
        mask: Mask,
        decks_on: bool,
        clock: Callable[[], float] = time.time,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attempt = attempt
        self._send = send
        self._blobs = blobs
        self._mask = mask
        self.decks_on = decks_on
        self._clock = clock
        self._ticks = ticks
        self._lock = threading.Lock()
        self._sent: dict[str, str] = {}
        self._places: dict[str, int] = {}
        self._waiting: Progress | None = None
        self._next = float("-inf")

    def publish(self, decks: list[Deck]) -> None:
        """See ``Show``. Decks of one name are shown as one."""
        if not self.decks_on:
            return
        pages: dict[str, list[str]] = {}
        for deck in list(decks):
            pages.setdefault(self._mask.text(deck.name), []).append(deck.html)
        with self._lock:
            for name, parts in pages.items():
                self._update(name, self._mask.text("\n".join(parts)))

    def _update(self, name: str, html: str) -> None:
        data = html.encode("utf-8", "backslashreplace")
        digest = hashlib.sha256(data).hexdigest()
        if self._sent.get(name) == digest:
            return
        self._sent[name] = digest
        place = self._places.setdefault(name, len(self._places))
        uri = ""
        if len(data) > INLINE_CHARACTERS:
            html, uri = "", self._blobs.put(f"decks/{digest}.html", data)
        self._send(DeckUpdate(self._attempt, name, place, html, self._clock(), uri))

    def progress(self, done: float, total: float | None, message: str) -> None:
        """See ``Show``."""
        said = Progress(self._attempt, float(done), float(total or 0.0), self._mask.text(str(message)), self._clock())
        with self._lock:
            now = self._ticks()
            # The end of the way is worth a message of its own.
            if now < self._next and not (said.total and said.done >= said.total):
                self._waiting = said
                return
            self._next = now + INTERVAL
            self._waiting = None
            self._send(said)

    def close(self) -> None:
        """Send what waits."""
        with self._lock:
            said, self._waiting = self._waiting, None
            if said is not None:
                self._send(said)
