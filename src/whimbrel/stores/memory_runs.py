"""The lists of runs of the store in memory: the twin of `sql/run_lists.py`.

Knows: the port. Must not know: disk, SQL.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

from whimbrel.model.registered import EntityQuery, Filter
from whimbrel.model.run import RunPage, RunPages, RunQuery, RunSummary
from whimbrel.model.run_fields import RUN_FIELDS, TAG_KEY, TAG_VALUE
from whimbrel.stores.memory_entities import holds


class MemoryRunLists(ABC):
    """Implements the lists of ``RunStore`` for the store that has the rows."""

    @abstractmethod
    def _summaries(self) -> Iterable[RunSummary]:
        """Every row."""

    @abstractmethod
    async def summary(self, run: str) -> RunSummary:
        """See ``RunStore``."""

    async def find_runs(self, query: RunQuery) -> RunPage:
        """See ``RunStore``."""
        rows = await self._after(query)
        found = rows[: max(query.limit, 0)]
        return RunPage(found, found[-1].id if found and len(rows) > len(found) else "")

    async def run_pages(self, query: RunQuery) -> RunPages:
        """See ``RunStore``."""
        rows = await self._after(query)
        size = max(query.limit, 1)
        return RunPages(len(rows), [row.id for row in rows[size - 1 :: size]], True)

    async def _after(self, query: RunQuery) -> list[RunSummary]:
        rows = sorted((row for row in self._summaries() if query.takes(row)), key=newness, reverse=True)
        if query.before:
            last = newness(await self.summary(query.before))
            rows = [row for row in rows if newness(row) < last]
        return rows

    async def executions(self, query: EntityQuery, filters: Sequence[Filter] = ()) -> list[RunSummary]:
        """See ``RunStore``."""
        wanted = [*query.filters, *filters]
        for field in (query.sort, *(filter.field for filter in wanted)):
            if field not in RUN_FIELDS and (field == query.sort or field not in (TAG_KEY, TAG_VALUE)):
                raise ValueError(f"executions have no field {field!r}; they have {', '.join(RUN_FIELDS)}")
        found = [row for row in self._summaries() if row.origin.project and _wanted(row, query, wanted)]
        found.sort(key=lambda row: (_value(row, query.sort), row.id), reverse=query.descending)
        first = max(query.offset, 0)
        return found[first : first + max(query.limit, 0)]


def _wanted(row: RunSummary, query: EntityQuery, filters: Sequence[Filter]) -> bool:
    for field in ("project", "domain", "name"):
        if getattr(query, field) not in ("", getattr(row.origin, field)):
            return False
    of_labels = [filter for filter in filters if filter.field in (TAG_KEY, TAG_VALUE)]
    for filter in filters:
        if filter not in of_labels:
            kind = RUN_FIELDS[filter.field][1]
            if kind not in ("", row.origin.kind) or not holds(_value(row, filter.field), filter):
                return False
    return not of_labels or any(
        all(holds(key if filter.field == TAG_KEY else value, filter) for filter in of_labels)
        for key, value in row.origin.labels.items()
    )


def _value(row: RunSummary, field: str) -> Any:
    name = RUN_FIELDS[field][0]
    return getattr(row.origin, name) if name in row.origin.__struct_fields__ else getattr(row, name)


def newness(summary: RunSummary) -> tuple[float, str]:
    """What lists of runs are ordered by: when they were made, then id."""
    return (summary.created_at, summary.id)
