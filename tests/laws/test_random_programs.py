"""Law: a random program ends under the engine as it does in plain asyncio; also when its driver is replaced at every
await, and, where no clock decides, in any order and after any death."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import check_history, for_each_seed, for_each_write

from .random_programs import STRETCH, Tree, calm, interpret, kinds, oracle, trees

# Each example is several runs; the profile says how many there are (`make laws` explores).
lawful = settings(
    max_examples=settings().max_examples // 2,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


@lawful
@given(trees)
def test_as_in_plain_asyncio(tree: Tree) -> None:
    expected = oracle(tree)
    assume(expected == oracle(tree, STRETCH) == oracle(tree, -STRETCH))
    for always_replay in (False, True):
        engine = TestEngine(always_replay=always_replay)
        found = engine.run(interpret, program=json.dumps(tree))
        assert found == expected
        check_history(engine)


@lawful
@given(trees.filter(calm), st.integers(1, 1_000_000))
def test_in_any_order_and_after_any_death(tree: Tree, seed: int) -> None:
    proof = for_each_seed(
        interpret, {"program": json.dumps(tree)}, seeds=[seed, seed + 1, seed + 2], expected=oracle(tree), die=True
    )
    assert proof.schedules == 3


@lawful
@given(trees.filter(lambda tree: not calm(tree)), st.integers(1, 1_000_000))
def test_what_a_clock_decides_is_decided_once(tree: Tree, seed: int) -> None:
    """After a death a race may have another winner, but never two: the journal gives back what was returned."""
    proof = for_each_write(
        interpret, {"program": json.dumps(tree)}, racy=True, seed=seed, latency=0.3, only=[1 + seed % 7, 1 + seed % 11]
    )
    assert proof.writes


def test_the_programs_are_worth_it() -> None:
    """Every kind of step occurs, and some programs are deep."""
    seen: set[str] = set()
    longest = 0

    @settings(max_examples=300, suppress_health_check=list(HealthCheck))
    @given(trees)
    def look(tree: Tree) -> None:
        nonlocal longest
        seen.update(kinds(tree))
        longest = max(longest, len(json.dumps(tree)))

    look()
    assert len(seen) == 19
    assert longest > 300
