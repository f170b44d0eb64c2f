"""REST for schedules: what is due when, what came of it, and backfills.

Knows: the house, shapes. Must not know: cron, how anything is launched.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from itertools import islice

from starlette.requests import Request
from starlette.responses import Response

from whimbrel.controlplane.backfills import DueTime, backfill_of
from whimbrel.controlplane.scheduler import Planned
from whimbrel.errors import InputInvalid
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery
from whimbrel.model.scheduled import Backfill, Firing, PlanName
from whimbrel.server.house import House
from whimbrel.server.http.exchange import answer_struct, body, moment, query
from whimbrel.wire.rest.schedules import (
    BackfillDetail,
    BackfillPage,
    BackfillQuery,
    BackfillRow,
    DueShape,
    FiringPage,
    FiringQuery,
    FiringShape,
    NewBackfill,
    SchedulePage,
    ScheduleQuery,
    ScheduleRow,
)
from whimbrel.wire.spans import iso_moment

_FORESEEN = 5
"""Due times of a schedule that are shown."""
_DRY = "DRY"


class ScheduleCalls:
    """The handlers."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._store = house.home.store
        self._backfills = house.backfills

    async def list_schedules(self, request: Request) -> Response:
        """Active launch plans with a schedule."""
        asked = query(request, ScheduleQuery)
        every = self._house.scheduler.planned
        first = 0
        if asked.cursor:
            project, _, rest = asked.cursor.partition("/")
            domain, slash, name = rest.partition("/")
            if not slash:
                raise InputInvalid(f"the cursor {asked.cursor[:80]!r} is none; take the next of a page.")
            first = bisect_right(every, PlanName(project, domain, name), key=lambda planned: planned.name)
        wanted = (
            planned
            for planned in every[first:]
            if asked.project in ("", planned.id.project)
            and asked.domain in ("", planned.id.domain)
            and asked.text in planned.id.name
        )
        found = list(islice(wanted, asked.limit + 1))
        page = found[: asked.limit]
        last = page[-1].id if len(found) > asked.limit else None
        following = None if last is None else f"{last.project}/{last.domain}/{last.name}"
        return answer_struct(SchedulePage([await self._row(planned) for planned in page], following))

    async def _row(self, planned: Planned) -> ScheduleRow:
        fired = await self._store.firings(planned.name, limit=1)
        foreseen: list[str] = []
        if planned.timetable is not None and planned.next is not None:
            now = max(self._house.clock.now(), planned.decided_at)
            foreseen = [iso_moment(due) or "" for due in islice(planned.timetable.since(now), _FORESEEN)]
        assert planned.spec.schedule is not None, "what is planned has one"
        return ScheduleRow(
            planned.id.project,
            planned.id.domain,
            planned.id.name,
            planned.id.version,
            planned.spec.schedule,
            iso_moment(planned.activated_at),
            foreseen,
            _firing(fired[0]) if fired else None,
            planned.fault,
        )

    async def list_firings(self, request: Request) -> Response:
        """What came of the due times of a launch plan."""
        asked = query(request, FiringQuery)
        place = request.path_params
        before = math.inf
        if asked.cursor:
            try:
                before = float(asked.cursor)
            except ValueError:
                raise InputInvalid(f"the cursor {asked.cursor[:80]!r} is none; take the next of a page.") from None
        plan = PlanName(place["project"], place["domain"], place["name"])
        rows = await self._store.firings(plan, limit=asked.limit + 1, before=before)
        page = rows[: asked.limit]
        following = repr(page[-1].due) if len(rows) > asked.limit else None
        return answer_struct(FiringPage([_firing(row) for row in page], following))

    # --- backfills ---------------------------------------------------------------------------------------------------

    async def backfill_plan(self, request: Request) -> Response:
        """Launch what was due."""
        asked = await body(request, NewBackfill)
        id = await self._plan_id(request)
        until = moment("until", asked.until) if asked.until else self._house.clock.now()
        if not asked.since:
            raise InputInvalid("a backfill without a beginning; say since.")
        backfill = await self._backfills.plan(id, moment("since", asked.since), until, asked.concurrency)
        times = await self._backfills.times(backfill)
        if asked.dry_run:
            return answer_struct(_detail(EntityId(EntityKind.BACKFILL, id.project, id.domain, ""), backfill, times))
        made = await self._backfills.get(id.project, id.domain, await self._backfills.begin(backfill))
        return answer_struct(_detail(made.id, backfill, times, made))

    async def _plan_id(self, request: Request) -> EntityId:
        place = request.path_params
        project, domain, name, version = (place[key] for key in ("project", "domain", "name", "version"))
        registry = self._house.registry
        if version == "latest":
            return (await registry.latest(EntityKind.LAUNCH_PLAN, project, domain, name)).id
        if version == "active":
            return (await registry.active_plan(project, domain, name)).id
        return EntityId(EntityKind.LAUNCH_PLAN, project, domain, name, version)

    async def list_backfills(self, request: Request) -> Response:
        """Backfills, the newest first."""
        asked = query(request, BackfillQuery)
        if asked.cursor and not (asked.cursor.isascii() and asked.cursor.isdigit() and len(asked.cursor) < 10):
            raise InputInvalid(f"the cursor {asked.cursor[:80]!r} is none; take the next of a page.")
        offset = int(asked.cursor or 0)
        wanted = EntityQuery(EntityKind.BACKFILL, asked.project, asked.domain, limit=asked.limit + 1, offset=offset)
        rows = await self._store.entities(wanted)
        following = str(offset + asked.limit) if len(rows) > asked.limit else None
        return answer_struct(
            BackfillPage([_backfill(row.id, backfill_of(row), row) for row in rows[: asked.limit]], following)
        )

    async def get_backfill(self, request: Request) -> Response:
        """A backfill, and how far it is."""
        place = request.path_params
        return await self._shown(await self._backfills.get(place["project"], place["domain"], place["backfill"]))

    async def stop_backfill(self, request: Request) -> Response:
        """Launch nothing more of a backfill; what runs goes on."""
        place = request.path_params
        return await self._shown(await self._backfills.stop_one(place["project"], place["domain"], place["backfill"]))

    async def _shown(self, entity: Entity) -> Response:
        backfill = backfill_of(entity)
        return answer_struct(_detail(entity.id, backfill, await self._backfills.times(backfill), entity))


def _firing(firing: Firing) -> FiringShape:
    return FiringShape(
        iso_moment(firing.due),
        firing.version,
        firing.execution,
        firing.run,
        firing.outcome.value,
        iso_moment(firing.at),
        firing.at - firing.due,
        firing.detail,
        firing.backfill,
    )


def _backfill(id: EntityId, backfill: Backfill, entity: Entity | None) -> BackfillRow:
    return BackfillRow(
        id.name,
        backfill.plan.project,
        backfill.plan.domain,
        backfill.plan.name,
        backfill.version,
        _DRY if entity is None else entity.state,
        iso_moment(backfill.since),
        iso_moment(backfill.until),
        backfill.concurrency,
        None if entity is None else iso_moment(entity.created_at),
    )


def _detail(id: EntityId, backfill: Backfill, times: list[DueTime], entity: Entity | None = None) -> BackfillDetail:
    row = _backfill(id, backfill, entity)
    shown = [
        DueShape(iso_moment(time.due), time.execution, time.run, None if time.phase is None else time.phase.value)
        for time in times
    ]
    return BackfillDetail(**{field: getattr(row, field) for field in row.__struct_fields__}, times=shown)
