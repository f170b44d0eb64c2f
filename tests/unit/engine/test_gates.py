"""Gates: what they wait for, who answers them, and which answers nobody can use."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.unit.engine.playing import ONE, Play, X, graph, node, out, playing_eager, program, task
from whimbrel.controlplane.rerun import reusable
from whimbrel.engine.run import Run
from whimbrel.model.attempt import CancelCall, Deliver, Parked
from whimbrel.model.commands import EndRun, SetTimer
from whimbrel.model.events import AbortRequested, GateDue, OwnerChanged, RunRequested, SignalReceived
from whimbrel.model.failure import Fault
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import DURATION, INTEGER, STRING, LiteralType
from whimbrel.model.literals import BoolLiteral, DurationLiteral, IntLiteral, Literal, StrLiteral
from whimbrel.model.program import (
    BranchCase,
    BranchTarget,
    Comparison,
    FailurePolicy,
    GateKind,
    GateTarget,
    LiteralBinding,
    Metadata,
    Node,
    PromiseBinding,
    WorkflowTarget,
)
from whimbrel.model.run import Done, Failed, Phase, RunOptions

YES, NO = BoolLiteral(True), BoolLiteral(False)
PASSES = Interface({"value": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})


def approval(name: str = "ok", timeout: float | None = None) -> GateTarget:
    return GateTarget(name, GateKind.APPROVE, PASSES, timeout)


def question(name: str = "ok", kind: LiteralType = INTEGER, timeout: float | None = None) -> GateTarget:
    return GateTarget(name, GateKind.SIGNAL, Interface({}, {"o0": Variable(kind)}), timeout)


NAP = GateTarget("nap", GateKind.SLEEP, Interface({"duration": Parameter(DURATION)}))


def asks(id: str, target: GateTarget | None = None, *above: str, **options: Any) -> Node:
    """A gate behind ``above``; an approval passes on what the first of them gives, or the workflow's input."""
    target = target or approval()
    value = PromiseBinding(above[0], "o0") if above else X
    inputs = {"value": value} if target.kind is GateKind.APPROVE else {}
    return Node(id, target, inputs, tuple(above), **options)


def naps(id: str, seconds: int, *above: str) -> Node:
    return Node(id, NAP, {"duration": LiteralBinding(DurationLiteral(0, seconds, 0))}, tuple(above))


def playing(*nodes: Node, **options: Any) -> Play:
    return Play(program(task(), graph(*nodes)), **options)


def answer(play: Play, value: Literal = YES, gate: str = "ok", by: str = "ann", id: str = "", reason: str = "") -> None:
    play.post(SignalReceived(gate, value, by, play.now, id or f"s{len(play.log)}", reason))


# --- one gate ------------------------------------------------------------------------------------


def test_an_approval_passes_its_value_on() -> None:
    play = playing(asks("n0"), node("n1", above=["n0"]))
    assert play.phases() == {"n0": "PAUSED", "n1": "UNDEFINED"}
    assert [gate.path for gate in play.run.waiting] == ["n0"]
    assert play.asked == []
    answer(play)
    assert play.node("n0").outputs == {"o0": IntLiteral(1)}
    assert play.launched()[0].path == "n1"
    assert play.run.waiting == []
    assert "approved by ann" in play.run.story("n0")[-1]


def test_a_rejection_fails_the_node_and_says_who_and_why() -> None:
    play = playing(asks("n0"))
    answer(play, NO, reason="too dear")
    failure = play.run.failure
    assert failure is not None
    assert failure.message == "the gate 'ok' was rejected by ann: too dear"
    assert (failure.fault, failure.type, failure.recoverable) == (Fault.USER, "whimbrel.errors:GateRejected", False)
    assert play.run.phase is Phase.FAILED


def test_a_signal_is_what_the_gate_gives() -> None:
    play = playing(asks("n0", question()))
    answer(play, IntLiteral(7))
    assert play.only(EndRun).outputs == out(7)


def test_a_time_over_which_nobody_answers() -> None:
    play = playing(asks("n0", question(timeout=60.0)))
    timer = play.only(SetTimer)
    assert timer.due == 70.0
    assert timer.event == GateDue("n0", 70.0)
    play.post(GateDue("n0", 70.0))
    assert play.phases() == {"n0": "TIMED_OUT"}
    assert play.run.failure is not None
    assert play.run.failure.fault is Fault.TIMEOUT
    assert "'ok' in 60 s" in play.run.failure.message


def test_an_override_of_the_timeout_wins() -> None:
    play = playing(asks("n0", question(timeout=60.0), overrides=Metadata(timeout=5.0)))
    assert play.only(SetTimer).due == 15.0


def test_a_sleep_ends_with_its_time_and_takes_no_answer() -> None:
    play = playing(naps("n0", 30), node("n1", above=["n0"], x=X))
    assert play.only(SetTimer).event == GateDue("n0", 40.0)
    assert play.phases()["n0"] == "PAUSED"
    assert play.run.waiting == []
    answer(play, gate="nap")
    assert play.phases()["n0"] == "PAUSED"
    play.post(GateDue("n0", 40.0))
    assert play.phases() == {"n0": "SUCCEEDED", "n1": "QUEUED"}


@pytest.mark.parametrize("seconds", [0, -5])
def test_no_time_to_sleep_is_no_sleep(seconds: int) -> None:
    play = playing(naps("n0", seconds), node("n1", above=["n0"], x=X))
    assert play.phases()["n0"] == "SUCCEEDED"
    assert play.every(SetTimer) == []


def test_how_long_it_sleeps_may_come_from_a_task() -> None:
    seconds = GateTarget("nap", GateKind.SLEEP, Interface({"duration": Parameter(INTEGER)}))
    play = playing(node("n0"), Node("n1", seconds, {"duration": PromiseBinding("n0", "o0")}, ("n0",)))
    play.started("n0")
    play.succeeded("n0", 90)
    assert play.only(SetTimer).due == play.run.nodes["n1"].started_at + 90.0


def test_a_duration_that_is_none_fails_the_node() -> None:
    text = GateTarget("nap", GateKind.SLEEP, Interface({"duration": Parameter(STRING)}))
    play = playing(Node("n0", text, {"duration": LiteralBinding(StrLiteral("soon"))}))
    assert play.run.failure is not None
    assert "a timedelta, or a number of seconds" in play.run.failure.message


def test_an_approval_of_nothing_gives_nothing_and_several_values_keep_their_names() -> None:
    bare = GateTarget("bare", GateKind.APPROVE)
    two = Interface(
        {"a": Parameter(INTEGER), "b": Parameter(INTEGER)}, {"a": Variable(INTEGER), "b": Variable(INTEGER)}
    )
    both = Node("n1", GateTarget("both", GateKind.APPROVE, two), {"a": X, "b": LiteralBinding(IntLiteral(9))})
    play = Play(program(task(), graph(Node("n0", bare), both, output=PromiseBinding("n1", "b"))))
    answer(play, gate="bare")
    assert play.node("n0").outputs == {}
    answer(play, gate="both")
    assert play.only(EndRun).outputs == out(9)


# --- when the answer comes -----------------------------------------------------------------------


def test_an_answer_that_comes_early_is_used_when_the_gate_is_reached() -> None:
    play = playing(node("n0"), asks("n1", None, "n0"))
    answer(play)
    assert play.run.refusal("s1") == ""
    play.started("n0")
    play.succeeded("n0", 5)
    assert play.only(EndRun).outputs == out(5)


def test_an_answer_for_a_gate_that_nobody_knows_of_yet_is_kept_too() -> None:
    inner = graph(asks("n0"), name="inner")
    play = Play(program(task(), inner, graph(node("n0"), Node("n1", WorkflowTarget("inner"), {"x": X}, ("n0",)))))
    answer(play)
    play.started("n0")
    play.succeeded("n0")
    assert play.only(EndRun).outputs == out(1)


def test_the_same_signal_twice_is_one() -> None:
    play = playing(asks("n0", question("a")), asks("n1", question("a", STRING), "n0"))
    answer(play, IntLiteral(1), "a", id="same")
    answer(play, StrLiteral("x"), "a", id="same")
    assert play.phases()["n1"] == "PAUSED"
    assert play.run.refusal("same") == ""
    assert "has come before" in play.run.story()[-1]


def test_a_late_signal_is_refused() -> None:
    play = playing(asks("n0"), node("n1", above=["n0"]))
    answer(play)
    answer(play, NO, id="late")
    assert play.run.refusal("late") == "the gate 'ok' is over: it is SUCCEEDED"
    assert play.phases()["n0"] == "SUCCEEDED"


def test_an_answer_after_the_time_is_over_is_late_and_the_timer_after_the_answer_too() -> None:
    both = graph(
        asks("n0", question("a", timeout=5.0)),
        asks("n1", question("b", timeout=5.0)),
        node("n2"),
        policy=FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE,
    )
    play = Play(program(task(), both))
    play.post(GateDue("n0", 15.0))
    answer(play, IntLiteral(1), "a", id="late")
    assert play.run.refusal("late") == "the gate 'a' is over: it is TIMED_OUT"
    answer(play, IntLiteral(1), "b")
    play.post(GateDue("n1", 15.0))
    assert play.phases() == {"n0": "TIMED_OUT", "n1": "SUCCEEDED", "n2": "QUEUED"}


def test_a_second_answer_ahead_of_the_gate_is_refused() -> None:
    play = playing(node("n0"), asks("n1", None, "n0"))
    answer(play, YES)
    answer(play, NO, id="second")
    assert play.run.refusal("second") == "the gate 'ok' has an answer already, which is used when it is reached"
    play.started("n0")
    play.succeeded("n0")
    assert play.run.phase is Phase.SUCCEEDED


@pytest.mark.parametrize("early", [False, True])
def test_an_answer_of_another_type_is_refused_and_the_gate_goes_on_waiting(early: bool) -> None:
    play = playing(node("n0"), asks("n1", question(), "n0")) if early else playing(asks("n1", question()))
    answer(play, StrLiteral("seven"), id="wrong")
    assert play.run.refusal("wrong") == "the gate 'ok' takes another value: expected int, got str"
    if early:
        play.started("n0")
        play.succeeded("n0")
    assert play.phases()["n1"] == "PAUSED"
    answer(play, IntLiteral(7))
    assert play.run.phase is Phase.SUCCEEDED


def test_one_of_another_type_for_a_gate_not_known_yet_is_passed_over_when_it_is_reached() -> None:
    inner = graph(asks("n0", question()), name="inner")
    play = Play(program(task(), inner, graph(node("n0"), Node("n1", WorkflowTarget("inner"), {"x": X}, ("n0",)))))
    answer(play, StrLiteral("seven"))
    play.started("n0")
    play.succeeded("n0")
    assert play.phases()["n1/n0"] == "PAUSED"
    answer(play, IntLiteral(7))
    assert play.run.phase is Phase.SUCCEEDED


# --- several gates -------------------------------------------------------------------------------


def test_two_gates_of_one_name_both_get_it_and_a_third_that_is_reached_later() -> None:
    play = playing(asks("n0"), asks("n1"), node("n2"), asks("n3", None, "n2"))
    answer(play)
    assert play.phases() == {"n0": "SUCCEEDED", "n1": "SUCCEEDED", "n2": "QUEUED", "n3": "UNDEFINED"}
    play.started("n2")
    play.succeeded("n2")
    assert play.run.phase is Phase.SUCCEEDED


def test_a_path_means_one_of_them() -> None:
    play = playing(asks("n0"), asks("n1"))
    answer(play, gate="n1")
    assert play.phases() == {"n0": "PAUSED", "n1": "SUCCEEDED"}
    answer(play, gate="n0")
    assert play.run.phase is Phase.SUCCEEDED


def test_gates_in_two_runs_of_one_workflow_have_their_own_paths() -> None:
    inner = graph(asks("n0"), name="inner")
    calls = [Node(f"n{n}", WorkflowTarget("inner"), {"x": X}) for n in range(2)]
    play = Play(program(inner, graph(*calls)))
    answer(play, gate="n1/n0")
    assert play.phases() == {"n0": "RUNNING", "n1": "SUCCEEDED", "n0/n0": "PAUSED", "n1/n0": "SUCCEEDED"}


def test_a_gate_in_an_arm_waits_only_if_the_arm_is_taken() -> None:
    big = Comparison(">", X, LiteralBinding(IntLiteral(10)))
    branch = Node("n0", BranchTarget("big", (BranchCase(big, asks("n0-n0")),), asks("n0-n1", question("small"))))
    play = Play(program(graph(branch)))
    assert [gate.path for gate in play.run.waiting] == ["n0/n0-n1"]
    answer(play, id="other")
    assert play.run.refusal("other") == "the gate 'ok' is over: it is SKIPPED"
    answer(play, IntLiteral(3), "small")
    assert play.only(EndRun).outputs == out(3)


def test_an_abort_and_a_failure_beside_it_end_a_gate() -> None:
    play = playing(asks("n0"), node("n1"))
    play.started("n1")
    play.failed("n1")
    assert play.phases() == {"n0": "ABORTED", "n1": "FAILED"}
    play = playing(asks("n0"))
    play.post(AbortRequested("enough", play.now))
    assert play.run.phase is Phase.ABORTED


# --- calls of eager bodies -----------------------------------------------------------------------


def gate_call(play: Play, key: str, target: GateTarget, **more: Any) -> None:
    inputs = {"value": IntLiteral(1)} if target.kind is GateKind.APPROVE else {}
    play.call(key, target.name, target=target, inputs=inputs, digest=f"gate {target.name}", **more)


def test_a_body_hears_of_the_answer() -> None:
    play = playing_eager()
    gate_call(play, "1", approval())
    assert play.phases() == {"n0": "RUNNING", "n0/1": "PAUSED"}
    answer(play)
    assert play.delivered().outcome == Done(out(1))


def test_a_body_hears_of_a_rejection_and_of_the_end_of_the_time() -> None:
    play = playing_eager()
    gate_call(play, "1", approval())
    gate_call(play, "2", question("b", timeout=5.0))
    answer(play, NO)
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert outcome.failure.type == "whimbrel.errors:GateRejected"
    play.post(GateDue("n0/2", 16.0))
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert outcome.failure.fault is Fault.TIMEOUT
    assert play.phases()["n0"] == "RUNNING"


def test_a_call_that_is_made_after_an_answer_was_used_waits_for_another() -> None:
    play = playing_eager()
    gate_call(play, "1", question())
    gate_call(play, "2", question())
    answer(play, IntLiteral(1))
    assert play.phases() == {"n0": "RUNNING", "n0/1": "SUCCEEDED", "n0/2": "SUCCEEDED"}
    gate_call(play, "3", question())
    assert play.phases()["n0/3"] == "PAUSED"
    answer(play, IntLiteral(2))
    assert play.delivered().outcome == Done(out(2))


def test_an_answer_that_nobody_has_used_yet_is_for_the_next_call() -> None:
    play = playing_eager()
    answer(play, IntLiteral(1))
    gate_call(play, "1", question())
    assert play.phases()["n0/1"] == "SUCCEEDED"
    gate_call(play, "2", question())
    assert play.phases()["n0/2"] == "PAUSED"


def test_a_workflow_that_a_body_calls_again_asks_again() -> None:
    inner = graph(asks("n0"), name="inner")
    play = playing_eager(inner)
    play.call("1", "inner", workflow=True, digest="1")
    answer(play)
    play.call("2", "inner", workflow=True, digest="2")
    assert play.phases()["n0/2/n0"] == "PAUSED"


def test_a_gate_wakes_a_parked_body() -> None:
    play = playing_eager()
    gate_call(play, "1", approval(timeout=500.0))
    assert play.run.parked_until() is None
    play.post(Parked(play.run.live_attempts()[0], 0, 0.0, play.now))
    assert play.run.parked_until() == play.node("n0/1").due
    answer(play)
    assert play.launched()[0].number == 2
    assert play.every(Deliver) == []


def test_a_call_of_a_gate_may_be_cancelled_by_the_program() -> None:
    play = playing_eager()
    gate_call(play, "1", approval())
    play.post(CancelCall(play.run.live_attempts()[0], "n0", "1", play.now))
    assert play.phases()["n0/1"] == "ABORTED"
    answer(play, id="late")
    assert play.run.refusal("late") == "the gate 'ok' is over: it is ABORTED"


# --- parking, and taking over --------------------------------------------------------------------


@pytest.mark.parametrize(("timeout", "until"), [(None, math.inf), (60.0, 70.0)])
def test_a_run_that_only_waits_at_gates_is_parked(timeout: float | None, until: float) -> None:
    play = playing(asks("n0", question(timeout=timeout)), node("n1"))
    assert play.run.parked_until() is None
    play.started("n1")
    assert play.run.parked_until() is None
    play.succeeded("n1")
    assert play.run.parked_until() == until


def test_an_owner_that_takes_over_sets_the_timer_for_the_same_time() -> None:
    play = playing(asks("n0", question(timeout=60.0)), naps("n1", 30), asks("n2"))
    play.now += 50.0
    play.post(OwnerChanged(2, "another", play.now))
    assert play.run.outstanding() == [
        SetTimer(70.0, GateDue("n0", 70.0)),
        SetTimer(40.0, GateDue("n1", 40.0)),
    ]
    assert Run.replay(play.log).snapshot() == play.run.snapshot()


def test_an_approval_takes_no_room() -> None:
    play = playing(asks("n0"), node("n1"), max_parallelism=1)
    assert play.launched()[0].path == "n1"


# --- in a run that takes what another has done ----------------------------------------------------


def test_what_was_approved_in_another_run_need_not_be_approved_again() -> None:
    flow = program(task(), graph(asks("n0"), node("n1", above=["n0"])))
    play = Play(flow)
    answer(play)
    play.started("n1")
    play.failed("n1")
    again = Run()
    again.handle(RunRequested("r2", "w", flow, ONE, RunOptions(), 99.0, reusable(play.run), "r"))
    assert {path: node.phase.value for path, node in again.nodes.items()} == {"n0": "RECOVERED", "n1": "QUEUED"}
    changed = Run()
    changed.handle(RunRequested("r3", "w", flow, {"x": IntLiteral(2)}, RunOptions(), 99.0, reusable(play.run), "r"))
    assert changed.nodes["n0"].phase is Phase.PAUSED
