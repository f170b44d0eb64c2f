"""Law: the row of a run says of it what its nodes do, after every event of random programs; and changes no more often
than what it says."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.laws.engine_programs import Shape
from tests.laws.test_engine_laws import CALM, ROUGH, world
from whimbrel.controlplane.loop import stated
from whimbrel.engine.gates import awaited_type
from whimbrel.engine.nodes import Kind, Stage
from whimbrel.engine.run import Run
from whimbrel.model.run import Phase, RunQuery, RunSummary

asked = 0


@settings(max_examples=150)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 6), rough=st.booleans())
def test_rows_agree_with_nodes(seed: int, size: int, rough: bool) -> None:
    shape = Shape(size=size, gates=0.5, eager=0.3, brackets=0.2, maps=0.2, dynamic=0.2)
    played = world(seed, shape, ROUGH if rough else CALM)
    played.play()
    run = Run(keep_story=False)
    row = RunSummary("r", "main", Phase.UNDEFINED, 0.0)
    for event in played.log:
        run.handle(event)
        before, row = row, stated(row, run, event.at)
        nodes = list(run.nodes.values())
        gates = [node for node in nodes if node.kind is Kind.GATE and node.stage is Stage.GATE]
        waiting = [gate for gate in gates if awaited_type(gate) is not None]
        assert row.waiting == len(waiting)
        assert (row.waiting > 0) is RunQuery(phases=(Phase.PAUSED,)).takes(row)
        assert row.waiting == 0 or row.message.startswith("waits for an answer") or run.failure is not None
        assert row.phase is run.phase
        if row is not before:
            assert (row.nodes, row.done) == (len(nodes), sum(node.phase.terminal for node in nodes))
        global asked
        asked += row.waiting
    assert row.phase.terminal
    assert (row.waiting, row.nodes) == (0, row.done)


def test_the_programs_are_worth_it() -> None:
    test_rows_agree_with_nodes()
    assert asked > 50
