"""The tables, and the diagram that is made of them."""

from pathlib import Path

import pytest

from whimbrel.engine import table
from whimbrel.engine.machine import Machine
from whimbrel.engine.nodes import Kind, NodeState
from whimbrel.engine.table import NODE, RUN, Trigger, mermaid
from whimbrel.errors import IllegalTransition
from whimbrel.model.run import Phase


def test_nothing_leaves_an_end() -> None:
    for each in (NODE, RUN):
        assert not [before for before, _ in each if before.terminal]


def test_every_phase_of_a_table_can_end() -> None:
    for each in (NODE, RUN):
        ending = {phase for phase in each.values() if phase.terminal}
        while True:
            more = {before for (before, _), after in each.items() if after in ending} - ending
            if not more:
                break
            ending |= more
        assert {before for before, _ in each} <= ending


def test_whatever_goes_on_can_be_aborted() -> None:
    assert {before for before, _ in NODE} == {before for before, trigger in NODE if trigger is Trigger.ABORT}


def test_every_trigger_is_used() -> None:
    assert {trigger for _, trigger in [*NODE, *RUN]} == set(Trigger)


def test_the_diagram_has_a_line_for_each_row() -> None:
    diagram = mermaid(RUN)
    assert diagram.startswith("stateDiagram-v2\n    [*] --> UNDEFINED\n")
    assert "    RUNNING --> ABORTING: abort\n" in diagram
    assert "    ABORTED --> [*]\n" in diagram
    assert diagram.count(" --> ") == len(RUN) + 1 + 3
    assert f"    {Phase.QUEUED} --> {Phase.RUNNING}: start" in mermaid()


def test_what_is_not_in_the_table_raises() -> None:
    machine = Machine(keep_story=True)
    with pytest.raises(IllegalTransition, match="UNDEFINED runs know no END"):
        machine.move_run(Trigger.END)
    state = NodeState("n0", "n0", Kind.TASK, "t", "t")
    with pytest.raises(IllegalTransition, match="UNDEFINED nodes know no SUCCEED"):
        machine.move(state, Trigger.SUCCEED)
    assert (machine.phase, state.phase) == (Phase.UNDEFINED, Phase.UNDEFINED)


def test_the_readme_shows_these_tables() -> None:
    readme = Path(table.__file__).with_name("README.md").read_text(encoding="utf-8")
    assert f"### Nodes\n\n```mermaid\n{mermaid(NODE)}```\n" in readme
    assert f"### Runs\n\n```mermaid\n{mermaid(RUN)}```\n" in readme
