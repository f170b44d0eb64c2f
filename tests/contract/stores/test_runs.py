"""RunStore: runs, their event logs, fencing, listing."""

from __future__ import annotations

import asyncio
import itertools
import math
from typing import get_args

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.stores.conftest import AnyStore
from tests.unit.stores.samples import event, one_of_each, summary
from whimbrel.errors import EntityNotFound, Fenced, StoreError
from whimbrel.model.events import Event
from whimbrel.model.run import Phase


def test_a_run_is_read_back(store: AnyStore) -> None:
    async def main() -> None:
        row = msgspec.structs.replace(
            summary("r", phase=Phase.RUNNING),
            started_at=2.5,
            ended_at=3.5,
            owner="me",
            source="flow.py",
            message="ü\0'\"",
        )
        await store.create(row, [event(1), event(2)])
        assert await store.summary("r") == row
        assert await store.events("r") == [event(1), event(2)]
        assert await store.events("r", after=1) == [event(2)]
        assert await store.events("r", after=2) == []
        assert await store.events("r", after=99) == []

    asyncio.run(main())


def test_every_kind_of_event_is_read_back(store: AnyStore) -> None:
    async def main() -> None:
        events = one_of_each()
        assert {type(sample) for sample in events} == set(get_args(Event))
        await store.create(summary("r"), events[:1])
        await store.append("r", 1, 2, events[1:])
        assert await store.events("r") == events

    asyncio.run(main())


def test_a_run_may_begin_without_events(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [])
        assert await store.events("r") == []
        await store.append("r", 1, 1, [event(1)])
        assert await store.events("r") == [event(1)]

    asyncio.run(main())


def test_ids_are_taken_once(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [event(1)])
        with pytest.raises(StoreError, match="there is a run r already"):
            await store.create(summary("r", entity="another"), [event(2), event(3)])
        assert await store.summary("r") == summary("r")
        assert await store.events("r") == [event(1)]

    asyncio.run(main())


def test_of_many_that_create_one_id_one_succeeds(store: AnyStore) -> None:
    async def main() -> None:
        creations = [store.create(summary("r", entity=str(n)), [event(n)]) for n in range(20)]
        outcomes = await asyncio.gather(*creations, return_exceptions=True)
        assert sum(outcome is None for outcome in outcomes) == 1
        assert all(isinstance(outcome, StoreError) for outcome in outcomes if outcome is not None)
        winner = outcomes.index(None)
        assert await store.events("r") == [event(winner)]

    asyncio.run(main())


def test_what_is_not_there_is_not_found(store: AnyStore) -> None:
    async def main() -> None:
        for attempt in (
            store.claim("none", "me"),
            store.append("none", 1, 1, [event(1)]),
            store.events("none"),
            store.summary("none"),
            store.summaries(before="none"),
        ):
            with pytest.raises(EntityNotFound, match="none"):
                await attempt

    asyncio.run(main())


def test_appending_replaces_the_summary(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [event(1)])
        ended = msgspec.structs.replace(summary("r"), phase=Phase.FAILED, ended_at=9.0, message="why", owner="")
        await store.append("r", 1, 2, [event(2)], ended)
        assert await store.summary("r") == ended
        await store.append("r", 1, 3, [event(3)])
        assert await store.summary("r") == ended

    asyncio.run(main())


def test_id_epoch_and_age_are_the_stores(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r", at=5.0), [])
        await store.append("r", 1, 1, [], summary("other", at=77.0, epoch=40))
        assert await store.summary("r") == summary("r", at=5.0)

    asyncio.run(main())


def test_a_claim_fences_the_owner_before(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [event(1)])
        assert await store.claim("r", "second") == msgspec.structs.replace(summary("r"), epoch=2, owner="second")
        with pytest.raises(Fenced, match=r"second.*epoch 2, not 1"):
            await store.append("r", 1, 2, [event(2)], summary("r", phase=Phase.FAILED))
        assert await store.events("r") == [event(1)]
        assert (await store.summary("r")).phase is Phase.QUEUED
        await store.append("r", 2, 2, [event(3)])
        assert await store.events("r") == [event(1), event(3)]

    asyncio.run(main())


def test_claims_at_the_same_time_have_epochs_of_their_own(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [])
        claims = await asyncio.gather(*[store.claim("r", f"owner {n}") for n in range(10)])
        assert sorted(claim.epoch for claim in claims) == list(range(2, 12))
        last = max(claims, key=lambda claim: claim.epoch)
        assert await store.summary("r") == last

    asyncio.run(main())


@pytest.mark.parametrize("first", [-1, 0, 1, 3, 4])
def test_only_the_next_seq_is_taken(store: AnyStore, first: int) -> None:
    async def main() -> None:
        await store.create(summary("r"), [event(1)])
        with pytest.raises(Fenced, match="next event of run r is 2"):
            await store.append("r", 1, first, [event(2), event(3)])
        assert await store.events("r") == [event(1)]

    asyncio.run(main())


def test_of_two_writers_at_one_seq_one_is_fenced(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [event(1)])
        writes = [store.append("r", 1, 2, [event(n)]) for n in (2, 3)]
        outcomes = await asyncio.gather(*writes, return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Fenced", "NoneType"]
        assert await store.events("r") == [event(1), event(2 + outcomes.index(None))]

    asyncio.run(main())


def test_appends_of_many_tasks_all_arrive(store: AnyStore) -> None:
    async def main() -> None:
        runs = [f"r{n}" for n in range(20)]

        async def work(run: str) -> None:
            await store.create(summary(run), [event(1)])
            for seq in range(2, 32, 3):
                await store.append(run, 1, seq, [event(seq), event(seq + 1), event(seq + 2)])
                assert len(await store.events(run)) == seq + 2

        await asyncio.gather(*[work(run) for run in runs])
        for run in runs:
            assert await store.events(run) == [event(seq) for seq in range(1, 32)]
        assert store.check_integrity() == []

    asyncio.run(main())


def test_appends_that_follow_each_other_need_not_wait(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [])
        await asyncio.gather(*[store.append("r", 1, seq, [event(seq)]) for seq in range(1, 1001)])
        assert await store.events("r") == [event(seq) for seq in range(1, 1001)]

    asyncio.run(main())


def test_a_refusal_does_not_touch_its_neighbours(store: AnyStore) -> None:
    async def main() -> None:
        for run in ("a", "b"):
            await store.create(summary(run), [event(1)])
        outcomes = await asyncio.gather(
            store.append("a", 1, 2, [event(2)]),
            store.append("a", 7, 3, [event(3)]),
            store.create(summary("b"), [event(9)]),
            store.append("none", 1, 1, [event(1)]),
            store.append("b", 1, 2, [event(2)]),
            store.append("a", 1, 3, [event(3)]),
            return_exceptions=True,
        )
        kinds = [type(outcome).__name__ for outcome in outcomes]
        assert kinds == ["NoneType", "Fenced", "StoreError", "EntityNotFound", "NoneType", "NoneType"]
        assert await store.events("a") == [event(1), event(2), event(3)]
        assert await store.events("b") == [event(1), event(2)]

    asyncio.run(main())


def test_an_event_may_be_large(store: AnyStore) -> None:
    async def main() -> None:
        large = event(1, worker="x" * 3_000_000)
        await store.create(summary("r"), [large])
        assert await store.events("r") == [large]

    asyncio.run(main())


def test_runs_are_listed_newest_first(store: AnyStore) -> None:
    async def main() -> None:
        ages = {"a": 3.0, "b": 1.0, "c": 2.0, "d": 2.0}
        for run, at in ages.items():
            await store.create(summary(run, at=at), [])
        assert [row.id for row in await store.summaries()] == ["a", "d", "c", "b"]
        assert [row.id for row in await store.summaries(limit=2)] == ["a", "d"]
        assert [row.id for row in await store.summaries(limit=2, before="d")] == ["c", "b"]
        assert await store.summaries(before="b") == []
        assert await store.summaries(limit=0) == []

    asyncio.run(main())


def test_runs_are_listed_by_phase(store: AnyStore) -> None:
    async def main() -> None:
        phases = [Phase.SUCCEEDED, Phase.FAILED, Phase.RUNNING, Phase.SUCCEEDED]
        for n, phase in enumerate(phases):
            await store.create(summary(f"r{n}", at=float(n), phase=phase), [])

        async def ids(*wanted: Phase, **page: object) -> list[str]:
            return [row.id for row in await store.summaries(phases=wanted, **page)]  # type: ignore[arg-type]

        assert await ids(Phase.SUCCEEDED) == ["r3", "r0"]
        assert await ids(Phase.FAILED, Phase.SUCCEEDED) == ["r3", "r1", "r0"]
        assert await ids(Phase.SUCCEEDED, Phase.SUCCEEDED) == ["r3", "r0"]
        assert await ids(Phase.SUCCEEDED, Phase.FAILED, limit=1, before="r3") == ["r1"]
        assert await ids(Phase.ABORTED) == []
        await store.append("r2", 1, 1, [], summary("r2", phase=Phase.ABORTED))
        assert await ids(Phase.ABORTED) == ["r2"]
        assert await ids(Phase.RUNNING) == []

    asyncio.run(main())


numbers = itertools.count()


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ages=st.lists(st.integers(0, 3), max_size=12),
    phases=st.lists(st.sampled_from([Phase.RUNNING, Phase.FAILED]), unique=True),
    size=st.integers(1, 5),
)
def test_pages_give_every_run_once(store: AnyStore, ages: list[int], phases: list[Phase], size: int) -> None:
    async def main() -> None:
        # Every example finds the runs of those before it: more to page through.
        for age in ages:
            n = next(numbers)
            phase = [Phase.RUNNING, Phase.FAILED, Phase.SUCCEEDED][n % 3]
            await store.create(summary(f"r{n}", at=float(age), phase=phase), [])
        whole = await store.summaries(limit=10_000, phases=phases)
        paged = []
        page = await store.summaries(limit=size, phases=phases)
        while page:
            paged += page
            page = await store.summaries(limit=size, before=page[-1].id, phases=phases)
        assert paged == whole
        assert all(row.phase in phases for row in whole if phases)
        assert [row.created_at for row in whole] == sorted((row.created_at for row in whole), reverse=True)

    asyncio.run(main())


def test_odd_times_are_kept(store: AnyStore) -> None:
    async def main() -> None:
        row = summary("r", at=1e-300)
        await store.create(row, [event(1, at=math.pi)])
        assert await store.summary("r") == row
        assert await store.events("r") == [event(1, at=math.pi)]

    asyncio.run(main())


def test_a_store_serves_one_event_loop_after_another(store: AnyStore) -> None:
    asyncio.run(store.create(summary("r"), [event(1)]))
    asyncio.run(store.append("r", 1, 2, [event(2)]))
    assert asyncio.run(store.events("r")) == [event(1), event(2)]


def test_a_caller_that_is_cancelled_may_have_written(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [event(1)])
        write = asyncio.ensure_future(store.append("r", 1, 2, [event(2)]))
        await asyncio.sleep(0)
        write.cancel()
        await asyncio.gather(write, return_exceptions=True)
        # Whoever was cancelled asks the store: either all of it is there, or nothing.
        there = len(await store.events("r"))
        await store.append("r", 1, there + 1, [event(3)])
        assert (await store.events("r"))[-1] == event(3)

    asyncio.run(main())


def test_runs_are_counted_by_phase(store: AnyStore) -> None:
    async def main() -> None:
        assert await store.phase_counts() == {}
        for name, phase in (("a", Phase.RUNNING), ("b", Phase.FAILED), ("c", Phase.RUNNING)):
            await store.create(msgspec.structs.replace(summary(name), phase=phase), [event(1)])
        assert await store.phase_counts() == {Phase.RUNNING: 2, Phase.FAILED: 1}

    asyncio.run(main())


def test_parked_runs_are_found_the_earliest_first(store: AnyStore) -> None:
    async def main() -> None:
        for name, wake_at in (("late", 300.0), ("never", math.inf), ("soon", 20.5), ("awake", 0.0), ("also", 20.5)):
            await store.create(msgspec.structs.replace(summary(name), wake_at=wake_at), [event(1)])
        found = await store.parked()
        assert [(row.id, row.wake_at) for row in found] == [
            ("also", 20.5),
            ("soon", 20.5),
            ("late", 300.0),
            ("never", math.inf),
        ]
        assert found[1] == await store.summary("soon")
        assert [row.id for row in await store.parked(limit=1)] == ["also"]
        await store.append("soon", 1, 2, [event(2)], summary("soon"))
        await store.append("awake", 1, 2, [event(2)], msgspec.structs.replace(summary("awake"), wake_at=1.0))
        assert [row.id for row in await store.parked(limit=2)] == ["awake", "also"]

    asyncio.run(main())
