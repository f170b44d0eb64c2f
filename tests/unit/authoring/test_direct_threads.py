"""Threads of a direct eager workflow: few for tasks that compute, many for tasks that wait."""

from __future__ import annotations

import asyncio
import threading

import pytest

from whimbrel.authoring.direct_eager import FEW, MANY, Threads


def test_calls_that_wait_for_each_other_all_run() -> None:
    """More calls than the first threads hold: each waits until all have begun."""
    count = FEW + 9
    together = threading.Barrier(count, timeout=30)

    async def main() -> list[int]:
        threads = Threads()
        try:
            return await asyncio.gather(*[threads.run(together.wait) for _ in range(count)])
        finally:
            threads.close()

    assert sorted(asyncio.run(main())) == list(range(count))


def test_threads_never_outnumber_the_limit_and_all_end() -> None:
    """However many calls are held up, there are so many stacks; after ``close`` there is none."""
    seen: set[threading.Thread] = set()
    gate = threading.Event()
    full = threading.Semaphore(0)

    def held() -> None:
        seen.add(threading.current_thread())
        full.release()
        gate.wait(30)

    async def main() -> None:
        threads = Threads()
        calls = [threads.run(held) for _ in range(MANY + 20)]
        for _ in range(MANY):
            await asyncio.to_thread(full.acquire)
        assert len(seen) == MANY
        gate.set()
        await asyncio.gather(*calls)
        threads.close()

    asyncio.run(main())
    assert len(seen) == MANY
    for thread in seen:
        thread.join(30)
        assert not thread.is_alive()


def test_a_call_that_is_cancelled_while_it_waits_does_not_run() -> None:
    """Only what has begun goes on."""
    gate = threading.Event()
    ran: list[int] = []

    async def main() -> None:
        threads = Threads()
        first = [threads.run(lambda: gate.wait(30)) for _ in range(MANY)]
        late = threads.run(lambda: ran.append(1))
        late.cancel()
        gate.set()
        await asyncio.gather(*first)
        threads.close()

    asyncio.run(main())
    assert ran == []


def test_failures_arrive_as_they_are_raised() -> None:
    """``StopIteration`` too, which no future takes."""

    def fail(error: BaseException) -> None:
        raise error

    async def main() -> None:
        threads = Threads()
        mistake = ValueError("mine")
        with pytest.raises(ValueError, match="mine") as raised:
            await threads.run(lambda: fail(mistake))
        assert raised.value is mistake
        with pytest.raises(RuntimeError, match="StopIteration"):
            await threads.run(lambda: fail(StopIteration(3)))
        threads.close()
        with pytest.raises(RuntimeError, match="has ended"):
            threads.run(lambda: None)

    asyncio.run(main())
