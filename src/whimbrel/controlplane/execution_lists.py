"""Lists of executions: those that were launched, and the children of those, read as one.

What was launched is a run, which stores list by its fields; children are rows of the registry, and what is asked of
them is read from the nodes that they are.

Knows: both lists, filters. Must not know: how executions are launched, messages.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Protocol

from msgspec.structs import replace

from whimbrel.controlplane.ports import EntityStore, RunStore
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.seen import Seen
from whimbrel.errors import InputInvalid
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.model.run import Phase, RunOrigin
from whimbrel.model.run_fields import RUN_FIELDS, TAG_KEY, TAG_VALUE
from whimbrel.wire.flyte import executions as messages
from whimbrel.wire.flyte.listing import archival, holds

_Found = tuple[int, Entity]
"""A row, and where the one after it stands."""


class RunsAndRows(RunStore, EntityStore, Protocol):
    """What is listed."""


class ExecutionLists:
    """See the module. ``see`` says what an execution is like now."""

    def __init__(self, *, registry: Registry, store: RunsAndRows, see: Callable[[Entity], Awaitable[Seen]]) -> None:
        self._registry = registry
        self._store = store
        self._see = see

    async def find(
        self, query: EntityQuery, filters: Iterable[Filter], children: int = 0
    ) -> tuple[list[Entity], tuple[int, int] | None]:
        """One page, and where the next begins, among those that were launched and among the children of those
        (``None``: nowhere). This one begins at ``query.offset`` and ``children``. ``filters`` are those that are not of
        entities: ``phase``, what was launched, labels and tags. Raises ``InputInvalid``."""
        wanted: list[Filter] = []
        states: list[Filter] = []
        for filter in filters:
            if filter.field == "state":
                states.append(archival(filter))
            elif filter.field in RUN_FIELDS or filter.field in (TAG_KEY, TAG_VALUE):
                wanted.append(_of_phases(filter) if filter.field == "phase" else filter)
            else:
                raise InputInvalid(f"executions cannot be filtered by {filter.field!r}.")
        launched = self._launched(query, wanted, states)
        below = self._below(replace(query, kind=EntityKind.CHILD, offset=children), wanted, states)
        found: list[Entity] = []
        offsets = [query.offset, children]
        heads = [await anext(launched, None), await anext(below, None)]
        while any(heads) and len(found) < query.limit:
            which = _first(heads, query)
            head = heads[which]
            assert head is not None
            offsets[which] = head[0]
            found.append(head[1])
            heads[which] = await anext((launched, below)[which], None)
        return found, (offsets[0], offsets[1]) if any(heads) else None

    async def _launched(self, query: EntityQuery, wanted: list[Filter], states: list[Filter]) -> AsyncIterator[_Found]:
        at = query.offset
        while True:
            try:
                page = await self._store.executions(replace(query, offset=at), wanted)
            except ValueError as error:
                raise InputInvalid(f"{error}.") from None
            for summary in page:
                at += 1
                entity = await self._store.entity(id_of(summary.origin))
                if entity is not None and all(holds(entity.state, state) for state in states):
                    yield at, entity
            if len(page) < query.limit:
                return

    async def _below(self, query: EntityQuery, wanted: list[Filter], states: list[Filter]) -> AsyncIterator[_Found]:
        at = query.offset
        while True:
            page = await self._registry.find(replace(query, offset=at))
            for entity in page:
                at += 1
                if all(holds(entity.state, state) for state in states) and (
                    not wanted or _passes(await self._see(entity), wanted)
                ):
                    yield at, entity
            if len(page) < query.limit:
                return


def id_of(origin: RunOrigin) -> EntityId:
    """The id of the execution that a run is."""
    return EntityId(EntityKind.EXECUTION, origin.project, origin.domain, origin.name)


def _of_phases(filter: Filter) -> Filter:
    """The same in our phases: clients say Flyte's, by name or number."""
    named = replace(filter, values=tuple(messages.phase_name(str(value)) for value in filter.values))
    passing = [phase.value for phase in Phase if holds(messages.workflow_phase_name(phase), named)]
    return Filter("phase", Operator.VALUE_IN, tuple(passing))


def _first(heads: Sequence[_Found | None], query: EntityQuery) -> int:
    """Which of two comes first, by what a list is sorted by."""
    launched, below = heads
    if launched is None or below is None:
        return 1 if launched is None else 0
    keys = [
        getattr(row.id if query.sort in ("project", "domain", "name", "version") else row, query.sort)
        for _, row in (launched, below)
    ]
    return int(keys[1] > keys[0] if query.descending else keys[1] < keys[0])


def _passes(seen: Seen, filters: list[Filter]) -> bool:
    """Whether a child passes the filters that runs pass."""
    record = seen.record
    pairs = list(record.labels.items())
    said = {
        "phase": seen.phase.value,
        "workflow.name": record.workflow,
        "workflow.version": record.target.version,
        "launch_plan.name": record.target.name,
        "launch_plan.version": record.target.version,
    }
    for filter in filters:
        if filter.field in (TAG_KEY, TAG_VALUE):
            pairs = [pair for pair in pairs if holds(pair[filter.field == TAG_VALUE], filter)]
            if not pairs:
                return False
        elif filter.field not in said or not holds(said[filter.field], filter):
            return False
    return True
