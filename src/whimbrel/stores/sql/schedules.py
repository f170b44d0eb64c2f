"""The schedules of the SQL store.

Knows: the port. Must not know: cron, runs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from whimbrel.model.scheduled import Firing, Mark, Outcome, PlanName
from whimbrel.stores.sql.database import Cursor
from whimbrel.stores.sql.part import SqlPart

_NEVER = 1e300
"""Infinity, for databases whose drivers have none."""


class SqlSchedules(SqlPart):
    """Implements ``ScheduleStore`` for the store that has the writer and the readers."""

    async def mark(self, plan: PlanName) -> Mark | None:
        """See ``ScheduleStore``."""

        def work(cursor: Cursor) -> Mark | None:
            cursor.execute(self._sql.mark, _key(plan))
            row = cursor.fetchone()
            return None if row is None else Mark(plan, *row)

        return await self._read(work)

    async def decide(self, before: Mark | None, mark: Mark, firings: Sequence[Firing] = ()) -> bool:
        """See ``ScheduleStore``."""
        values: dict[str, Any] = {
            **_key(mark.plan),
            "version": mark.version,
            "activated_at": mark.activated_at,
            "decided_at": mark.decided_at,
        }
        text = self._sql.add_mark
        if before is not None:
            text = self._sql.move_mark
            values |= {
                "known_version": before.version,
                "known_activation": before.activated_at,
                "known_decision": before.decided_at,
            }

        def work(cursor: Cursor) -> bool:
            cursor.execute(text, values)
            if cursor.rowcount != 1:
                return False
            for firing in firings:
                self._keep(cursor, firing)
            return True

        return await self._write(work)

    async def keep_firing(self, firing: Firing) -> None:
        """See ``ScheduleStore``."""
        await self._write(lambda cursor: self._keep(cursor, firing))

    def _keep(self, cursor: Cursor, firing: Firing) -> None:
        row = {
            **_key(firing.plan),
            "due": firing.due,
            "version": firing.version,
            "execution": firing.execution,
            "run": firing.run,
            "outcome": firing.outcome.value,
            "at": firing.at,
            "detail": firing.detail,
            "backfill": firing.backfill,
        }
        cursor.execute(self._sql.drop_firing, {**_key(firing.plan), "due": firing.due, "final": Outcome.FIRED.value})
        cursor.execute(self._sql.add_firing, row)

    async def firings(self, plan: PlanName, *, limit: int = 100, before: float = math.inf) -> list[Firing]:
        """See ``ScheduleStore``."""
        wanted = {**_key(plan), "limit": max(limit, 0), "before": min(before, _NEVER)}

        def work(cursor: Cursor) -> list[Firing]:
            cursor.execute(self._sql.firings, wanted)
            return [
                Firing(plan, due, version, execution, run, Outcome(outcome), at, detail, backfill)
                for due, version, execution, run, outcome, at, detail, backfill in cursor.fetchall()
            ]

        return await self._read(work)


def _key(plan: PlanName) -> dict[str, Any]:
    return {"project": plan.project, "domain": plan.domain, "name": plan.name}
