"""Brackets: when a teardown runs, what it is told, and that it meets nothing of its bracket at work."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.engine.playing import Play, attempt, eager, fault, graph, node, program, task
from whimbrel.engine.run import Run
from whimbrel.errors import IllegalTransition
from whimbrel.model.attempt import Cancel, Launch, Lost
from whimbrel.model.commands import EndRun, SetTimer
from whimbrel.model.events import AbortRequested, CleanupDue, OwnerChanged, TimeoutDue
from whimbrel.model.failure import Fault
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER, NONE, STRING, UnionType
from whimbrel.model.literals import IntLiteral, NoneLiteral, StrLiteral, UnionLiteral
from whimbrel.model.program import Bracket, FailurePolicy, Graph, LiteralBinding, PromiseBinding
from whimbrel.model.run import Phase

ERROR = UnionType((STRING, NONE))
TOLD = Interface({"x": Parameter(INTEGER), "error": Parameter(ERROR)}, {"o0": Variable(INTEGER)})
CAREFREE = Interface({"x": Parameter(UnionType((INTEGER, NONE))), "error": Parameter(ERROR)}, {"o0": Variable(INTEGER)})


def bracketed(*, policy: FailurePolicy = FailurePolicy.FAIL_IMMEDIATELY, told: str = "down", **more: Any) -> Graph:
    """``up``, then ``a`` and ``b`` side by side, then ``down``."""
    whole = graph(
        node("up"),
        node("a", above=["up"], x=LiteralBinding(IntLiteral(1)), **more),
        node("b", above=["up"], x=LiteralBinding(IntLiteral(2))),
        node("down", told, above=["a", "b", "up"], x=PromiseBinding("up", "o0")),
        output=PromiseBinding("a", "o0"),
        policy=policy,
    )
    return Graph(
        whole.name,
        whole.interface,
        whole.nodes,
        whole.outputs,
        policy,
        brackets=(Bracket("up", "down", ("a", "b"), "error"),),
    )


def playing(*, told: Interface = TOLD, member: dict[str, Any] | None = None, **options: Any) -> Play:
    policy = options.pop("policy", FailurePolicy.FAIL_IMMEDIATELY)
    return Play(program(task(**(member or {})), task("down", interface=told), bracketed(policy=policy)), **options)


def told(play: Play) -> object:
    """What the teardown that was launched is told."""
    (launch,) = (launch for launch in play.every(Launch) if launch.attempt.path == "down")
    literal = launch.inputs["error"]
    assert isinstance(literal, UnionLiteral)
    return literal.value


def test_after_success_it_is_told_nothing() -> None:
    play = playing()
    play.succeeded("up", 7)
    play.succeeded("a")
    assert play.launched() == []
    play.succeeded("b")
    assert play.launched() == [attempt("down")]
    assert told(play) == NoneLiteral()
    assert play.node("down").inputs["x"] == IntLiteral(7)
    play.succeeded("down")
    assert play.only(EndRun).phase is Phase.SUCCEEDED


@pytest.mark.parametrize("policy", list(FailurePolicy))
def test_after_a_failure_it_is_told_which(policy: FailurePolicy) -> None:
    play = playing(policy=policy)
    play.succeeded("up")
    play.started("b")
    play.failed("a")
    assert play.launched() == []
    if policy is FailurePolicy.FAIL_IMMEDIATELY:
        assert play.only(Cancel).attempt == attempt("b")
        assert play.phases() == {"up": "SUCCEEDED", "a": "FAILED", "b": "ABORTING", "down": "UNDEFINED"}
        play.failed("b", fault("cancelled", Fault.CANCELLED))
        assert play.node("b").phase is Phase.ABORTED
    else:
        play.succeeded("b")
    assert told(play) == StrLiteral("Boom: boom")
    play.succeeded("down")
    end = play.only(EndRun)
    assert end.phase is Phase.FAILED
    assert end.failure is not None
    assert end.failure.node == "a"


def test_a_teardown_that_fails_too_is_told_of_beside_the_first_failure() -> None:
    play = playing()
    play.succeeded("up")
    play.failed("a")
    play.post(Lost(attempt("b"), "killed", play.now))
    play.failed("down", fault("stuck", recoverable=False))
    failure = play.only(EndRun).failure
    assert failure is not None
    assert (failure.node, failure.message) == ("a", "boom")
    assert failure.notes == ("the teardown down failed too: Boom: stuck",)


def test_a_teardown_that_fails_alone_fails_the_run() -> None:
    play = playing()
    for path in ("up", "a", "b"):
        play.succeeded(path)
    play.failed("down", fault("stuck", recoverable=False))
    assert play.only(EndRun).phase is Phase.FAILED


def test_an_abort_waits_for_members_and_teardown() -> None:
    play = playing()
    play.succeeded("up")
    play.started("a")
    play.started("b")
    play.post(AbortRequested("enough", play.now))
    assert [cancel.attempt for cancel in play.every(Cancel)] == [attempt("a"), attempt("b")]
    assert play.run.phase is Phase.ABORTING
    play.succeeded("a", 5)
    assert play.node("a").phase is Phase.ABORTED, "a late success does not count"
    play.failed("b", fault("cancelled", Fault.CANCELLED))
    assert told(play) == StrLiteral("abort: enough")
    play.succeeded("down")
    assert play.only(EndRun).phase is Phase.ABORTED
    assert play.phases() == {"up": "SUCCEEDED", "a": "ABORTED", "b": "ABORTED", "down": "SUCCEEDED"}


def test_an_abort_leaves_a_setup_and_a_teardown_alone() -> None:
    play = playing()
    play.started("up")
    play.post(AbortRequested("enough", play.now))
    assert play.every(Cancel) == []
    assert play.phases() == {"up": "RUNNING", "a": "ABORTED", "b": "ABORTED", "down": "UNDEFINED"}
    play.succeeded("up", 3)
    assert play.launched() == [attempt("down")]
    play.succeeded("down")
    assert play.only(EndRun).phase is Phase.ABORTED


def test_before_the_setup_was_launched_an_abort_is_at_once() -> None:
    play = Play(
        program(task(), task("down", interface=TOLD), bracketed(), graph(node("x"), name="other")), max_parallelism=1
    )
    play.post(Lost(attempt("up"), "killed", play.now))  # it was launched: the teardown is owed
    play.post(AbortRequested("enough", play.now))
    assert play.run.phase is Phase.ABORTING
    alone = Play(program(task(), graph(node("n0"))))
    alone.post(AbortRequested("enough", alone.now))
    assert alone.only(EndRun).phase is Phase.ABORTED


def test_a_second_abort_is_at_once() -> None:
    play = playing()
    play.succeeded("up")
    play.post(AbortRequested("enough", play.now))
    play.post(AbortRequested("now", play.now))
    assert play.only(EndRun).failure == play.run.failure
    assert play.run.failure is not None
    assert play.run.failure.message == "enough"
    assert play.node("down").phase is Phase.ABORTED


def test_the_time_to_clean_up_ends() -> None:
    play = playing(cleanup_seconds=20.0)
    play.succeeded("up")
    play.post(AbortRequested("enough", 100.0))
    timer = play.only(SetTimer)
    assert timer == SetTimer(120.0, CleanupDue("", 1, 120.0))
    assert play.post(CleanupDue("", 0, 110.0)) == [], "another deadline's"
    play.post(timer.event)
    assert play.only(EndRun).phase is Phase.ABORTED
    with pytest.raises(IllegalTransition):
        playing().post(CleanupDue("nowhere", 1, play.now))


def test_whoever_takes_the_run_over_goes_on_with_the_teardown() -> None:
    play = playing(cleanup_seconds=20.0)
    play.succeeded("up")
    play.started("a")
    play.started("b")
    play.post(AbortRequested("enough", 100.0))
    taken = Run.replay(play.log)
    commands = taken.handle(OwnerChanged(2, "other", 500.0, ("a",)))
    assert SetTimer(520.0, CleanupDue("", 2, 520.0)) in commands
    assert [type(command) for command in taken.outstanding()] == [Cancel, SetTimer], "b runs there: it is stopped"
    taken.handle(OwnerChanged(3, "third", 600.0, ("b",)))
    assert [command.attempt for command in taken.outstanding() if isinstance(command, Launch)] == [attempt("down")]


def test_a_setup_that_failed_gave_nothing() -> None:
    play = playing()
    play.failed("up", fault("no room", recoverable=False))
    assert play.only(EndRun).phase is Phase.FAILED
    assert play.node("down").phase is Phase.SKIPPED, "it takes what the setup gives"
    play = playing(told=CAREFREE)
    play.failed("up", fault("no room", recoverable=False))
    assert told(play) == StrLiteral("Boom: no room")
    assert play.node("down").inputs["x"] == UnionLiteral(1, NoneLiteral())


def test_a_member_that_ran_out_of_time_is_waited_for() -> None:
    play = playing(member={"timeout": 5.0})
    play.succeeded("up")
    play.started("a")
    play.post(TimeoutDue("a", 1, play.now))
    assert play.node("a").phase is Phase.ABORTING
    play.failed("a", fault("cancelled", Fault.CANCELLED))
    assert play.node("a").phase is Phase.TIMED_OUT
    play.post(Lost(attempt("b"), "killed", play.now))
    assert told(play) == StrLiteral("timeout: a ran longer than its timeout of 5 s")


def test_an_eager_member_cleans_up_before_the_teardown() -> None:
    whole = bracketed()
    nodes = tuple(
        node("a", "e", above=["up"], x=LiteralBinding(IntLiteral(1))) if n.id == "a" else n for n in whole.nodes
    )
    flow = Graph(whole.name, whole.interface, nodes, whole.outputs, brackets=whole.brackets)
    play = Play(program(task(), eager(), task("down", interface=TOLD), flow))
    play.succeeded("up")
    play.started("a")
    play.failed("b")
    assert play.only(SetTimer).event == CleanupDue("a", 1, play.now - 1.0 + 30.0)
    assert play.delivered().key == "abort"
    assert play.launched() == []
    play.post(CleanupDue("a", 1, play.now))
    assert play.only(Cancel).attempt == attempt("a")
    assert play.launched() == [attempt("down")]


def test_a_bracket_that_names_no_node_fails_the_run() -> None:
    flow = graph(node("n0"))
    play = Play(
        program(task(), Graph(flow.name, flow.interface, flow.nodes, flow.outputs, brackets=(Bracket("n0", "n9"),)))
    )
    assert play.run.failure is not None
    assert "names n9, which is no node of it" in play.run.failure.message
