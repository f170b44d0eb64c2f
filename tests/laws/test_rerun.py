"""Law: a run that recovers another, wherever that one stopped, ends as it would have ended, executes nothing that had
finished, replays to the byte, and survives a death at every write of its own."""

from __future__ import annotations

from typing import Any

import pytest

from whimbrel.model.run import Phase
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import Outcome, Value, check_history, for_each_write, outcome_of

from .corpus import SAMPLES

STOPS = 6
"""Places at which the first run of a sample is stopped, spread over its writes."""


# It measures how long it slept. Values that were drawn (when it began) come out as before; timers wait again.
TIMED = {"eager_sleeps"}


def stopped(engine: TestEngine, name: str, write: int) -> bool:
    """Whether a run of the sample was stopped before that write."""
    sample = SAMPLES[name]
    engine.crash_at(write)
    try:
        outcome_of(lambda: engine.run(sample.entity, **sample.inputs))
    except SimulatedCrash:
        return True
    return False


def undisturbed(name: str) -> tuple[Outcome, int]:
    sample = SAMPLES[name]
    engine = TestEngine()
    return outcome_of(lambda: engine.run(sample.entity, **sample.inputs)), engine.writes


@pytest.mark.parametrize("moved", [False, True], ids=["recover", "fork"])
@pytest.mark.parametrize("name", SAMPLES)
def test_what_had_finished_is_taken_and_the_end_is_the_same(name: str, moved: bool) -> None:
    wanted, writes = undisturbed(name)
    for write in range(2, writes + 1, max(1, writes // STOPS)):
        engine = TestEngine()
        if not stopped(engine, name, write):
            continue
        old = engine.tree
        # Brackets are opened and closed again where something inside runs; those of bodies always are.
        done = {
            path
            for path, node in old.nodes.items()
            if node.phase.has_outputs and not (node.opens or node.closes or node.metadata.shielded)
        }
        executed = len(engine.executed)
        found = outcome_of(lambda engine=engine: engine.rerun(moved=moved))  # type: ignore[misc]
        if not SAMPLES[name].racy and name not in TIMED:
            assert found == wanted, f"stopped before write {write}"
        again = sorted(done & {execution.path for execution in engine.executed[executed:]})
        assert SAMPLES[name].racy or not again, f"stopped before write {write}: executed again: {again}"
        check_history(engine)
        assert engine.tree.recovered_from == old.id


class Recovering(TestEngine):
    """Its runs recover one that was stopped halfway."""

    __test__ = False
    sample = ""
    halfway = 2

    def run(self, entity: Any, /, *args: Any, **inputs: Any) -> Any:
        """Stop one run, then recover it; deaths are those of the second."""
        planned, self._crash = self._crash, (self.halfway, True)
        try:
            super().run(entity, *args, **inputs)
        except SimulatedCrash:
            self.executed.clear()
        else:
            raise AssertionError("the first run was to be stopped")
        self._crash = planned
        return self.rerun()


@pytest.mark.parametrize("name", [name for name in list(SAMPLES)[::3] if not SAMPLES[name].racy and name not in TIMED])
def test_a_recovery_survives_a_death_at_every_write(name: str) -> None:
    sample = SAMPLES[name]
    _, writes = undisturbed(name)

    def make(**options: Any) -> TestEngine:
        engine = Recovering(**options)
        engine.halfway = max(2, writes // 2)
        return engine

    for_each_write(sample.entity, sample.inputs, make=make, expected=sample.expected)


@pytest.mark.parametrize("name", [name for name in SAMPLES if not SAMPLES[name].racy])
def test_a_fork_of_a_run_that_succeeded_executes_nothing(name: str) -> None:
    sample = SAMPLES[name]
    engine = TestEngine()
    first = engine.run(sample.entity, **sample.inputs)
    executed = len(engine.executed)
    assert engine.rerun(moved=True) == first
    again = [execution.path for execution in engine.executed[executed:]]
    assert [path for path in again if not engine.tree.nodes[path].metadata.shielded] == []
    assert engine.phase is Phase.SUCCEEDED
    assert Value(first) == undisturbed(name)[0]
