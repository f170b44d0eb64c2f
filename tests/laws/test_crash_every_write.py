"""Law: a process that dies before or after any write to its store leaves a run that resumes to the right result, and
runs no finished task again."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from whimbrel.stores.sql.store import SqlStore
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import for_each_write

from .corpus import SAMPLES

Make = Callable[..., TestEngine]


@pytest.fixture(params=["memory", "sqlite"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Make]:
    """What makes engines, each with runs of its own."""
    if request.param == "memory":
        yield TestEngine
        return
    store = SqlStore.open(tmp_path / "whimbrel.db")
    names = (f"engine{number}" for number in itertools.count(1))
    yield lambda **options: TestEngine(store=store, runs=next(names), **options)
    store.close()


@pytest.mark.parametrize("name", SAMPLES)
def test_undisturbed(name: str) -> None:
    sample = SAMPLES[name]
    engine = TestEngine()
    assert engine.run(sample.entity, **sample.inputs) == sample.expected
    if sample.task_calls >= 0:
        assert len(engine.executed) == sample.task_calls


@pytest.mark.parametrize("name", SAMPLES)
def test_crash_at_every_write(name: str, make: Make) -> None:
    sample = SAMPLES[name]
    proof = for_each_write(sample.entity, sample.inputs, make=make, expected=sample.expected, racy=sample.racy)
    assert proof.crashes >= proof.writes >= 2


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("name", [name for name in SAMPLES if name.startswith("eager")])
def test_crash_at_every_write_when_calls_take_time(name: str, seed: int) -> None:
    """Then calls end one by one, and most writes carry one outcome."""
    sample = SAMPLES[name]
    for_each_write(sample.entity, sample.inputs, racy=sample.racy, seed=seed)
