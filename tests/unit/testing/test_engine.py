"""The engine of the testing kit."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from pathlib import Path

import pytest

from whimbrel.model import codec
from whimbrel.model.run import Phase, RunOptions
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.fixtures import make_whimbrel_engine, whimbrel_engine
from whimbrel.testing.resuming import for_each_write
from whimbrel.testing.world import EPOCH, Stuck

from .flows import (
    CLEANED,
    a_day,
    add_one,
    cleans_up,
    draws,
    for_ever,
    inner,
    outer,
    own_loop,
    slow,
    thread_calls_back,
    times_out,
    too_slow,
    twice_twice,
)

__all__ = ["make_whimbrel_engine", "whimbrel_engine"]


def test_the_fixtures(whimbrel_engine: TestEngine, make_whimbrel_engine: type[TestEngine]) -> None:
    assert whimbrel_engine.run(add_one, 1) == 2
    assert make_whimbrel_engine(seed=3).run(add_one, x=1) == 2


def test_what_a_run_leaves() -> None:
    engine = TestEngine()
    assert engine.run(outer, x=1) == 5
    assert engine.phase is Phase.SUCCEEDED
    assert engine.result() == 5
    assert engine.executions == {"add_one": 4}
    assert engine.executed[0].path == "n0/1"
    assert {"n0", "n0/1", "n0/2", "n0/2/n0", "n0/3", "n0/3/1"} <= engine.tree.nodes.keys()
    assert engine.run(outer, x=2) == 6
    assert engine.run_id == "run2"


def test_time_is_skipped() -> None:
    engine = TestEngine()
    began = time.monotonic()
    assert 25 * 3600 <= engine.run(a_day, x=1) < 25 * 3600 + 1
    assert time.monotonic() - began < 60
    assert engine.world.clock() - EPOCH >= 25 * 3600
    assert engine.run(times_out, x=1) == "timed out"
    with pytest.raises(TimeoutError):
        engine.run(too_slow, x=1)


def test_time_is_not_skipped() -> None:
    engine = TestEngine(skip_time=False)
    assert engine.run(outer, x=1) == 5
    assert engine.executions == {"add_one": 4}
    mock = engine.mock(slow, returns=4)
    assert engine.run(slow, x=1) == 4
    assert mock.call_count == 1


@pytest.mark.parametrize("seed", [None, 1, 2])
def test_a_run_is_a_function_of_its_seed(seed: int | None) -> None:
    logs = set()
    for _ in range(3):
        engine = TestEngine(seed=seed)
        engine.run(draws, x=1)
        engine.run(outer, x=1)
        logs.add(codec.encode(engine.events))
    assert len(logs) == 1


def test_seeds_differ() -> None:
    assert len({TestEngine(seed=seed).run(draws, x=1) for seed in range(5)}) == 5


def test_a_task_may_run_a_loop_of_its_own() -> None:
    assert TestEngine().run(own_loop, x=3) == 3


def test_a_thread_of_a_body_may_make_calls() -> None:
    assert TestEngine().run(thread_calls_back, x=3) == 4


def test_inside_a_running_loop() -> None:
    async def main() -> int:
        value: int = TestEngine().run(outer, x=1)
        return value

    assert asyncio.run(main()) == 5


def test_what_would_wait_for_ever_is_stuck() -> None:
    with pytest.raises(Stuck, match="nothing will bring"):
        TestEngine().run(for_ever, x=1)


def test_a_death_runs_no_clean_up() -> None:
    CLEANED.clear()
    engine = TestEngine()
    engine.crash_at(2)
    with pytest.raises(SimulatedCrash, match="before write 2"):
        engine.run(cleans_up, x=1)
    assert CLEANED == []
    assert not engine.ended
    assert engine.resume() == 2
    assert CLEANED == [1]


def test_a_death_after_the_last_write() -> None:
    engine = TestEngine()
    engine.run(outer, x=1)
    engine.crash_at(engine.writes, before=False)
    with pytest.raises(SimulatedCrash):
        engine.run(outer, x=1)
    assert engine.ended
    assert engine.result() == 5


def test_a_program_that_does_not_survive_is_found() -> None:
    """One that counts in the process, and not in the run."""
    assert for_each_write(inner, {"x": 1}).crashes

    def forgetful(**options: object) -> TestEngine:
        engine = TestEngine(**options)  # type: ignore[arg-type]
        engine.mock(add_one, side_effect=lambda x: len(engine.executed))
        return engine

    with pytest.raises(AssertionError) as caught:
        for_each_write(twice_twice, {"x": 1}, make=forgetful)
    assert "it ended otherwise" in str(caught.value)
    assert "the engine died" in "".join(caught.value.__notes__)


def test_a_bug_in_replaying_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The laws are no decoration: what is executed twice is told."""
    monkeypatch.setattr("whimbrel.durable.journal.Feed.claim", lambda _self, _place: None)
    monkeypatch.setattr("whimbrel.durable.scope.Scope.next_call", _names_that_move())
    with pytest.raises(AssertionError):
        for_each_write(outer, {"x": 1})


def _names_that_move() -> object:
    count = iter(range(10_000))
    return lambda _self, _pin=None: str(next(count))


def test_the_options_of_the_run() -> None:
    engine = TestEngine(options=RunOptions(environment={"WHIMBREL_TEST": "1"}))
    engine.run(add_one, x=1)
    assert engine.tree.options.environment == {"WHIMBREL_TEST": "1"}


def test_importing_whimbrel_does_not_import_the_kit() -> None:
    code = "import sys, whimbrel; sys.exit(any(name.startswith('whimbrel.testing') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False, cwd=Path(__file__).parent).returncode == 0
