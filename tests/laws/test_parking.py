"""Law: drivers that leave memory at every idle moment, and runs that leave it whenever nothing else is under way,
change no result; neither does a death on the way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from whimbrel.model.run import Phase, RunOptions
from whimbrel.stores.sql.store import SqlStore
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import for_each_write

from .corpus import SAMPLES

EAGER = {name: sample for name, sample in SAMPLES.items() if name.startswith("eager")}
ALWAYS = RunOptions(park_after=0.0)


def parking(**more: Any) -> TestEngine:
    return TestEngine(options=ALWAYS, **more)


def parks(engine: TestEngine) -> int:
    """How often a driver of the last run has left memory."""
    nodes = engine.tree.nodes.values()
    return sum(attempt.phase is Phase.PAUSED for node in nodes for attempt in node.attempts)


@pytest.mark.parametrize("name", EAGER)
def test_drivers_that_park_at_every_idle_moment_change_nothing(name: str) -> None:
    sample = EAGER[name]
    engine = parking()
    assert engine.run(sample.entity, **sample.inputs) == sample.expected
    # Threads that are under way keep their driver.
    assert parks(engine) > 0 or name == "eager_to_thread"
    if sample.task_calls >= 0:
        assert len(engine.executed) == sample.task_calls, "a task ran again"
    engine.tree.check_invariants()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", EAGER)
def test_in_any_order(name: str, seed: int) -> None:
    sample = EAGER[name]
    result = parking(seed=seed).run(sample.entity, **sample.inputs)
    assert sample.racy or result == sample.expected


@pytest.mark.parametrize("name", EAGER)
def test_a_death_at_every_write_of_a_run_that_parks(name: str) -> None:
    sample = EAGER[name]
    for_each_write(sample.entity, sample.inputs, make=parking, expected=sample.expected, racy=sample.racy)


@pytest.mark.parametrize("name", ["eager_sleeps", "eager_timeout", "eager_race"])
def test_a_death_at_every_write_on_disk(name: str, tmp_path: Path) -> None:
    sample = EAGER[name]
    store = SqlStore.open(tmp_path / "whimbrel.db")
    made = 0

    def make(**more: Any) -> TestEngine:
        nonlocal made
        made += 1
        return parking(store=store, runs=f"engine{made}", **more)

    try:
        for_each_write(sample.entity, sample.inputs, make=make, expected=sample.expected, racy=sample.racy)
    finally:
        store.close()


def test_the_usual_threshold_parks_what_sleeps_for_hours() -> None:
    engine = TestEngine()
    sample = EAGER["eager_sleeps"]
    assert engine.run(sample.entity, **sample.inputs) == sample.expected
    assert parks(engine) == 2
