"""CacheStore: outputs by content, reservations, and why there is nothing."""

from __future__ import annotations

import asyncio

from tests.contract.stores.conftest import AnyStore
from tests.unit.stores.samples import VALUES, key
from whimbrel.controlplane.ports import CachedOutputs
from whimbrel.model.literals import IntLiteral


def row(run: str = "r", path: str = "n0", at: float = 1.0, value: int = 1) -> CachedOutputs:
    return CachedOutputs({**VALUES, "o0": IntLiteral(value)}, run, path, at)


def test_outputs_are_found_by_all_of_the_key(store: AnyStore) -> None:
    async def main() -> None:
        await store.put_cached(key(x="1", y="2"), row())
        assert await store.cached(key(x="1", y="2")) == row()
        assert await store.cached(key(y="2", x="1")) == row()
        for other in (
            key(x="1"),
            key(x="1", y="3"),
            key(x="1", y="2", z="0"),
            key("m.u", x="1", y="2"),
            key(version="2", x="1", y="2"),
            key(interface="j", x="1", y="2"),
        ):
            assert await store.cached(other) is None

    asyncio.run(main())


def test_the_newest_row_wins(store: AnyStore) -> None:
    async def main() -> None:
        await store.put_cached(key(), row(at=2.0, value=2))
        await store.put_cached(key(), row(at=1.0, value=1))
        assert await store.cached(key()) == row(at=2.0, value=2)
        await store.put_cached(key(), row(at=2.0, value=3))
        assert await store.cached(key()) == row(at=2.0, value=3)
        await store.put_cached(key(), row(at=5.0, value=4, run="s"))
        assert await store.cached(key()) == row(at=5.0, value=4, run="s")

    asyncio.run(main())


def test_the_cache_can_be_cleared(store: AnyStore) -> None:
    async def main() -> None:
        assert await store.clear_cache() == 0
        await store.put_cached(key(x="1"), row())
        await store.put_cached(key(x="2"), row())
        assert await store.clear_cache() == 2
        assert await store.cached(key(x="1")) is None
        assert await store.why_not(key(x="1")) == "nothing is cached for m.t yet"
        await store.put_cached(key(x="1"), row())
        assert await store.cached(key(x="1")) == row()

    asyncio.run(main())


def test_a_miss_says_why(store: AnyStore) -> None:
    async def main() -> None:
        assert await store.why_not(key(x="1")) == "nothing is cached for m.t yet"
        await store.put_cached(key("m.u", x="1"), row())
        assert await store.why_not(key(x="1")) == "nothing is cached for m.t yet"
        await store.put_cached(key(version="0", x="1"), row(run="old", path="n7"))
        reason = await store.why_not(key(x="1"))
        assert reason == "the cache version is '1'; n7 of run old was cached under '0'"
        await store.put_cached(key(interface="j", x="1"), row(run="mid"))
        reason = await store.why_not(key(x="1"))
        assert reason == "the inputs or outputs that m.t declares have changed since n0 of run mid was cached"
        await store.put_cached(key(x="2", y="3"), row(run="new"))
        reason = await store.why_not(key(x="1", y="4"))
        assert reason == "never run with these inputs: x and y differ from n0 of run new, the nearest that is cached"
        await store.put_cached(key(x="1", y="3"), row(run="near"))
        reason = await store.why_not(key(x="1", y="4"))
        assert reason == "never run with these inputs: y differs from n0 of run near, the nearest that is cached"

    asyncio.run(main())


def test_of_rows_that_are_equally_near_the_newest_is_named(store: AnyStore) -> None:
    async def main() -> None:
        for at, run in ((1.0, "a"), (3.0, "b"), (2.0, "c")):
            await store.put_cached(key(x=run), row(run=run, at=at))
        assert "n0 of run b" in await store.why_not(key(x="other"))

    asyncio.run(main())


def test_rows_of_other_versions_do_not_hide_a_nearer_one(store: AnyStore) -> None:
    async def main() -> None:
        await store.put_cached(key(x="2"), row(run="near", at=0.0))
        await asyncio.gather(*[store.put_cached(key(version="0", x=str(n)), row(at=9.0)) for n in range(300)])
        assert "x differs from n0 of run near" in await store.why_not(key(x="1"))

    asyncio.run(main())


def test_a_key_is_reserved_by_one(store: AnyStore) -> None:
    async def main() -> None:
        assert await store.reserve(key(), "a", until=10.0, now=1.0)
        assert not await store.reserve(key(), "b", until=20.0, now=2.0)
        assert await store.reserve(key(), "a", until=15.0, now=3.0)
        assert await store.reserve(key(x="1"), "b", until=20.0, now=2.0)
        assert not await store.reserve(key(), "b", until=20.0, now=12.0)

    asyncio.run(main())


def test_a_reservation_ends_by_itself(store: AnyStore) -> None:
    async def main() -> None:
        assert await store.reserve(key(), "a", until=10.0, now=1.0)
        assert not await store.reserve(key(), "b", until=20.0, now=10.0)
        assert await store.reserve(key(), "b", until=20.0, now=10.5)
        assert not await store.reserve(key(), "a", until=30.0, now=11.0)

    asyncio.run(main())


def test_a_reservation_is_given_up_by_its_holder_only(store: AnyStore) -> None:
    async def main() -> None:
        assert await store.reserve(key(), "a", until=10.0, now=1.0)
        await store.release(key(), "b")
        assert not await store.reserve(key(), "b", until=10.0, now=1.0)
        await store.release(key(), "a")
        assert await store.reserve(key(), "b", until=10.0, now=1.0)
        await store.release(key(x="never reserved"), "a")

    asyncio.run(main())


def test_outputs_end_the_reservation(store: AnyStore) -> None:
    async def main() -> None:
        assert await store.reserve(key(), "a", until=10.0, now=1.0)
        await store.put_cached(key(), row())
        assert await store.reserve(key(), "b", until=10.0, now=1.0)

    asyncio.run(main())


def test_of_many_that_reserve_at_once_one_succeeds(store: AnyStore) -> None:
    async def main() -> None:
        tries = await asyncio.gather(*[store.reserve(key(), f"h{n}", until=10.0, now=1.0) for n in range(50)])
        assert sum(tries) == 1

    asyncio.run(main())
