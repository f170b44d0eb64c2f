"""The lists of runs of the SQL store. Statements are put together here, as their conditions are the caller's.

Knows: the port, the indices. Must not know: what runs do. All of it is SQL that SQLite and PostgreSQL share; what
callers say goes into parameters, never into the text.

Theory of operation. Every index of `runs` ends with (created_at, id), which is the order of lists. A list is made of
*walks*: parts of one index that are in that order (a phase of a project, the runs of a label), merged. What no index
answers is asked of the rows that the walks give, so many at a time: however many runs there are and however rare those
that are wanted, a page costs no more than `LOOKED_AT` rows. Then it is short, and says where to go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import replace

from whimbrel.model.registered import EntityQuery, Filter
from whimbrel.model.run import Phase, RunOrigin, RunPage, RunPages, RunQuery, RunSummary
from whimbrel.model.run_fields import RUN_FIELDS, TAG_KEY, TAG_VALUE
from whimbrel.stores.refusals import no_run
from whimbrel.stores.sql.database import Cursor
from whimbrel.stores.sql.entities import condition
from whimbrel.stores.sql.part import SqlPart

LOOKED_AT = 4_000
"""Rows that a page may cost: some 10 ms."""
COUNTED = 200_000
"""Rows of an index that are counted, once for a list: some 100 ms."""
_FIRST_LOOK = 1_000
_DOMAINS = 16
"""Domains of a project whose runs are walked apart; there are three, as a rule."""
_PHASES = tuple(phase.value for phase in Phase)

_labels = msgspec.json.Decoder(dict[str, str])


class _Walk(NamedTuple):
    """``where`` of ``table``, whose column ``id`` is the run's; the indices have it in order."""

    table: str
    id: str
    where: str


class SqlRunLists(SqlPart):
    """Implements the lists of ``RunStore`` for the store that has the readers."""

    async def find_runs(self, query: RunQuery) -> RunPage:
        """See ``RunStore``."""

        def work(cursor: Cursor) -> RunPage:
            found: list[RunSummary] = []
            left = max(query.limit, 0)
            if not left:
                return RunPage(found, "")
            look, budget, before = _FIRST_LOOK, LOOKED_AT, query.before
            while True:
                page = self._page(cursor, replace(query, before=before, limit=left), look)
                found += page.runs
                left -= len(page.runs)
                budget -= look
                before = page.next
                if not left or not before or budget <= 0:
                    return RunPage(found, before)
                look = budget

        return await self._read(work)

    def _page(self, cursor: Cursor, query: RunQuery, look: int) -> RunPage:
        values: dict[str, Any] = {}
        walks = self._walks(cursor, query, values)
        rest = _rest(query, values)
        bounds = _bounds(query, values)
        self._begin(cursor, query, values)
        # One more than a page: whether there is a next is known then.
        values |= {"limit": query.limit + 1, "window": max(look // len(walks), 1) if rest else query.limit + 1}
        found: list[RunSummary] = []
        reached: tuple[float, str] | None = None
        for walk in walks:
            where = walk.where + bounds + _after(query, walk)
            window = (
                f"SELECT {walk.id} FROM {walk.table} WHERE {where} "
                f"ORDER BY created_at DESC, {walk.id} DESC LIMIT :window"
            )
            order = "ORDER BY created_at DESC, id DESC LIMIT :limit"
            if rest or walk.table != "runs":
                cursor.execute(f"{self._sql.runs} WHERE id IN ({window}){rest} {order}", values)
            else:
                cursor.execute(f"{self._sql.runs} WHERE {where} {order}", values)
            found += [read_summary(row) for row in cursor.fetchall()]
            if rest:
                cursor.execute(
                    f"SELECT created_at, {walk.id} FROM {walk.table} WHERE {where} "
                    f"ORDER BY created_at DESC, {walk.id} DESC LIMIT 1 OFFSET :window - 1",
                    values,
                )
                end = cursor.fetchone()
                if end is not None:
                    reached = max(reached, tuple(end)) if reached else tuple(end)
        found.sort(key=_newness, reverse=True)
        if reached is not None:
            # Older ones may be missing: that walk has not come so far.
            found = [row for row in found if _newness(row) >= reached]
        if len(found) > query.limit:
            return RunPage(found[: query.limit], found[query.limit - 1].id)
        return RunPage(found, reached[1] if reached is not None else "")

    def _begin(self, cursor: Cursor, query: RunQuery, values: dict[str, Any]) -> None:
        """Note where the page begins. Raises ``EntityNotFound``."""
        if query.before:
            cursor.execute(self._sql.summary, {"run": query.before})
            last = cursor.fetchone()
            if last is None:
                raise no_run(query.before)
            values |= {"before_at": read_summary(last).created_at, "before": query.before}

    def _walks(self, cursor: Cursor, query: RunQuery, values: dict[str, Any]) -> list[_Walk]:
        """The parts of an index that have every run that is wanted, each once."""
        driver = _driving_label(query)
        if driver is not None:
            values |= {"label": driver[0], "labelled": driver[1]}
            return [_Walk("run_labels", "run", "key = :label AND value = :labelled")]
        phases = tuple(dict.fromkeys(phase.value for phase in query.phases if phase is not Phase.PAUSED))
        if _by_waiting(query):
            values |= {f"phase{number}": phase for number, phase in enumerate(phases)}
            others = [_Walk("runs", "id", f"phase = :phase{number}") for number in range(len(phases))]
            names = ", ".join(f":phase{number}" for number in range(len(phases)))
            return [*others, _Walk("runs", "id", "waiting > 0" + (f" AND phase NOT IN ({names})" if names else ""))]
        groups: list[str] = []
        if query.entity:
            values["short"] = query.entity.rpartition(".")[2]
            groups = ["short = :short AND "]
        elif query.project:
            values["project"] = query.project
            domains = [query.domain] if query.domain else self._domains(cursor, query.project)
            if len(domains) <= _DOMAINS:
                values |= {f"domain{number}": domain for number, domain in enumerate(domains)}
                groups = [f"project = :project AND domain = :domain{number} AND " for number in range(len(domains))]
                if not groups:
                    return [_Walk("runs", "id", "project = :project AND domain = ''")]
        if not groups:
            if not phases:
                return [_Walk("runs", "id", "created_at IS NOT NULL")]
            groups = [""]
        if not phases and not query.entity:
            return [_Walk("runs", "id", group.removesuffix(" AND ")) for group in groups]
        phases = phases or _PHASES
        values |= {f"phase{number}": phase for number, phase in enumerate(phases)}
        return [
            _Walk("runs", "id", f"{group}phase = :phase{number}") for group in groups for number in range(len(phases))
        ]

    def _domains(self, cursor: Cursor, project: str) -> list[str]:
        """The domains that the project has runs in, by one look into the index each."""
        found: list[str] = []
        text = "SELECT min(domain) FROM runs WHERE project = :project"
        cursor.execute(text, {"project": project})
        while len(found) <= _DOMAINS and (domain := cursor.fetchone()[0]) is not None:
            found.append(domain)
            cursor.execute(f"{text} AND domain > :domain", {"project": project, "domain": domain})
        return found

    async def run_pages(self, query: RunQuery) -> RunPages:
        """See ``RunStore``."""

        def work(cursor: Cursor) -> RunPages:
            values: dict[str, Any] = {"size": max(query.limit, 1), "most": COUNTED}
            walks = self._walks(cursor, query, values)
            rest = _rest(query, values)
            bounds = _bounds(query, values)
            self._begin(cursor, query, values)
            parts = [
                f"SELECT created_at, {walk.id} AS id FROM {walk.table} WHERE {walk.where}{bounds}{_after(query, walk)}"
                for walk in walks
            ]
            found = f"SELECT created_at, id FROM ({' UNION ALL '.join(parts)}) AS walked"
            window = f"{found} ORDER BY created_at DESC, id DESC LIMIT :most"
            if rest:
                window = (
                    f"SELECT runs.created_at, runs.id FROM ({window}) AS near JOIN runs ON runs.id = near.id "
                    f"WHERE 1 = 1{rest}"
                )
            numbered = (
                "SELECT id, row_number() OVER (ORDER BY created_at DESC, id DESC) AS place, count(*) OVER () AS whole "
                f"FROM ({window}) AS wanted"
            )
            cursor.execute(
                f"SELECT id, place, whole FROM ({numbered}) AS placed WHERE place % :size = 0 OR place = whole "
                "ORDER BY place",
                values,
            )
            rows = cursor.fetchall()
            count = rows[-1][2] if rows else 0
            if rest:
                cursor.execute(f"SELECT count(*) FROM ({found} LIMIT :most) AS looked", values)
                looked = cursor.fetchone()[0]
            else:
                looked = count
            return RunPages(count, [id for id, place, _ in rows if place % values["size"] == 0], looked < COUNTED)

        return await self._read(work)

    async def executions(self, query: EntityQuery, filters: Sequence[Filter] = ()) -> list[RunSummary]:
        """See ``RunStore``."""
        text, values = _executions(query, filters)

        def work(cursor: Cursor) -> list[RunSummary]:
            cursor.execute(f"{self._sql.runs} WHERE id IN ({text})", values)
            found = {summary.id: summary for summary in map(read_summary, cursor.fetchall())}
            cursor.execute(text, values)
            return [found[id] for (id,) in cursor.fetchall() if id in found]

        return await self._read(work)


def _bounds(query: RunQuery, values: dict[str, Any]) -> str:
    bounds = ""
    if query.since:
        bounds, values["since"] = " AND created_at >= :since", query.since
    if query.until:
        bounds, values["until"] = f"{bounds} AND created_at < :until", query.until
    return bounds


def _after(query: RunQuery, walk: _Walk) -> str:
    return f" AND (created_at, {walk.id}) < (:before_at, :before)" if query.before else ""


def _rest(query: RunQuery, values: dict[str, Any]) -> str:
    """Conditions that the walks do not see to: see ``_walks``."""
    parts = []
    driver = _driving_label(query)
    by_label, by_entity = driver is not None, bool(query.entity)
    if _by_waiting(query):
        # Its walks know of phases, and of nothing else.
        by_label, by_entity = True, False
    if query.entity and (by_label or "." in query.entity):
        values |= {"entity": query.entity, "ending": f".{query.entity}", "length": len(query.entity) + 1}
        parts.append(
            "(entity = :entity OR length(entity) >= :length AND substr(entity, length(entity) - :length + 1) = :ending)"
        )
    if query.phases and driver is not None:
        names = [f"phase{number}" for number in range(len(query.phases))]
        values |= dict(zip(names, (phase.value for phase in query.phases), strict=True))
        part = f"phase IN ({', '.join(f':{name}' for name in names)})"
        parts.append(f"({part} OR waiting > 0)" if Phase.PAUSED in query.phases else part)
    if query.project and (by_label or by_entity):
        values["project"] = query.project
        parts.append("project = :project")
    if query.domain and (by_label or by_entity or not query.project):
        values["domain"] = query.domain
        parts.append("domain = :domain")
    for number, label in enumerate(query.labels):
        if label == driver:
            continue
        values[f"key{number}"], value = label
        where = f"key = :key{number}"
        if value is not None:
            where, values[f"value{number}"] = f"{where} AND value = :value{number}", value
        parts.append(_labelled(where))
    if query.text:
        # Not LIKE: its letters have meanings, and its cases differ from database to database.
        values["text"] = query.text.casefold()
        parts.append("replace(search, :text, '') <> search")
    return "".join(f" AND {part}" for part in parts)


def _driving_label(query: RunQuery) -> tuple[str, str | None] | None:
    return next((label for label in query.labels if label[1] is not None), None)


def _by_waiting(query: RunQuery) -> bool:
    return Phase.PAUSED in query.phases and _driving_label(query) is None


def _labelled(where: str) -> str:
    return f"EXISTS (SELECT 1 FROM run_labels WHERE run = runs.id AND created_at = runs.created_at AND {where})"


def _executions(query: EntityQuery, filters: Sequence[Filter]) -> tuple[str, dict[str, Any]]:
    values: dict[str, Any] = {"limit": max(query.limit, 0), "offset": max(query.offset, 0)}
    # Every execution is in a project, and nothing else is.
    text = "SELECT id FROM runs WHERE project <> ''"
    for field in ("project", "domain", "name"):
        wanted = getattr(query, field)
        if wanted:
            text += f" AND {field} = :{field}"
            values[field] = wanted
    labelled = []
    for number, filter in enumerate((*query.filters, *filters)):
        if filter.field in (TAG_KEY, TAG_VALUE):
            labelled.append(condition("key" if filter.field == TAG_KEY else "value", filter, f"f{number}", values))
            continue
        column, kind = _field(filter.field)
        if kind:
            text += f" AND kind = '{kind}'"
        text += f" AND {condition(column, filter, f'f{number}', values)}"
    if labelled:
        text += f" AND {_labelled(' AND '.join(labelled))}"
    direction = "DESC" if query.descending else "ASC"
    return f"{text} ORDER BY {_field(query.sort)[0]} {direction}, id {direction} LIMIT :limit OFFSET :offset", values


def _field(name: str) -> tuple[str, str]:
    if name not in RUN_FIELDS:
        raise ValueError(f"executions have no field {name!r}; they have {', '.join(RUN_FIELDS)}")
    return RUN_FIELDS[name]


def _newness(summary: RunSummary) -> tuple[float, str]:
    return (summary.created_at, summary.id)


def origin_row(origin: RunOrigin) -> dict[str, str]:
    """The columns of an origin."""
    row = {name: getattr(origin, name) for name in RunOrigin.__struct_fields__ if name != "labels"}
    return {**row, "labels": msgspec.json.encode(origin.labels).decode() if origin.labels else ""}


def label_rows(summary: RunSummary) -> list[dict[str, Any]]:
    """The rows of a run's labels."""
    row = {"run": summary.id, "created_at": summary.created_at}
    return [{**row, "key": key, "value": value} for key, value in summary.origin.labels.items()]


def read_summary(row: Any) -> RunSummary:
    """A row of the columns of summaries."""
    id, entity, phase, created, started, ended, epoch, owner, source, message, wake_at, *rest = row
    *launched, waiting, nodes, done = rest
    origin = _NOWHERE
    if any(launched):
        project, domain, name, kind, target, version, labels, principal, cause, parent = launched
        known = _labels.decode(labels) if labels else {}
        origin = RunOrigin(project, domain, name, kind, target, version, known, principal, cause, parent)
    return RunSummary(
        *(id, entity, Phase(phase), created, started, ended, epoch, owner, source, message, wake_at, origin),
        *(waiting, nodes, done),
    )


_NOWHERE = RunOrigin()
