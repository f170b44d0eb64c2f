"""Runs that take outcomes of another run: who takes which, and what is computed anew."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.unit.engine.playing import ONE, X, attempt, eager, graph, node, out, program, task
from whimbrel.engine.run import Run
from whimbrel.errors import IllegalTransition
from whimbrel.model.attempt import AttemptFault, BeginCall, Deliver, FinishCall, Launch, RecordValue, Started, Succeeded
from whimbrel.model.commands import Command, EndRun
from whimbrel.model.content import inputs_digest
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import IntLiteral, Literals
from whimbrel.model.program import Graph, Node, Program, TaskSpec, WorkflowTarget
from whimbrel.model.run import Done, EntryKind, Phase, Reusable, RunOptions


def coded(spec: TaskSpec, code: str = "c1") -> TaskSpec:
    return replace(spec, code_digest=code)


T = coded(task())
E = coded(eager())


def had(
    path: str, value: int | None = 2, *, entity: str = "t", inputs: Literals = ONE, code: str = "c1", **more: Any
) -> Reusable:
    outputs = None if value is None else out(value)
    return Reusable(entity, code, inputs_digest(inputs, {}), outputs, "old", path, **more)


class Again:
    """A run of ``w`` that is given outcomes."""

    def __init__(self, whole: Program, *reuse: Reusable, moved: bool = False, inputs: Literals = ONE) -> None:
        self.run = Run()
        self.log: list[Event] = []
        self.asked: list[Command] = []
        self.launches: list[str] = []
        self.post(RunRequested("r", "w", whole, inputs, RunOptions(), 10.0, reuse, "old", moved))

    def post(self, event: Event) -> list[Command]:
        self.asked = self.run.handle(event)
        self.log.append(event)
        self.launches += [command.attempt.path for command in self.asked if isinstance(command, Launch)]
        self.run.check_invariants()
        assert Run.replay(self.log).snapshot() == self.run.snapshot()
        return self.asked

    def succeeded(self, path: str, value: int = 2) -> None:
        self.post(Succeeded(attempt(path), out(value), 20.0))

    def failed(self, path: str) -> None:
        self.post(AttemptFault(attempt(path), Failure(Fault.USER, "boom"), 20.0))

    def call(self, key: str, entity: str = "t", *, parent: str = "n0", inputs: Literals = ONE, **more: Any) -> None:
        said = {"workflow": False, "digest": f"{entity} {inputs}", **more}
        self.post(BeginCall(attempt("n0"), parent, key, entity, inputs=inputs, at=21.0, **said))

    def recovered(self) -> dict[str, str]:
        return {path: node.recovered_from for path, node in self.run.nodes.items() if node.phase is Phase.RECOVERED}

    def driver(self) -> Launch:
        (found,) = [command for command in self.asked if isinstance(command, Launch)]
        return found


def chain(*ids: str) -> Graph:
    return graph(*(node(id, above=ids[at - 1 : at] if at else ()) for at, id in enumerate(ids)))


# --- graphs


def test_what_had_succeeded_is_not_launched() -> None:
    again = Again(program(T, chain("n0", "n1", "n2")), had("n0", 2), had("n1", 3, inputs=input_of(2)))
    assert again.recovered() == {"n0": "old/n0", "n1": "old/n1"}
    assert again.launches == ["n2"]
    assert again.run.nodes["n2"].inputs == input_of(3)
    assert "as n0 of run old" in "\n".join(again.run.story("n0"))
    again.succeeded("n2", 9)
    assert again.run.outputs == out(9)


def input_of(value: int) -> Literals:
    return {"x": IntLiteral(value)}


def test_a_run_in_which_all_is_there_ends_at_once() -> None:
    again = Again(program(T, chain("n0")), had("n0", 5))
    assert again.launches == []
    assert [type(command) for command in again.asked] == [EndRun]
    assert again.run.phase is Phase.SUCCEEDED
    assert again.run.outputs == out(5)


@pytest.mark.parametrize(
    "row",
    [
        had("n0", code="other"),
        had("n0", inputs=input_of(7)),
        had("n0", entity="u"),
        had("n0", None),
        had("n9"),
    ],
    ids=["other code", "other inputs", "another task", "it had failed", "another place"],
)
def test_what_is_not_equal_is_launched(row: Reusable) -> None:
    assert Again(program(T, chain("n0")), row).launches == ["n0"]


def test_code_that_is_not_known_is_never_equal() -> None:
    assert Again(program(coded(task(), ""), chain("n0")), had("n0", code="")).launches == ["n0"]


def test_below_what_was_computed_anew_everything_is() -> None:
    """Though the inputs are equal in the end: order may stand for effects."""
    rows = (had("n1", 3, inputs=input_of(2)), had("n2", 4, inputs=input_of(3)), had("m", 6))
    w = graph(node("n0"), node("n1", above=("n0",)), node("n2", above=("n1",)), node("m"))
    again = Again(program(T, w), *rows)
    assert again.recovered() == {"m": "old/m"}
    again.succeeded("n0", 2)
    again.succeeded("n1", 3)
    assert again.launches == ["n0", "n1", "n2"]


def test_order_alone_is_enough() -> None:
    w = graph(node("n0"), node("n1", above=("n0",), x=X))
    again = Again(program(T, w), had("n1"))
    again.succeeded("n0")
    assert again.launches == ["n0", "n1"]


def test_equal_calls_take_their_own_outcomes() -> None:
    """The second of three equal samples had failed: it is drawn again, and nobody's place is taken."""
    w = graph(node("n0"), node("n1"), node("n2"))
    for moved in (False, True):
        again = Again(program(T, w), had("n0", 10), had("n1", None), had("n2", 30), moved=moved)
        assert again.recovered() == {"n0": "old/n0", "n2": "old/n2"}
        assert [again.run.nodes[id].outputs for id in ("n0", "n2")] == [out(10), out(30)]
        assert again.launches == ["n1"]


def test_where_places_have_moved_equal_calls_are_given_in_order_and_once() -> None:
    w = graph(node("a"), node("b"), node("c"))
    again = Again(program(T, w), had("n0", 10), had("n1", 20), moved=True)
    assert again.recovered() == {"a": "old/n0", "b": "old/n1"}
    assert again.launches == ["c"]


def test_a_sub_workflow_is_taken_whole_or_by_its_parts() -> None:
    inner = replace(chain("n0", "n1"), name="inner")
    w = graph(Node("s", WorkflowTarget("inner"), {"x": X}))
    whole = program(T, inner, w)
    probe = Run()
    probe.handle(RunRequested("r", "w", whole, ONE, RunOptions(), 1.0))
    code = probe._machine.code_of(probe.nodes["s"])
    again = Again(whole, had("s", 9, entity="inner", code=code))
    assert again.recovered() == {"s": "old/s"}
    assert again.run.outputs == out(9)
    again = Again(whole, had("s", 9, entity="inner", code="other"), had("s/n0", 3))
    assert again.recovered() == {"s/n0": "old/s/n0"}
    assert again.launches == ["s/n1"]


def test_the_code_of_a_workflow_is_that_of_all_it_runs() -> None:
    def code(*entities: TaskSpec | Graph) -> str:
        run = Run()
        run.handle(RunRequested("r", "w", program(*entities), ONE, RunOptions(), 1.0))
        return run._machine.code_of(run.nodes["s"])

    w = graph(Node("s", WorkflowTarget("inner"), {"x": X}))
    inner = replace(chain("n0"), name="inner")
    first = code(T, inner, w)
    assert code(T, replace(inner, doc="words"), w) == first != ""
    assert code(coded(task(), "c2"), inner, w) != first
    assert code(T, replace(chain("n0", "n1"), name="inner"), w) != first
    assert code(coded(task(), ""), inner, w) == ""


# --- eager bodies


def body(*rows: Reusable, moved: bool = False) -> Again:
    again = Again(program(E, T, graph(node("n0", "e"))), *rows, moved=moved)
    again.post(Started(attempt("n0"), "w1", 11.0))
    return again


def call_row(key: str, value: int | None, **more: Any) -> Reusable:
    return had(f"n0/{key}", value, parent="n0", key=key, **more)


def test_calls_take_outcomes_and_the_body_hears_at_once() -> None:
    again = body(call_row("1", 7))
    again.call("1")
    (delivered,) = [command for command in again.asked if isinstance(command, Deliver)]
    assert delivered.entries[0].outcome == Done(out(7))
    again.call("2")
    assert again.launches == ["n0", "n0/2"]
    assert again.recovered() == {"n0/1": "old/n0/1"}


def test_a_call_elsewhere_takes_one_only_where_the_body_may_have_changed() -> None:
    for moved in (False, True):
        again = body(call_row("1", 7), moved=moved)
        again.call("5")
        assert (again.recovered() == {"n0/5": "old/n0/1"}) is moved


def test_equal_samples_never_collapse() -> None:
    again = body(call_row("1", 7), call_row("2", 8), moved=True)
    for key in ("2", "1", "3"):
        again.call(key)
    assert again.recovered() == {"n0/1": "old/n0/1", "n0/2": "old/n0/2"}
    assert again.launches == ["n0", "n0/3"]


def test_what_comes_after_a_call_that_ran_is_still_looked_for_by_content() -> None:
    again = body(call_row("2", 8))
    again.call("1")
    again.succeeded("n0/1")
    again.call("2")
    assert again.launches == ["n0", "n0/1"]


def test_a_driver_is_told_what_it_may_take_by_itself() -> None:
    drawn = Reusable("", "", "", {"o0": IntLiteral(4)}, "old", "n0", "n0", "v1", EntryKind.VALUE)
    nested = call_row("3", 9, entity="e", eager=True)
    other = replace(drawn, parent="n1")
    again = Again(program(E, T, graph(node("n0", "e"))), call_row("1", 7), nested, drawn, other)
    assert again.driver().reuse == (nested, drawn)
    again.post(Started(attempt("n0"), "w1", 11.0))
    again.call("3", "e", inline=True, recover="old/n0/3")
    assert again.recovered() == {"n0/3": "old/n0/3"}
    assert again.run.nodes["n0/3"].children == ()
    again.post(RecordValue(attempt("n0"), "n0", "v1", IntLiteral(4), 22.0))
    again.call("4", "e", inline=True)
    again.post(FinishCall(attempt("n0"), "n0", "4", Done(out(1)), 23.0))
    again.succeeded("n0")
    assert again.run.phase is Phase.SUCCEEDED


def test_a_driver_cannot_take_what_is_not_there() -> None:
    again = body(call_row("1", 7))
    with pytest.raises(IllegalTransition, match="of which nothing is known"):
        again.call("3", "e", inline=True, recover="old/n0/3")


def test_a_body_with_equal_code_and_inputs_is_not_run() -> None:
    again = Again(program(E, T, graph(node("n0", "e"))), had("n0", 5, entity="e", eager=True))
    assert again.launches == []
    assert again.run.outputs == out(5)
