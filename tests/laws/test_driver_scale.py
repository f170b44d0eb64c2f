"""Laws of size: deep nesting, wide gathers, long loops. Counted, not timed."""

from __future__ import annotations

import sys

import pytest

from whimbrel.testing.engine import TestEngine

from .sizes import deep, long_loop, wide

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
