"""Parked bodies: their driver has left memory, and comes back when they can go on."""

import math

import pytest

from tests.unit.engine.playing import Play, attempt, eager, fault, graph, node, out, playing_eager, program, task
from whimbrel.engine.nodes import Stage
from whimbrel.engine.run import Run
from whimbrel.errors import IllegalTransition
from whimbrel.model.attempt import BeginCall, Cancel, Deliver, FireTimer, Launch, Parked, StartTimer
from whimbrel.model.commands import Command, EndRun, SetTimer
from whimbrel.model.events import AbortRequested, CleanupDue, OwnerChanged, RetryDue, TimeoutDue, WakeDue
from whimbrel.model.failure import Fault
from whimbrel.model.program import GateKind, GateTarget
from whimbrel.model.run import EntryKind, Phase, RunOptions

E0 = attempt("n0")


def park(play: Play, *, seen: int = 0, wake_at: float = 0.0, number: int = 1, path: str = "n0") -> list[Command]:
    return play.post(Parked(attempt(path, number), seen, wake_at, play.now))


def sleeping(due: float = 500.0, **metadata: object) -> Play:
    """A run whose body sleeps, and is parked."""
    play = playing_eager(**metadata)
    play.post(StartTimer(E0, "n0", "t1", due, play.now))
    park(play, wake_at=due)
    return play


def test_a_parked_body_is_woken_when_its_timer_is_due() -> None:
    play = sleeping()
    assert play.asked == [SetTimer(500.0, WakeDue("n0", 1, 500.0))]
    state = play.node("n0")
    assert (state.phase, state.stage, state.attempts[0].phase) == (Phase.PAUSED, Stage.PARKED, Phase.PAUSED)
    assert state.attempts[0].failure is None
    assert play.run.live_attempts() == []
    play.post(WakeDue("n0", 1, 500.0))
    launch = play.only(Launch)
    assert launch.attempt == attempt("n0", 2)
    assert [(entry.key, entry.due) for entry in launch.journal] == [("t1", 500.0)]
    assert state.phase is Phase.QUEUED
    play.started("n0", 2)
    play.post(FireTimer(attempt("n0", 2), "n0", "t1", 501.0))
    assert play.only(Deliver).attempt == attempt("n0", 2)
    play.succeeded("n0", number=2)
    assert play.run.phase is Phase.SUCCEEDED
    assert (state.system_retries, state.user_retries) == (0, 0)


def test_a_parked_body_is_woken_when_a_call_ends() -> None:
    play = playing_eager()
    play.call("1")
    park(play)
    assert play.asked == []
    play.started("n0/1")
    play.succeeded("n0/1", 7)
    assert play.every(Deliver) == []
    launch = play.only(Launch)
    assert launch.attempt == attempt("n0", 2)
    assert launch.journal[0].outcome is not None


def test_calls_that_fail_for_good_wake_it_and_those_that_are_retried_do_not() -> None:
    play = Play(program(eager(), task(retries=1), graph(node("n0", "e"))))
    play.started("n0")
    play.call("1")
    park(play)
    play.failed("n0/1")
    assert play.launched() == [attempt("n0/1", 2)]
    assert play.node("n0").phase is Phase.PAUSED
    play.failed("n0/1", number=2)
    assert play.launched() == [attempt("n0", 2)]


def test_a_driver_that_has_missed_something_is_replaced_at_once() -> None:
    play = playing_eager()
    play.call("1")
    play.succeeded("n0/1", 7)
    play.call("2")
    play.succeeded("n0/2", 8)
    park(play, seen=1)
    launch = play.only(Launch)
    assert launch.attempt == attempt("n0", 2)
    assert [entry.key for entry in launch.journal] == ["1", "2"]
    # What stood in the journal at its launch is not counted again.
    play.started("n0", 2)
    play.call("3", driver=2)
    park(play, number=2, seen=0)
    assert play.asked == []
    assert play.node("n0").phase is Phase.PAUSED


def test_a_driver_may_park_before_it_was_heard_to_begin() -> None:
    play = Play(program(eager(), task(), graph(node("n0", "e"))))
    play.post(BeginCall(E0, "n0", "1", "t", False, {"x": out(1)["o0"]}, "t", play.now))
    park(play)
    assert play.node("n0").phase is Phase.PAUSED
    play.started("n0/1")
    play.succeeded("n0/1")
    assert play.launched() == [attempt("n0", 2)]


def test_reports_and_wakes_that_come_late_or_twice_change_nothing() -> None:
    play = sleeping()
    snapshot = play.run.snapshot()
    for late in (
        lambda: park(play, wake_at=9.0),
        lambda: play.call("1"),
        lambda: play.succeeded("n0"),
        lambda: play.failed("n0"),
        lambda: play.started("n0"),
    ):
        assert late() == []
        assert play.node("n0").phase is Phase.PAUSED
    assert len(play.run.snapshot()) == len(snapshot)
    play.post(WakeDue("n0", 1, 500.0))
    assert play.post(WakeDue("n0", 1, 500.0)) == []
    play.started("n0", 2)
    assert park(play, wake_at=9.0) == []
    park(play, number=2, wake_at=600.0)
    assert play.post(WakeDue("n0", 1, 500.0)) == []
    assert play.node("n0").phase is Phase.PAUSED


def test_a_wake_for_nothing_is_illegal() -> None:
    play = sleeping()
    with pytest.raises(IllegalTransition, match="attempt 2 was never launched"):
        play.post(WakeDue("n0", 2, 500.0))
    with pytest.raises(IllegalTransition, match="no such node"):
        play.post(WakeDue("n7", 1, 500.0))


def test_a_task_cannot_be_parked() -> None:
    play = Play(program(task(), graph(node("n0"))))
    play.started("n0")
    with pytest.raises(IllegalTransition, match="only the attempt of an eager node"):
        park(play)


def test_the_time_out_goes_on_while_it_is_parked() -> None:
    play = playing_eager(timeout=100.0)
    began = play.node("n0").attempts[0].started_at
    play.post(StartTimer(E0, "n0", "t1", 50.0, play.now))
    park(play, wake_at=50.0)
    play.post(WakeDue("n0", 1, 50.0))
    play.now = 51.0
    play.started("n0", 2)
    assert play.only(SetTimer) == SetTimer(began + 100.0, TimeoutDue("n0", 2, began + 100.0))
    assert play.run.outstanding()[-1] == play.only(SetTimer)


def test_a_parked_body_that_runs_out_of_time_comes_back_to_clean_up() -> None:
    play = sleeping(timeout=100.0)
    due = play.node("n0").attempts[0].started_at + 100.0
    assert SetTimer(due, TimeoutDue("n0", 1, due)) in play.run.outstanding()
    assert play.run.parked_until() == due
    play.post(TimeoutDue("n0", 1, due))
    launch = play.only(Launch)
    assert launch.journal[0].kind is EntryKind.ABORT
    assert play.node("n0").phase is Phase.ABORTING
    play.started("n0", 2)
    play.failed("n0", fault(fault=Fault.CANCELLED), number=2)
    assert play.node("n0").phase is Phase.TIMED_OUT


def test_a_new_owner_asks_for_the_wake_and_nothing_else() -> None:
    play = sleeping()
    play.post(OwnerChanged(2, "other", play.now))
    assert play.run.outstanding() == [SetTimer(500.0, WakeDue("n0", 1, 500.0))]
    assert play.node("n0").phase is Phase.PAUSED
    again = Run.replay(play.log)
    assert again.snapshot() == play.run.snapshot()
    assert again.outstanding() == play.run.outstanding()


def test_an_abort_brings_the_driver_back_to_clean_up() -> None:
    play = sleeping()
    play.post(AbortRequested("enough", play.now))
    launch = play.only(Launch)
    assert launch.attempt == attempt("n0", 2)
    assert [entry.kind for entry in launch.journal] == [EntryKind.ABORT, EntryKind.TIMER]
    assert play.run.phase is Phase.ABORTING
    play.started("n0", 2)
    play.failed("n0", fault(fault=Fault.CANCELLED), number=2)
    assert play.run.phase is Phase.ABORTED


def test_a_parked_body_that_does_not_clean_up_in_time_is_ended_by_force() -> None:
    play = sleeping()
    play.post(AbortRequested("enough", play.now))
    play.post(CleanupDue("", 1, play.now + 30.0))
    assert play.only(EndRun).phase is Phase.ABORTED
    assert play.only(Cancel).attempt == attempt("n0", 2)


def test_a_driver_that_parks_before_it_hears_of_the_abort_comes_back() -> None:
    play = playing_eager()
    play.post(StartTimer(E0, "n0", "t1", 500.0, play.now))
    play.post(AbortRequested("enough", play.now))
    assert play.every(Deliver) != []
    park(play, wake_at=500.0)
    assert play.launched() == [attempt("n0", 2)]
    assert play.node("n0").phase is Phase.ABORTING


def test_the_failure_of_a_neighbour_brings_the_driver_back_to_clean_up() -> None:
    play = Play(program(eager(), task(), graph(node("n0", "e"), node("n1"))))
    play.started("n0")
    play.call("1")
    park(play)
    play.started("n1")
    play.failed("n1")
    assert play.launched() == [attempt("n0", 2)]
    assert play.node("n0").phase is Phase.ABORTING
    play.started("n0", 2)
    play.failed("n0", fault(fault=Fault.CANCELLED), number=2)
    assert play.run.phase is Phase.FAILED


def test_a_parked_nested_driver_is_one_with_its_calls() -> None:
    """A call of a static workflow that has an eager node: both park, and both come back in turn."""
    inner = graph(node("n0", "e"), name="inner")
    play = playing_eager(inner)
    play.call("1", "inner", workflow=True)
    play.started("n0/1/n0")
    play.post(StartTimer(attempt("n0/1/n0"), "n0/1/n0", "t1", 300.0, play.now))
    assert play.run.parked_until() is None
    park(play)
    assert play.run.parked_until() is None
    park(play, path="n0/1/n0", wake_at=300.0)
    assert play.run.parked_until() == 300.0
    play.post(WakeDue("n0/1/n0", 1, 300.0))
    assert play.launched() == [attempt("n0/1/n0", 2)]
    play.succeeded("n0/1/n0", number=2)
    assert play.launched() == [attempt("n0", 2)]


def test_a_run_is_parked_until_its_first_timer_when_nothing_is_under_way() -> None:
    play = Play(program(eager(), task(retries=1, backoff=40.0), graph(node("n0", "e"))))
    assert play.run.parked_until() is None
    play.started("n0")
    play.call("1")
    park(play)
    assert play.run.parked_until() is None
    play.started("n0/1")
    play.failed("n0/1")
    (timer,) = play.every(SetTimer)
    assert isinstance(timer.event, RetryDue)
    assert play.run.parked_until() == timer.due
    play.post(RetryDue("n0/1", 2, timer.due))
    assert play.run.parked_until() is None


def test_a_run_that_only_waits_to_be_told_is_parked_for_ever() -> None:
    play = playing_eager()
    assert play.run.parked_until() is None
    play.call("1", "ok", target=GateTarget("ok", GateKind.APPROVE), inputs={})
    park(play)
    assert play.run.parked_until() == math.inf


@pytest.mark.parametrize("park_after", [0.0, 5.0, None])
def test_drivers_are_told_when_to_park_and_tasks_are_not(park_after: float | None) -> None:
    play = Play(program(eager(), task(), graph(node("n0", "e"), node("n1"))), park_after=park_after)
    assert [launch.park_after for launch in play.every(Launch)] == [park_after, None]
    assert RunOptions().park_after == 60.0
