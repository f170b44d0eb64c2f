"""CrashingStore: dies at the write it is told to, on the side it is told to, and stays dead."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.contract.stores.conftest import AnyStore
from tests.unit.stores.samples import VALUES, event, key, summary
from whimbrel.controlplane.ports import CachedOutputs
from whimbrel.model.run import AttemptId
from whimbrel.stores.crashing import CrashingStore, SimulatedCrash

Crashing = Callable[..., CrashingStore]
ROW = CachedOutputs(VALUES, "r", "n0", 1.0)


async def six_writes(store: CrashingStore) -> None:
    await store.create(summary("r"), [event(1)])
    await store.claim("r", "me")
    await store.append("r", 2, 2, [event(2)])
    await store.reserve(key(), "me", 2.0, 1.0)
    await store.put_cached(key(), ROW)
    await store.release(key(), "me")


def test_it_counts_writes_and_passes_everything_on(crashing: Crashing) -> None:
    async def main() -> None:
        store = crashing()
        await six_writes(store)
        await store.send("r", "abort", "", 1.0)
        assert [request.request for request in await store.requests("r")] == ["abort"]
        store.log_nowait(AttemptId("r", "n0", 1), "log", "x", 1.0)
        assert [line.text for line in await store.logs("r")] == ["x"]
        assert await store.events("r") == [event(1), event(2)]
        assert (await store.summary("r")).owner == "me"
        assert [row.id for row in await store.summaries()] == ["r"]
        assert await store.cached(key()) == ROW
        assert await store.why_not(key("m.u")) == "nothing is cached for m.u yet"
        assert store.writes == 6
        assert not store.crashed

    asyncio.run(main())


@pytest.mark.parametrize("at", range(1, 7))
@pytest.mark.parametrize("before", [True, False])
def test_it_dies_at_the_nth_write(crashing: Crashing, store: AnyStore, at: int, before: bool) -> None:
    async def main() -> None:
        dying = crashing(at, before=before)
        with pytest.raises(SimulatedCrash, match=f"{'before' if before else 'after'} write {at}"):
            await six_writes(dying)
        done = at - before
        # What the next process finds.
        runs = await store.summaries()
        assert len(runs) == (done >= 1)
        if done >= 1:
            assert runs[0].owner == ("me" if done >= 2 else "")
            assert await store.events("r") == [event(1), event(2)][: 2 if done >= 3 else 1]
        assert await store.cached(key()) == (ROW if done >= 5 else None)
        assert await store.reserve(key(), "other", 2.0, 1.0) is (done != 4)
        with pytest.raises(SimulatedCrash, match="dead already"):
            await dying.summary("r")
        with pytest.raises(SimulatedCrash, match="dead already"):
            await dying.claim("r", "me")
        with pytest.raises(SimulatedCrash, match="dead already"):
            dying.log_nowait(AttemptId("r", "n0", 1), "log", "x", 1.0)

    asyncio.run(main())


def test_writes_under_way_at_the_crash_never_report(crashing: Crashing) -> None:
    async def main() -> None:
        dying = crashing(2, before=True)
        writes = [dying.create(summary(f"r{n}"), [event(1)]) for n in range(3)]
        outcomes = await asyncio.gather(*[asyncio.ensure_future(survivor(write)) for write in writes])
        assert "returned" not in outcomes[1:]

    async def survivor(write: object) -> str:
        try:
            await write  # type: ignore[misc]
        except SimulatedCrash:
            return "dead"
        return "returned"

    asyncio.run(main())


def test_no_handler_for_errors_survives_a_death() -> None:
    assert not issubclass(SimulatedCrash, Exception)
