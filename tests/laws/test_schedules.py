"""Law: in whatever order things happen, a program ends as it should; and where an engine dies on the way, the run is
carried on.

A failure names its seed: ``TestEngine(seed=…)`` takes the same road again. ``make laws MINUTES=5`` tries other seeds
for as long as it is told.
"""

from __future__ import annotations

import os
import time

import pytest

from whimbrel.model.attempt import Parked
from whimbrel.model.run import RunOptions
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import ANYTHING, for_each_seed, with_always_replay

from .corpus import SAMPLES

EAGER = {name: sample for name, sample in SAMPLES.items() if name.startswith("eager")}

SEEDS = range(2_000 // len(EAGER) + 1)
"""Seeds of each program: at least two thousand schedules together."""

MINUTES = float(os.environ.get("WHIMBREL_LAWS_MINUTES", "0"))
FIRST = int(os.environ.get("WHIMBREL_LAWS_FIRST_SEED", "0")) or int(time.time())


def check(name: str, seeds: range, *, die: bool) -> int:
    sample = EAGER[name]
    expected = ANYTHING if sample.racy else sample.expected
    return for_each_seed(
        sample.entity, sample.inputs, seeds=seeds, expected=expected, racy=sample.racy, die=die
    ).schedules


def test_there_are_thousands_of_schedules() -> None:
    assert len(EAGER) * len(SEEDS) >= 2_000


@pytest.mark.parametrize("name", EAGER)
def test_every_schedule_ends_as_it_should(name: str) -> None:
    assert check(name, SEEDS, die=False) == len(SEEDS)


@pytest.mark.parametrize("name", EAGER)
def test_an_engine_that_dies_in_a_schedule_is_replaced(name: str) -> None:
    check(name, range(1_000, 1_010), die=True)


@pytest.mark.parametrize("name", EAGER)
def test_a_new_driver_at_every_await(name: str) -> None:
    sample = EAGER[name]
    calm = with_always_replay(sample.entity, sample.inputs, expected=sample.expected)
    assert calm.drivers
    for seed in range(3):
        with_always_replay(sample.entity, sample.inputs, seed=seed)


@pytest.mark.parametrize("name", EAGER)
def test_a_driver_that_parks_wherever_it_waits(name: str) -> None:
    sample = EAGER[name]
    expected = ANYTHING if sample.racy else sample.expected
    impatient = RunOptions(park_after=0.0)
    for_each_seed(
        sample.entity,
        sample.inputs,
        seeds=range(2_000, 2_005),
        expected=expected,
        racy=sample.racy,
        die=True,
        options=impatient,
    )


def test_they_do_park() -> None:
    engine = TestEngine(seed=1, options=RunOptions(park_after=0.0))
    assert engine.run(EAGER["eager_gather"].entity, x=1) == EAGER["eager_gather"].expected
    assert sum(isinstance(event, Parked) for event in engine.events) > 3


@pytest.mark.slow
def test_for_minutes() -> None:
    """As many schedules as fit, each with a death; one round when nothing is said."""
    until, seed, tried = time.monotonic() + 60 * MINUTES, FIRST, 0
    while not tried or time.monotonic() < until:
        for name in EAGER:
            tried += check(name, range(seed, seed + 5), die=True)
        seed += 5
    print(f"{tried} schedules from seed {FIRST}")
