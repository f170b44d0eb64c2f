"""The tables, and the diagram that is made of them."""

from whimbrel.engine.table import NODE, RUN, Trigger, mermaid
from whimbrel.model.run import Phase


def test_nothing_leaves_an_end() -> None:
    for table in (NODE, RUN):
        assert not [before for before, _ in table if before.terminal]


def test_every_phase_of_a_table_can_end() -> None:
    for table in (NODE, RUN):
        ending = {phase for phase in table.values() if phase.terminal}
        while True:
            more = {before for (before, _), after in table.items() if after in ending} - ending
            if not more:
                break
            ending |= more
        assert {before for before, _ in table} <= ending


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
