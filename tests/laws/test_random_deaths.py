"""Law: two chains of unequal speeds, killed again and again at random points of one run, come out right; and calls that
sample keep their answers, each in its own branch."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from whimbrel.model.run import Done, Phase
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import check_history

from .chains import race_of_chains, sampled_chains


def killed_often(engine: TestEngine, entity: object, deaths: int, rng: random.Random, **inputs: int) -> tuple[str, int]:
    """Kill the engine at random writes until the run has ended; its value, and how often it died."""
    died = 0
    engine.crash_at(rng.randrange(2, 5), before=rng.random() < 0.5)
    start = engine.run
    while True:
        done = finished(engine) if died else {}
        executed = len(engine.executed)
        try:
            value = engine.resume() if died else start(entity, **inputs)
        except SimulatedCrash:
            died += 1
            again = {execution.path for execution in engine.executed[executed:]} & done.keys()
            assert not again, f"executed again after it had ended: {again}"
            now = finished(engine)
            assert all(now[path] == outcome for path, outcome in done.items()), "an outcome has changed"
            if died < deaths:
                engine.crash_at(rng.randrange(2, 5), before=rng.random() < 0.5)
        else:
            return value, died


def finished(engine: TestEngine) -> dict[str, object]:
    """What has ended well in the store, with its outputs."""
    return {path: Done(node.outputs) for path, node in engine.tree.nodes.items() if node.phase is Phase.SUCCEEDED}


@pytest.mark.parametrize("seed", range(4))
def test_a_hundred_deaths_in_one_run(seed: int) -> None:
    engine = TestEngine(seed=seed)
    value, died = killed_often(engine, race_of_chains, 100, random.Random(seed), slow=60, fast=90)
    assert died == 100
    assert value == "60 90"
    check_history(engine)
    counted = Counter(path for path, node in engine.tree.nodes.items() if node.phase is Phase.SUCCEEDED)
    assert sum(1 for path in counted if path.count(":")) == 150


@pytest.mark.parametrize("seed", range(10))
def test_identical_samples_never_swap(seed: int) -> None:
    engine = TestEngine(seed=seed)
    value, died = killed_often(engine, sampled_chains, 20, random.Random(seed), branches=4, rounds=6)
    assert died == 20
    assert value == "every branch kept its own"
    check_history(engine)
