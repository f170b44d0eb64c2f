"""Buckets of tokens and counts: what clients are held to, and that neither grows with the clients that were here."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whimbrel.errors import Overloaded
from whimbrel.model.access import Principal, PrincipalKind
from whimbrel.server.auth.auditing import Auditor
from whimbrel.server.auth.gate import Gate
from whimbrel.server.limits import Buckets, Counted, whole_seconds
from whimbrel.stores.memory import MemoryStore


@given(st.lists(st.floats(0, 3), max_size=60), st.floats(0.5, 5), st.integers(1, 5))
def test_nobody_gets_more_than_burst_and_rate_and_who_waits_gets_in(
    pauses: list[float], rate: float, burst: int
) -> None:
    now = [100.0]
    buckets = Buckets(rate, burst, lambda: now[0])
    passed = 0
    for pause in pauses:
        now[0] += pause
        wait = buckets.take("a")
        passed += not wait
        assert passed <= burst + (now[0] - 100.0) * rate + 1e-6
        if wait:
            now[0] += wait + 1e-9
            assert buckets.take("a") == 0.0
            passed += 1
    assert buckets.take("somebody else") == 0.0


def test_no_rate_is_no_limit_and_old_clients_are_forgotten() -> None:
    free = Buckets(0.0, 1.0, lambda: 0.0)
    assert {free.take("a") for _ in range(1000)} == {0.0}
    few = Buckets(1.0, 1.0, lambda: 0.0, clients=10)
    for number in range(1000):
        few.take(str(number))
    assert len(few) == 10


def test_counts_are_given_back() -> None:
    counted = Counted(2)
    assert [counted.enter("a"), counted.enter("a"), counted.enter("a"), counted.enter("b")] == [True, True, False, True]
    counted.leave("a")
    assert counted.enter("a")
    for client in ("a", "a", "b"):
        counted.leave(client)
    assert len(counted) == 0


class Names:
    """Knows everybody, by the names that they come with."""

    async def principal(self, token: str) -> Principal | None:
        return Principal(PrincipalKind.USER, token)


def test_somebody_who_is_known_has_one_rate_wherever_they_ask_from() -> None:
    async def main() -> None:
        auditor = Auditor(MemoryStore(), lambda: 0.0)
        gate = Gate([Names()], auditor, lambda: 0.0, Buckets(0.5, 2.0, lambda: 0.0))
        for _ in range(2):
            assert await gate.who("Bearer ann") is not None
        with pytest.raises(Overloaded, match="ann asks too often; try again in 2 s"):
            await gate.who("Bearer ann")
        assert await gate.who("Bearer bob") is not None
        assert await gate.who("") is None

    asyncio.run(main())


def test_nobody_is_told_to_come_back_at_once() -> None:
    assert [whole_seconds(0.001), whole_seconds(1.5)] == [1, 2]
