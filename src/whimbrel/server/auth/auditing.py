"""The audit log: who did what, when, from where, to what, and what came of it.

What changes something is noted, and what is refused; what only looks is not. Strangers cannot fill the disk: of what
nobody is known for, so many lines a minute are kept.

Knows: the store of access. Must not know: transports. Neither tokens nor secrets come here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from whimbrel.controlplane.access import AccessStore
from whimbrel.model.access import AuditEntry, Place

log = logging.getLogger("whimbrel.audit")

STRANGERS = 60
"""Lines a minute about those whom nobody knows."""
_MINUTE = 60.0
_LONGEST = 500
"""Characters of what is noted of a name: others choose it."""


class Auditor:
    """See the module. ``now`` gives seconds since the epoch."""

    def __init__(self, store: AccessStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        self._minute = 0.0
        self._strangers = 0
        self.dropped = 0
        """Lines about strangers that were not kept."""

    async def note(
        self,
        principal: str,
        action: str,
        *,
        place: Place | None = None,
        target: str = "",
        outcome: str = "ok",
        address: str = "",
    ) -> None:
        """On disk when this returns. ``principal`` is "" for strangers."""
        now = self._now()
        if not principal and not self._has_room(now):
            self.dropped += 1
            return
        where = "" if place is None else str(place)
        entry = AuditEntry(
            now, principal[:_LONGEST], action, where[:_LONGEST], target[:_LONGEST], outcome, address[:_LONGEST]
        )
        await self._store.audit(entry)
        log.info("%s %s %s: %s", principal or "somebody", action, where, outcome)

    def _has_room(self, now: float) -> bool:
        if now - self._minute >= _MINUTE:
            self._minute, self._strangers = now, 0
        self._strangers += 1
        return self._strangers <= STRANGERS
