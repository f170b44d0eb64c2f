"""What every store promises of schedules."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from tests.contract.stores.conftest import AnyStore
from whimbrel.model.registered import Entity, EntityId, EntityKind
from whimbrel.model.scheduled import Firing, Mark, Outcome, PlanName

PLAN = PlanName("p", "d", "'; DROP TABLE firings; --")
MARK = Mark(PLAN, "v1", 10.0, 10.0)


def firing(due: float, outcome: Outcome = Outcome.FIRED, detail: str = "") -> Firing:
    return Firing(PLAN, due, "v1", f"plan-{due:g}", f"run-{due:g}", outcome, due + 0.5, detail)


def test_a_mark_moves_for_whoever_knows_it(store: AnyStore) -> None:
    async def scenario() -> None:
        assert await store.mark(PLAN) is None
        assert not await store.decide(MARK, replace(MARK, decided_at=20.0), [firing(15.0)])
        assert await store.decide(None, MARK)
        assert not await store.decide(None, replace(MARK, decided_at=20.0))
        later = replace(MARK, decided_at=20.0)
        assert await store.decide(MARK, later, [firing(15.0), firing(20.0)])
        for stale in (MARK, replace(later, version="v2"), replace(later, activated_at=11.0)):
            assert not await store.decide(stale, replace(MARK, decided_at=30.0), [firing(25.0)])
        assert await store.mark(PLAN) == later
        assert await store.mark(replace(PLAN, name="another")) is None
        assert [row.due for row in await store.firings(PLAN)] == [20.0, 15.0]

    asyncio.run(scenario())


def test_of_two_that_decide_one_does(store: AnyStore) -> None:
    async def scenario() -> None:
        assert await store.decide(None, MARK)
        moves = [replace(MARK, decided_at=20.0 + each) for each in range(8)]
        done = await asyncio.gather(*(store.decide(MARK, move, [firing(move.decided_at)]) for move in moves))
        assert done.count(True) == 1
        winner = moves[done.index(True)]
        assert await store.mark(PLAN) == winner
        assert [row.due for row in await store.firings(PLAN)] == [winner.decided_at]

    asyncio.run(scenario())


def test_what_fired_stays_and_the_rest_may_be_made_good(store: AnyStore) -> None:
    async def scenario() -> None:
        await store.keep_firing(firing(1.0))
        await store.keep_firing(firing(1.0, Outcome.SKIPPED))
        await store.keep_firing(firing(2.0, Outcome.SKIPPED, "three were running"))
        assert [row.outcome for row in await store.firings(PLAN)] == [Outcome.SKIPPED, Outcome.FIRED]
        made_good = replace(firing(2.0), backfill="b1")
        await store.keep_firing(made_good)
        assert await store.firings(PLAN, limit=1) == [made_good]
        assert await store.firings(PLAN, before=2.0) == [firing(1.0)]
        assert await store.firings(replace(PLAN, domain="another")) == []

    asyncio.run(scenario())


def test_changes_of_launch_plans_are_told(store: AnyStore) -> None:
    async def scenario() -> None:
        told: list[EntityId] = []
        store.watch_plans = told.append
        plan = EntityId(EntityKind.LAUNCH_PLAN, "p", "d", "plan", "v1")
        await store.add_entity(Entity(plan, b"", b"", "INACTIVE", 1.0, 1.0))
        await store.add_entity(Entity(replace(plan, kind=EntityKind.TASK), b"", b"", "", 1.0, 1.0))
        assert told == [plan]
        await store.set_entity_state(plan, "ACTIVE", 2.0)
        assert told == [plan, plan]

    asyncio.run(scenario())
