"""As `crashing.py`, with what was registered and what schedules fired.

Knows: the ports. Must not know: which store is inside.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Protocol

from whimbrel.controlplane.ports import EntityStore, ScheduleStore, Store
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery
from whimbrel.model.scheduled import Firing, Mark, PlanName
from whimbrel.stores.crashing import CrashingStore


class EveryStore(Store, EntityStore, ScheduleStore, Protocol):
    """All that a store has."""


class CrashingEntities(CrashingStore):
    """``CrashingStore`` over a store with entities."""

    inner: EveryStore

    def __init__(self, inner: EveryStore, at: int = 0, *, before: bool = True) -> None:
        super().__init__(inner, at, before=before)

    async def add_entity(self, entity: Entity) -> Entity:
        """See ``EntityStore``."""
        return await self._write("add_entity", lambda: self.inner.add_entity(entity))

    async def entity(self, id: EntityId) -> Entity | None:
        """See ``EntityStore``."""
        self._live()
        return await self.inner.entity(id)

    async def entities(self, query: EntityQuery) -> list[Entity]:
        """See ``EntityStore``."""
        self._live()
        return await self.inner.entities(query)

    async def entity_names(
        self, kind: EntityKind, project: str, domain: str, *, limit: int = 100, offset: int = 0
    ) -> list[str]:
        """See ``EntityStore``."""
        self._live()
        return await self.inner.entity_names(kind, project, domain, limit=limit, offset=offset)

    async def set_entity_state(self, id: EntityId, state: str, at: float, *, alone: str = "") -> bool:
        """See ``EntityStore``."""
        return await self._write("set_entity_state", lambda: self.inner.set_entity_state(id, state, at, alone=alone))

    async def mark(self, plan: PlanName) -> Mark | None:
        """See ``ScheduleStore``."""
        self._live()
        return await self.inner.mark(plan)

    async def decide(self, before: Mark | None, mark: Mark, firings: Sequence[Firing] = ()) -> bool:
        """See ``ScheduleStore``."""
        return await self._write("decide", lambda: self.inner.decide(before, mark, firings))

    async def keep_firing(self, firing: Firing) -> None:
        """See ``ScheduleStore``."""
        await self._write("keep_firing", lambda: self.inner.keep_firing(firing))

    async def firings(self, plan: PlanName, *, limit: int = 100, before: float = math.inf) -> list[Firing]:
        """See ``ScheduleStore``."""
        self._live()
        return await self.inner.firings(plan, limit=limit, before=before)
