"""Laws of size: deep nesting, wide gathers, long loops. Counted, not timed."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from whimbrel.durable.session import Session
from whimbrel.runtime.driver import Driver
from whimbrel.testing.engine import TestEngine

from .sizes import deep, long_loop, timed_loop, wide

LONG = 20_000
"""Steps of the loop in every run of the suite; ``-m slow`` has the 100,000 of the issue."""


def test_a_hundred_nested_bodies() -> None:
    engine = TestEngine()
    assert engine.run(deep, n=100) == 100
    assert max(path.count("/") for path in engine.tree.nodes) >= 100


def test_a_hundred_nested_bodies_are_replayed() -> None:
    engine = TestEngine()
    engine.crash_at(52)
    with pytest.raises(BaseException, match="before write 52"):
        engine.run(deep, n=100)
    assert engine.resume() == 100
    assert engine.executions["up"] <= 101


def test_ten_thousand_at_once() -> None:
    engine = TestEngine()
    assert engine.run(wide, n=10_000) == sum(range(1, 10_001))
    assert engine.executions["up"] == 10_000
    assert not engine.replay().divergences


def loop_of(steps: int) -> None:
    limit = sys.getrecursionlimit()
    engine = TestEngine()
    assert engine.run(long_loop, n=steps) == steps
    assert sys.getrecursionlimit() == limit
    assert engine.executions["up"] == steps
    assert engine.replay().entries == steps


def test_a_long_loop() -> None:
    loop_of(LONG)


@pytest.mark.slow
def test_a_very_long_loop() -> None:
    loop_of(100_000)


# --- replay is linear, and what a driver keeps does not grow with what it has done -----------------------------------


@contextmanager
def counted() -> Iterator[list[int]]:
    """How many Python functions are called in the block, in this thread and those that it starts."""
    count = [0]

    def profile(_frame: Any, event: str, _arg: Any) -> None:
        if event == "call":
            count[0] += 1

    threading.setprofile(profile)
    sys.setprofile(profile)
    try:
        yield count
    finally:
        sys.setprofile(None)
        threading.setprofile(None)


def calls_to_replay(entity: Any, steps: int) -> int:
    engine = TestEngine()
    engine.run(entity, n=steps)
    with counted() as count:
        assert not engine.replay().divergences
    return count[0]


@pytest.mark.parametrize("entity", [long_loop, wide, timed_loop], ids=lambda entity: entity.short_name)
def test_replay_is_linear(entity: Any) -> None:
    small, large = calls_to_replay(entity, 200), calls_to_replay(entity, 1_600)
    assert large < small * 8 * 1.1


@pytest.mark.parametrize("entity", [long_loop, wide], ids=lambda entity: entity.short_name)
def test_a_replayed_step_is_one_object_to_the_garbage_collector(entity: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The node that the engine made of it; nothing that the driver holds. The collector walks them again and again."""
    walked: list[int] = []
    drive: Callable[[Driver], None] = Driver.run

    def measured(driver: Driver) -> None:
        drive(driver)
        for _ in range(3):
            gc.collect()
        walked.append(len(gc.get_objects()))

    def replayed(steps: int) -> int:
        engine = TestEngine()
        engine.run(entity, n=steps)
        assert engine.replay().entries == steps
        return walked[-1]

    monkeypatch.setattr(Driver, "run", measured)
    replayed(10)
    small, large = replayed(100), replayed(600)
    assert 500 <= large - small <= 500 * 1.2, f"{(large - small) / 500:.2f} objects a step"


def kept_by_session(session: Session) -> int:
    """How many things its containers hold."""
    held = [value for value in vars(session).values() if isinstance(value, dict | set | list)]
    feed = [value for value in vars(session._feed).values() if hasattr(value, "__len__")]
    return sum(len(value) for value in (*held, *feed))


@pytest.mark.parametrize("entity", [long_loop, timed_loop], ids=lambda entity: entity.short_name)
def test_a_driver_keeps_what_is_under_way(entity: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []
    deliver: Callable[[Session, Any], None] = Session.deliver

    def measured(session: Session, entries: Any) -> None:
        deliver(session, entries)
        sizes.append(kept_by_session(session))

    monkeypatch.setattr(Session, "deliver", measured)
    TestEngine().run(entity, n=500)
    assert len(sizes) >= 500
    assert max(sizes) < 120
