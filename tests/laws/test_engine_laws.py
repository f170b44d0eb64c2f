"""Laws of the engine: random programs in a simulated world, against a plain interpretation."""

from __future__ import annotations

import random

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.laws.engine_bodies import EagerOracle
from tests.laws.engine_programs import Shape, Stopped, compute, draw_program
from tests.laws.engine_world import Weather, World
from whimbrel.engine.nodes import Kind
from whimbrel.engine.run import Run
from whimbrel.model.events import AbortRequested, CleanupDue
from whimbrel.model.literals import IntLiteral, Literals, MapLiteral, UnionLiteral
from whimbrel.model.program import FailurePolicy
from whimbrel.model.run import Phase, RunOptions

INPUTS: Literals = {"a": IntLiteral(3), "b": IntLiteral(4)}

CALM = Weather()
ROUGH = Weather(faults=0.2, losses=0.1, repeats=0.1, crashes=0.02, parks=0.1)
CRUEL = Weather(faults=0.3, losses=0.3, repeats=0.1, crashes=0.02, aborts=0.005, parks=0.1, merciful=False)

seeds = st.integers(0, 2**32 - 1)


def world(seed: int, shape: Shape, weather: Weather, parallel: int = 0) -> World:
    rng = random.Random(seed)
    program = draw_program(rng, shape)
    options = RunOptions(max_parallelism=parallel, system_retries=rng.randint(0, 3))
    return World(program, INPUTS, rng, weather, options)


def check_against_oracle(played: World) -> None:
    """What ran gave what plain Python gives; the run succeeded if nothing in it had to fail."""
    try:
        outputs = EagerOracle(played.program).workflow("main", INPUTS)
    except Stopped:
        assert played.run.phase is Phase.FAILED
        assert played.run.failure is not None
        assert played.run.nodes[played.run.failure.node].phase in (Phase.FAILED, Phase.TIMED_OUT)
    else:
        assert played.run.failure is None
        assert played.run.phase is Phase.SUCCEEDED
        assert played.run.outputs == outputs


def check_nodes(played: World) -> None:
    """Every task that succeeded gave what it gives."""
    for node in played.run.nodes.values():
        if node.kind is Kind.TASK and node.phase is Phase.SUCCEEDED and not node.cached:
            assert node.outputs == compute(node.entity, node.inputs)


def check_replay(played: World) -> None:
    """Every prefix of the log leads to the same bytes as it did live."""
    again = Run(keep_story=False)
    for event, snapshot in zip(played.log, played.snapshots, strict=True):
        again.handle(event)
        assert again.snapshot() == snapshot


@given(seed=seeds, size=st.integers(0, 8), parallel=st.integers(0, 3))
def test_a_run_gives_what_plain_python_gives(seed: int, size: int, parallel: int) -> None:
    played = world(seed, Shape(size=size), CALM, parallel)
    played.play()
    check_against_oracle(played)
    check_nodes(played)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(1, 7), parallel=st.integers(0, 3))
def test_faults_losses_repeats_and_crashes_change_no_result(seed: int, size: int, parallel: int) -> None:
    played = world(seed, Shape(size=size, cache=0.3, timeouts=0.3), ROUGH, parallel)
    played.play()
    check_against_oracle(played)
    check_nodes(played)
    check_replay(played)


@settings(max_examples=200)
@given(seed=seeds, size=st.integers(1, 6), parallel=st.integers(0, 3))
def test_what_must_fail_fails_and_nothing_else_does(seed: int, size: int, parallel: int) -> None:
    played = world(seed, Shape(size=size, poison=0.3, cache=0.2), ROUGH, parallel)
    played.play()
    check_against_oracle(played)
    check_nodes(played)
    check_replay(played)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(1, 5), parallel=st.integers(0, 3))
def test_eager_bodies_give_what_plain_python_gives(seed: int, size: int, parallel: int) -> None:
    played = world(seed, Shape(size=size, depth=1, eager=1.0, cache=0.2, timeouts=0.2), ROUGH, parallel)
    played.play()
    check_against_oracle(played)
    check_nodes(played)
    check_replay(played)


@settings(max_examples=200)
@given(seed=seeds, size=st.integers(1, 5))
def test_eager_bodies_that_fail(seed: int, size: int) -> None:
    played = world(seed, Shape(size=size, depth=1, eager=1.0, poison=0.3), ROUGH)
    played.play()
    check_against_oracle(played)
    check_nodes(played)
    check_replay(played)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(1, 7), parallel=st.integers(0, 3))
def test_whatever_happens_the_run_ends_and_replays(seed: int, size: int, parallel: int) -> None:
    shape = Shape(size=size, poison=0.1, eager=0.5, cache=0.3, timeouts=0.3)
    played = world(seed, shape, CRUEL, parallel)
    played.play()
    check_nodes(played)
    check_replay(played)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(1, 5), parallel=st.integers(0, 3))
def test_maps_and_dynamic_nodes_give_what_plain_python_gives(seed: int, size: int, parallel: int) -> None:
    shape = Shape(
        size=size, depth=1, maps=0.4, dynamic=0.7, eager=0.3, poison=0.1, cache=0.2, timeouts=0.2, brackets=0.2
    )
    played = world(seed, shape, ROUGH, parallel)
    played.play()
    check_against_oracle(played)
    check_nodes(played)
    check_brackets(played, forced=False)
    check_replay(played)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(1, 5), parallel=st.integers(0, 3))
def test_maps_and_dynamic_nodes_end_and_replay_whatever_happens(seed: int, size: int, parallel: int) -> None:
    shape = Shape(
        size=size, depth=1, maps=0.4, dynamic=0.7, eager=0.5, poison=0.1, cache=0.3, timeouts=0.3, brackets=0.3
    )
    played = world(seed, shape, CRUEL, parallel)
    played.play()
    check_nodes(played)
    check_replay(played)


ANSWERED = Weather(faults=0.2, losses=0.1, repeats=0.1, crashes=0.03, parks=0.1, signals=0.05)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(1, 7), parallel=st.integers(0, 3))
def test_it_does_not_matter_when_gates_are_answered(seed: int, size: int, parallel: int) -> None:
    """Early, late, twice, by name or by path, by something else first; parked and crashed meanwhile."""
    shape = Shape(size=size, gates=0.4, eager=0.5, cache=0.2, brackets=0.2, maps=0.1, dynamic=0.2)
    played = world(seed, shape, ANSWERED, parallel)
    played.play()
    check_against_oracle(played)
    check_nodes(played)
    check_brackets(played, forced=False)
    check_replay(played)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(1, 7), parallel=st.integers(0, 3))
def test_runs_with_gates_end_and_replay_whatever_happens(seed: int, size: int, parallel: int) -> None:
    weather = Weather(
        faults=0.3, losses=0.3, repeats=0.1, crashes=0.03, aborts=0.01, parks=0.1, signals=0.1, merciful=False
    )
    shape = Shape(size=size, gates=0.4, eager=0.5, poison=0.1, timeouts=0.5, brackets=0.3, handlers=0.3, maps=0.1)
    played = world(seed, shape, weather, parallel)
    played.play()
    check_nodes(played)
    check_replay(played)


def check_brackets(played: World, *, forced: bool) -> None:
    """A teardown ran, to one end, if and only if its setup was launched. ``forced``: unless time ran out."""
    for node in played.run.nodes.values():
        if node.closes is None or node.closes.setup is None:
            continue
        succeeded = [attempt for attempt in node.attempts if attempt.phase is Phase.SUCCEEDED]
        assert len(succeeded) <= 1
        if node.closes.setup.begun:
            ends = (Phase.SUCCEEDED, Phase.FAILED, Phase.TIMED_OUT, *((Phase.ABORTED,) if forced else ()))
            assert node.phase in ends, f"{node.path} {node.phase}\n" + "\n".join(played.run.story())
            assert forced or node.attempts or node.cached
        else:
            assert not node.attempts
            assert node.phase in (Phase.SKIPPED, Phase.ABORTED)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(0, 7), parallel=st.integers(0, 3))
def test_brackets_give_what_plain_python_gives(seed: int, size: int, parallel: int) -> None:
    played = world(seed, Shape(size=size, poison=0.1, brackets=0.7, timeouts=0.3, eager=0.3), ROUGH, parallel)
    played.play()
    check_against_oracle(played)
    check_nodes(played)
    check_brackets(played, forced=False)
    check_replay(played)


@settings(max_examples=400)
@given(seed=seeds, size=st.integers(0, 7), parallel=st.integers(0, 3), impatience=st.sampled_from([0.0, 0.2]))
def test_teardowns_run_whatever_happens(seed: int, size: int, parallel: int, impatience: float) -> None:
    weather = Weather(
        faults=0.3, losses=0.2, repeats=0.1, crashes=0.02, aborts=0.01, impatience=impatience, merciful=False
    )
    shape = Shape(size=size, poison=0.1, eager=0.4, timeouts=0.3, brackets=0.7, cache=0.1)
    played = world(seed, shape, weather, parallel)
    played.play()
    aborts = sum(isinstance(event, AbortRequested) for event in played.log)
    check_nodes(played)
    check_brackets(played, forced=aborts > 1 or any(isinstance(event, CleanupDue) for event in played.log))
    check_replay(played)


def check_handlers(played: World, *, forced: bool) -> None:
    """A failure node ran, to one end, if and only if its workflow had begun and did not succeed, and was told why.
    ``forced``: unless time ran out. (That nothing else is at work then, the world and the invariants say.)"""
    for node in played.run.nodes.values():
        if node.closes is None or node.closes.setup is not None:
            continue
        assert node.scope is not None
        owner = node.scope.owner
        well = (played.run.phase if owner is None else owner.phase).has_outputs
        if well:
            assert not node.attempts
            assert node.phase is Phase.SKIPPED
            continue
        ends = (Phase.SUCCEEDED, Phase.FAILED, Phase.TIMED_OUT, *((Phase.ABORTED,) if forced else ()))
        assert node.phase in ends, f"{node.path} {node.phase}\n" + "\n".join(played.run.story())
        assert forced or node.attempts or node.cached
        if node.attempts:
            told = node.inputs["err"]
            assert isinstance(told, UnionLiteral)
            assert isinstance(told.value, MapLiteral)
        if node.phase is Phase.FAILED and not forced:
            failure = played.run.failure if owner is None else owner.failure
            assert failure is not None
            assert any(f"the failure node {node.path} failed too" in note for note in failure.notes)


@settings(max_examples=300)
@given(seed=seeds, size=st.integers(0, 7), parallel=st.integers(0, 3))
def test_failure_nodes_change_no_result(seed: int, size: int, parallel: int) -> None:
    shape = Shape(size=size, poison=0.15, handlers=0.8, brackets=0.3, timeouts=0.3, eager=0.3)
    played = world(seed, shape, ROUGH, parallel)
    played.play()
    check_against_oracle(played)
    check_nodes(played)
    check_brackets(played, forced=False)
    check_handlers(played, forced=False)
    check_replay(played)


@settings(max_examples=400)
@given(seed=seeds, size=st.integers(0, 7), parallel=st.integers(0, 3), impatience=st.sampled_from([0.0, 0.2]))
def test_failure_nodes_run_whatever_happens(seed: int, size: int, parallel: int, impatience: float) -> None:
    weather = Weather(
        faults=0.3, losses=0.2, repeats=0.1, crashes=0.02, aborts=0.01, impatience=impatience, merciful=False
    )
    shape = Shape(size=size, poison=0.1, eager=0.4, timeouts=0.3, brackets=0.4, handlers=0.8, cache=0.1)
    played = world(seed, shape, weather, parallel)
    played.play()
    aborts = sum(isinstance(event, AbortRequested) for event in played.log)
    forced = aborts > 1 or any(isinstance(event, CleanupDue) for event in played.log)
    check_nodes(played)
    check_brackets(played, forced=forced)
    check_handlers(played, forced=forced)
    check_replay(played)


@given(seed=seeds)
@example(seed=0)
def test_the_rest_goes_on_when_the_policy_says_so(seed: int) -> None:
    shape = Shape(size=8, depth=0, poison=0.4, policy=FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
    played = world(seed, shape, CALM)
    played.play()
    graph = played.program.workflows["main"]
    for node in graph.nodes:
        phase = played.run.nodes[node.id].phase
        above = [played.run.nodes[id].phase for id in node.upstream]
        if all(one is Phase.SUCCEEDED for one in above):
            assert phase in (Phase.SUCCEEDED, Phase.FAILED)
        else:
            assert phase is Phase.SKIPPED
