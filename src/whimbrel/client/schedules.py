"""Schedules of a server: what is due, what was fired, and launching what was due once more.

Knows: REST's paths and structs. Must not know: when anything is due.
"""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote

from whimbrel.client.connection import Connection
from whimbrel.client.transport import V1
from whimbrel.wire.rest.schedules import (
    BackfillDetail,
    BackfillPage,
    BackfillRow,
    FiringPage,
    FiringShape,
    NewBackfill,
    SchedulePage,
    ScheduleRow,
)

_PAGE = 100


class Schedules(Connection):
    """See the module."""

    async def schedules(
        self, *, text: str = "", limit: int = _PAGE, project: str | None = None, domain: str | None = None
    ) -> list[ScheduleRow]:
        """Active launch plans with a schedule, and when each is due next."""
        found: list[ScheduleRow] = []
        cursor = ""
        place = {"project": project or self.project, "domain": domain or self.domain, "text": text}
        while len(found) < limit:
            asked = {**place, "limit": min(_PAGE, limit - len(found)), "cursor": cursor}
            page: SchedulePage = (await self.transport.send("GET", f"{V1}/schedules", params=asked)).read(SchedulePage)
            found += page.schedules
            if not page.next:
                break
            cursor = page.next
        return found

    async def firings(
        self, name: str, *, limit: int = _PAGE, project: str | None = None, domain: str | None = None
    ) -> list[FiringShape]:
        """What came of the due times of a launch plan, the latest first."""
        place = "/".join(quote(part, safe="") for part in (project or self.project, domain or self.domain, name))
        found: list[FiringShape] = []
        cursor = ""
        while len(found) < limit:
            asked = {"limit": min(_PAGE, limit - len(found)), "cursor": cursor}
            answer = await self.transport.send("GET", f"{V1}/schedules/{place}", params=asked)
            page: FiringPage = answer.read(FiringPage)
            found += page.firings
            if not page.next:
                break
            cursor = page.next
        return found

    async def backfill(
        self,
        name: str,
        since: dt.datetime | str,
        until: dt.datetime | str = "",
        *,
        version: str | None = None,
        concurrency: int = 4,
        dry_run: bool = False,
        project: str | None = None,
        domain: str | None = None,
    ) -> BackfillDetail:
        """Launch what the schedule of a launch plan was due for, from ``since`` to ``until`` (now); the active version
        unless one is named. What was launched for a due time is not launched again. ``dry_run`` only says what would
        be."""
        said = NewBackfill(_moment(since), _moment(until), concurrency, dry_run)
        path = (
            f"{self._place(project, domain)}/launch-plans/{quote(name, safe='')}/{quote(version or 'active', safe='')}"
        )
        # A due time is launched once, whoever asks how often.
        answer = await self.transport.send("POST", f"{path}/backfill", json=said, repeat=True)
        found: BackfillDetail = answer.read(BackfillDetail)
        return found

    async def backfills(
        self, *, limit: int = _PAGE, project: str | None = None, domain: str | None = None
    ) -> list[BackfillRow]:
        """Backfills, the newest first."""
        asked = {"project": project or self.project, "domain": domain or self.domain, "limit": limit}
        page: BackfillPage = (await self.transport.send("GET", f"{V1}/backfills", params=asked)).read(BackfillPage)
        return page.backfills

    async def get_backfill(self, id: str, *, project: str | None = None, domain: str | None = None) -> BackfillDetail:
        """A backfill, and what came of each due time."""
        path = f"{self._place(project, domain)}/backfills/{quote(id, safe='')}"
        found: BackfillDetail = (await self.transport.send("GET", path)).read(BackfillDetail)
        return found

    async def stop_backfill(self, id: str, *, project: str | None = None, domain: str | None = None) -> BackfillDetail:
        """Have a backfill launch nothing more."""
        path = f"{self._place(project, domain)}/backfills/{quote(id, safe='')}/stop"
        found: BackfillDetail = (await self.transport.send("POST", path, repeat=True)).read(BackfillDetail)
        return found


def _moment(at: dt.datetime | str) -> str:
    return at if isinstance(at, str) else at.isoformat()
