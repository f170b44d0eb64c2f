"""The schedules of the store in memory: the twin of `sql/schedules.py`.

Knows: the port. Must not know: disk, SQL.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from whimbrel.model.scheduled import Firing, Mark, Outcome, PlanName


class MemorySchedules:
    """Implements ``ScheduleStore``."""

    def __init__(self) -> None:
        super().__init__()
        self._marks: dict[PlanName, Mark] = {}
        self._firings: dict[PlanName, dict[float, Firing]] = {}

    async def mark(self, plan: PlanName) -> Mark | None:
        """See ``ScheduleStore``."""
        return self._marks.get(plan)

    async def decide(self, before: Mark | None, mark: Mark, firings: Sequence[Firing] = ()) -> bool:
        """See ``ScheduleStore``."""
        if self._marks.get(mark.plan) != before:
            return False
        self._marks[mark.plan] = mark
        for firing in firings:
            await self.keep_firing(firing)
        return True

    async def keep_firing(self, firing: Firing) -> None:
        """See ``ScheduleStore``."""
        kept = self._firings.setdefault(firing.plan, {})
        there = kept.get(firing.due)
        if there is None or there.outcome is not Outcome.FIRED:
            kept[firing.due] = firing

    async def firings(self, plan: PlanName, *, limit: int = 100, before: float = math.inf) -> list[Firing]:
        """See ``ScheduleStore``."""
        kept = self._firings.get(plan, {})
        found = sorted((row for row in kept.values() if row.due < before), key=lambda row: row.due, reverse=True)
        return found[: max(limit, 0)]
