"""Eager nodes: calls, inline bodies, timers, values, cancelling, drivers that die, bodies that change."""

import pytest

from tests.unit.engine.playing import (
    DONE,
    ONE,
    Play,
    X,
    attempt,
    eager,
    fault,
    graph,
    node,
    out,
    playing_eager,
    program,
    task,
)
from whimbrel.engine.nodes import Kind
from whimbrel.engine.run import Run
from whimbrel.errors import IllegalTransition
from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    Cancel,
    CancelCall,
    Deliver,
    FinishCall,
    FireTimer,
    Launch,
    Lost,
    RecordValue,
    StartTimer,
    Succeeded,
)
from whimbrel.model.commands import EndRun, LookUpCache, SetTimer
from whimbrel.model.events import AbortRequested, CacheHit, CleanupDue, OwnerChanged, TimeoutDue
from whimbrel.model.failure import Fault
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import CacheSpec, Metadata
from whimbrel.model.run import Done, Entry, EntryKind, Failed, Phase

E0 = attempt("n0")


def test_a_call_is_a_node_whose_end_is_delivered() -> None:
    play = playing_eager()
    play.call("1", inputs={"x": IntLiteral(5)}, line="flow.py:9", metadata=Metadata(retries=1))
    launch = play.only(Launch)
    assert (launch.attempt, launch.inputs, launch.metadata.retries) == (attempt("n0/1"), {"x": IntLiteral(5)}, 1)
    state = play.node("n0/1")
    assert (state.parent, state.key, state.entity, state.line) == ("n0", "1", "t", "flow.py:9")
    play.failed("n0/1")
    assert play.every(Deliver) == []
    at = play.now
    play.succeeded("n0/1", 6, number=2)
    assert play.only(Deliver).attempt == E0
    assert play.delivered() == Entry(
        "n0", "1", EntryKind.CALL, "t", "t", seq=play.run.seq, at=at, outcome=Done(out(6)), path="n0/1"
    )
    play.succeeded("n0", 9)
    assert play.run.outputs == out(9)


def test_a_call_that_fails_is_delivered_and_fails_nothing_else() -> None:
    play = playing_eager()
    play.call("1")
    play.failed("n0/1")
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert (outcome.failure.message, outcome.failure.node) == ("boom", "n0/1")
    assert play.run.phase is Phase.RUNNING
    assert play.node("n0").phase is Phase.RUNNING


def test_a_call_of_something_unknown_fails() -> None:
    play = playing_eager()
    play.call("1", "gone")
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert outcome.failure.message == "gone: the program has no task 'gone'"
    play.call("2", "flow", workflow=True)
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert outcome.failure.message == "flow: the program has no workflow 'flow'"


def test_a_call_may_bring_what_it_calls() -> None:
    play = playing_eager()
    play.call("1", "new", define=program(task("new")))
    assert play.only(Launch).task == task("new")
    assert "new" in play.run.program.tasks
    assert list(play.run.program.tasks) == ["e", "t", "new"]


def test_a_workflow_called_unfolds_below_the_call() -> None:
    play = playing_eager(graph(node("n0"), node("n1", above=["n0"]), name="flow"))
    play.call("1", "flow", workflow=True)
    assert play.launched() == [attempt("n0/1/n0")]
    play.succeeded("n0/1/n0", 3)
    play.succeeded("n0/1/n1", 4)
    assert play.delivered().outcome == Done(out(4))
    assert play.delivered().path == "n0/1"


def test_a_workflow_called_takes_its_defaults() -> None:
    play = playing_eager(graph(output=X, name="flow"))
    play.call("1", "flow", workflow=True, inputs={})
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert "flow needs input 'x' (int)" in outcome.failure.message


def test_a_cached_call_is_delivered_as_such() -> None:
    play = playing_eager(task("c", cache=CacheSpec("1")))
    play.call("1", "c")
    assert play.only(LookUpCache).path == "n0/1"
    play.post(CacheHit("n0/1", out(2), "earlier", play.now))
    assert play.delivered().outcome == Done(out(2), cached=True)


def test_drivers_need_no_room() -> None:
    entities = (eager(), task(), graph(node("n0", "e"), node("n1"), node("n2")))
    play = Play(program(*entities), max_parallelism=1)
    assert play.launched() == [attempt("n0"), attempt("n1")]
    play.started("n0")
    play.call("1")
    assert play.every(Launch) == []
    play.succeeded("n1")
    assert play.launched() == [attempt("n2")]
    play.succeeded("n2")
    assert play.launched() == [attempt("n0/1")]


# --- inline bodies ---------------------------------------------------------------------------------------------------


def test_an_inline_call_is_run_by_the_driver() -> None:
    play = playing_eager(eager("f"))
    assert play.call("1", "f", inline=True) == []
    state = play.node("n0/1")
    assert (state.phase, state.kind) == (Phase.RUNNING, Kind.EAGER)
    assert state.queued_at == state.started_at == state.created_at
    play.call("1", parent="n0/1")
    assert play.launched() == [attempt("n0/1/1")]
    play.succeeded("n0/1/1")
    assert play.only(Deliver).attempt == E0
    assert (play.delivered().parent, play.delivered().key) == ("n0/1", "1")
    play.post(FinishCall(E0, "n0", "1", Done(out(8)), play.now))
    assert play.delivered().outcome == Done(out(8))
    assert play.node("n0/1").outputs == out(8)
    assert play.post(FinishCall(E0, "n0", "1", Done(out(9)), play.now)) == []


@pytest.mark.parametrize(
    ("blamed", "phase"),
    [
        (Fault.USER, Phase.FAILED),
        (Fault.TIMEOUT, Phase.TIMED_OUT),
        (Fault.CANCELLED, Phase.ABORTED),
        (Fault.ABORT, Phase.ABORTED),
    ],
)
def test_an_inline_call_may_fail(blamed: Fault, phase: Phase) -> None:
    play = playing_eager(eager("f"))
    play.call("1", "f", inline=True)
    play.post(FinishCall(E0, "n0", "1", Failed(fault("inner", blamed)), play.now))
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert outcome.failure.message == "inner"
    assert play.node("n0/1").phase is phase


def test_what_an_inline_body_leaves_behind_is_cancelled() -> None:
    play = playing_eager(eager("f"))
    play.call("1", "f", inline=True)
    play.call("1", parent="n0/1")
    play.post(FinishCall(E0, "n0", "1", DONE, play.now))
    assert play.only(Cancel).attempt == attempt("n0/1/1")
    assert [deliver.entries[0].path for deliver in play.every(Deliver)] == ["n0/1/1", "n0/1"]


def test_a_call_in_a_body_that_is_over_is_cancelled_at_once() -> None:
    play = playing_eager(eager("f"))
    play.call("1", "f", inline=True)
    play.post(CancelCall(E0, "n0", "1", play.now))
    play.call("7", parent="n0/1")
    assert play.every(Launch) == []
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert outcome.failure.fault is Fault.CANCELLED


def test_only_inline_calls_are_finished_by_the_driver() -> None:
    play = playing_eager()
    play.call("1")
    with pytest.raises(IllegalTransition, match="does not run"):
        play.run.handle(FinishCall(E0, "n0", "1", DONE, play.now))
    with pytest.raises(IllegalTransition, match="runs no body n0/1"):
        play.call("1", parent="n0/1")
    with pytest.raises(IllegalTransition, match="there is no call 9 in n0"):
        play.run.handle(CancelCall(E0, "n0", "9", play.now))


# --- twice, late, cancelled ------------------------------------------------------------------------------------------


def test_a_call_begun_twice_is_one_call() -> None:
    play = playing_eager()
    play.call("1")
    assert play.call("1") == []
    play.succeeded("n0/1")
    entry = play.delivered()
    play.call("1")
    assert play.delivered() == entry
    assert list(play.run.nodes) == ["n0", "n0/1"]


def test_an_older_drivers_reports_are_ignored() -> None:
    play = playing_eager()
    play.post(Lost(E0, "gone", play.now))
    play.started("n0", 2)
    assert play.call("1", driver=1) == []
    assert list(play.run.nodes) == ["n0"]
    for report in (
        FinishCall(E0, "n0", "1", DONE, play.now),
        CancelCall(E0, "n0", "1", play.now),
        StartTimer(E0, "n0", "t1", 99.0, play.now),
        FireTimer(E0, "n0", "t1", play.now),
        RecordValue(E0, "n0", "v1", IntLiteral(1), play.now),
    ):
        assert play.post(report) == []


def test_a_cancelled_call_has_that_as_its_outcome() -> None:
    play = playing_eager()
    play.call("1")
    play.started("n0/1")
    play.post(CancelCall(E0, "n0", "1", play.now))
    assert play.only(Cancel).attempt == attempt("n0/1")
    outcome = play.delivered().outcome
    assert isinstance(outcome, Failed)
    assert outcome.failure.fault is Fault.CANCELLED
    assert play.node("n0/1").phase is Phase.ABORTED
    assert play.succeeded("n0/1") == []
    assert play.post(CancelCall(E0, "n0", "1", play.now)) == []


def test_cancelling_a_call_cancels_what_is_below() -> None:
    play = playing_eager(eager("f"), graph(node("n0"), node("n1", above=["n0"]), name="flow"))
    play.call("1", "f", inline=True)
    play.call("1", "flow", workflow=True, parent="n0/1")
    play.call("2", parent="n0/1")
    play.post(CancelCall(E0, "n0", "1", play.now))
    assert [cancel.attempt for cancel in play.every(Cancel)] == [attempt("n0/1/1/n0"), attempt("n0/1/2")]
    assert [deliver.entries[0].path for deliver in play.every(Deliver)] == ["n0/1/1", "n0/1/2", "n0/1"]
    assert set(play.phases().values()) == {"RUNNING", "ABORTED"}


def test_an_outcome_stands_when_the_cancelling_comes_late() -> None:
    play = playing_eager()
    play.call("1")
    play.succeeded("n0/1")
    assert play.post(CancelCall(E0, "n0", "1", play.now)) == []
    assert play.node("n0/1").phase is Phase.SUCCEEDED


def test_what_the_body_leaves_behind_is_cancelled() -> None:
    play = playing_eager()
    play.call("1")
    play.succeeded("n0", 5)
    assert play.only(Cancel).attempt == attempt("n0/1")
    assert play.every(Deliver) == []
    assert play.phases() == {"n0": "SUCCEEDED", "n0/1": "ABORTED"}


def test_an_abort_cancels_driver_and_calls() -> None:
    play = playing_eager()
    play.call("1")
    play.post(AbortRequested("enough", play.now))
    assert play.only(Cancel).attempt == attempt("n0/1")
    assert [(entry.kind, entry.key) for one in play.every(Deliver) for entry in one.entries] == [
        (EntryKind.ABORT, "abort"),
        (EntryKind.CALL, "1"),
    ]
    assert play.phases() == {"n0": "ABORTING", "n0/1": "ABORTED"}


def test_an_aborted_body_makes_calls_to_clean_up() -> None:
    play = playing_eager()
    play.post(AbortRequested("enough", play.now))
    play.call("2")
    assert play.launched() == [attempt("n0/2")]
    play.succeeded("n0/2")
    assert play.delivered().key == "2"
    play.failed("n0", fault("the clean-up broke"))
    end = play.only(EndRun)
    assert end.phase is Phase.ABORTED
    assert play.phases() == {"n0": "ABORTED", "n0/2": "SUCCEEDED"}
    told = play.node("n0").failure
    assert told is not None
    assert told.notes == ("the clean-up failed: Boom: the clean-up broke",)


def test_a_body_that_had_not_begun_has_nothing_to_clean_up() -> None:
    play = Play(program(eager(), graph(node("n0", "e"))))
    play.post(AbortRequested("enough", play.now))
    assert play.only(EndRun).phase is Phase.ABORTED


def test_a_driver_that_is_lost_while_it_cleans_up_is_replaced() -> None:
    play = playing_eager(timeout=60.0)
    play.post(AbortRequested("enough", play.now))
    play.call("2")
    play.post(Lost(E0, "killed", play.now))
    launch = play.only(Launch)
    assert [(entry.kind, entry.key) for entry in launch.journal] == [(EntryKind.ABORT, "abort"), (EntryKind.CALL, "2")]
    play.started("n0", 2)
    assert play.every(SetTimer) == [], "its time is the clean-up's"
    play.succeeded("n0", number=2)
    assert play.only(EndRun).phase is Phase.ABORTED
    assert play.node("n0").phase is Phase.ABORTED, "a late success does not count"


def test_a_driver_that_cannot_be_replaced_ends_the_clean_up() -> None:
    play = Play(program(eager(), task(), graph(node("n0", "e"))), system_retries=0)
    play.started("n0")
    play.post(AbortRequested("enough", play.now))
    play.call("2")
    play.post(Lost(E0, "killed", play.now))
    assert play.only(EndRun).phase is Phase.ABORTED
    assert play.phases() == {"n0": "ABORTED", "n0/2": "ABORTED"}


def test_after_its_time_a_body_is_stopped_by_force() -> None:
    play = playing_eager(timeout=5.0)
    play.post(TimeoutDue("n0", 1, play.now))
    play.call("2")
    play.post(CleanupDue("n0", 1, play.now))
    assert [cancel.attempt for cancel in play.every(Cancel)] == [E0, attempt("n0/2")]
    assert play.phases() == {"n0": "TIMED_OUT", "n0/2": "ABORTED"}


def test_a_retry_does_its_clean_up_again() -> None:
    play = playing_eager(timeout=5.0, retries=1)
    play.call("1")
    play.succeeded("n0/1")
    play.post(TimeoutDue("n0", 1, play.now))
    play.call("2")
    play.succeeded("n0/2")
    play.failed("n0", fault("stopped", Fault.CANCELLED))
    assert [entry.key for entry in play.only(Launch).journal] == ["1"]


def test_a_retry_does_setups_and_teardowns_again() -> None:
    play = playing_eager(retries=1)
    for key, shielded in (("1", True), ("2", None), ("3", True)):
        play.call(key, metadata=Metadata(shielded=shielded))
        play.succeeded(f"n0/{key}")
    play.failed("n0")
    assert [entry.key for entry in play.only(Launch).journal] == ["2"]


def test_an_abort_leaves_shielded_calls_alone_and_the_program_may_cancel_them() -> None:
    play = playing_eager()
    play.call("1", metadata=Metadata(shielded=True))
    play.post(AbortRequested("enough", play.now))
    assert play.every(Cancel) == []
    play.post(CancelCall(E0, "n0", "1", play.now))
    assert play.only(Cancel).attempt == attempt("n0/1")
    play.failed("n0/1", fault("cancelled", Fault.CANCELLED))
    assert play.node("n0/1").phase is Phase.ABORTED


def test_a_shielded_call_begins_when_what_was_cancelled_has_ended() -> None:
    play = playing_eager(graph(node("m0"), name="flow"))
    shielded = Metadata(shielded=True)
    play.call("1", metadata=shielded)
    play.succeeded("n0/1")
    play.call("2")
    play.call("3", "flow", workflow=True)
    for key in "23":
        play.post(CancelCall(E0, "n0", key, play.now))
    assert play.node("n0/2").phase is play.node("n0/3").phase is Phase.ABORTING
    play.call("4", metadata=shielded)
    assert play.launched() == []
    play.call("5")
    assert play.launched() == [attempt("n0/5")], "only what is shielded waits"
    play.post(AbortRequested("enough", play.now))
    assert play.node("n0/4").phase is Phase.UNDEFINED
    play.failed("n0/2", fault("cancelled", Fault.CANCELLED))
    assert play.launched() == []
    taken = Run.replay([*play.log, OwnerChanged(2, "other", play.now, ("n0", "n0/3/m0", "n0/5"))])
    assert [one.attempt.path for one in taken.outstanding() if isinstance(one, Launch)] == ["n0", "n0/4"]
    play.post(Lost(attempt("n0/5"), "killed", play.now))
    play.post(Lost(attempt("n0/3/m0"), "killed", play.now))
    assert play.launched() == [attempt("n0/4")]


def test_keys_may_hold_slashes() -> None:
    play = playing_eager(eager("f"))
    play.call("=a/b", "f", inline=True)
    play.call("1", parent="n0/=a/b")
    assert play.launched() == [attempt("n0/=a/b/1")]
    play.call("=a", "f", inline=True)
    play.call("b", parent="n0/=a")
    assert play.launched() == [attempt("n0/=a/b~2")]


# --- timers and values -----------------------------------------------------------------------------------------------


def test_timers_are_entries() -> None:
    play = playing_eager()
    assert play.post(StartTimer(E0, "n0", "t1", 99.0, play.now)) == []
    assert play.post(StartTimer(E0, "n0", "t1", 55.0, play.now)) == []
    play.post(FireTimer(E0, "n0", "t1", play.now))
    entry = play.delivered()
    assert (entry.kind, entry.due, entry.outcome) == (EntryKind.TIMER, 99.0, Done({}))
    for report in (FireTimer(E0, "n0", "t1", play.now), StartTimer(E0, "n0", "t1", 77.0, play.now)):
        play.post(report)
        assert play.delivered() == entry
    with pytest.raises(IllegalTransition, match="never set"):
        play.run.handle(FireTimer(E0, "n0", "t2", play.now))
    assert list(play.run.nodes) == ["n0"]


def test_a_timer_may_be_cancelled() -> None:
    play = playing_eager()
    play.post(StartTimer(E0, "n0", "t1", 99.0, play.now))
    play.post(CancelCall(E0, "n0", "t1", play.now))
    assert isinstance(play.delivered().outcome, Failed)
    assert play.post(CancelCall(E0, "n0", "t1", play.now)) == []


def test_values_are_entries() -> None:
    play = playing_eager()
    play.post(RecordValue(E0, "n0", "v1", IntLiteral(4), play.now))
    entry = play.delivered()
    assert (entry.kind, entry.outcome) == (EntryKind.VALUE, Done({"o0": IntLiteral(4)}))
    play.post(RecordValue(E0, "n0", "v1", IntLiteral(5), play.now))
    assert play.delivered() == entry


def test_tasks_have_no_calls() -> None:
    play = Play(program(task(), graph(node("n0"))))
    play.started("n0")
    with pytest.raises(IllegalTransition, match="only the attempt of an eager node has calls"):
        play.call("1")


# --- drivers that die ------------------------------------------------------------------------------------------------


def recorded(play: Play) -> list[tuple[str, str, bool]]:
    return [(entry.parent, entry.key, entry.outcome is not None) for entry in play.only(Launch).journal]


def test_a_new_driver_gets_the_journal_and_calls_go_on() -> None:
    play = playing_eager(eager("f"))
    play.call("1")
    play.call("2", "f", inline=True)
    play.call("1", parent="n0/2")
    play.call("3")
    play.succeeded("n0/3")
    play.succeeded("n0/1")
    play.post(Lost(E0, "gone", play.now))
    assert play.every(Cancel) == []
    assert recorded(play) == [("n0", "3", True), ("n0", "1", True), ("n0", "2", False), ("n0/2", "1", False)]
    assert play.succeeded("n0/2/1") == [Deliver(attempt("n0", 2), (play.delivered(),))]
    play.started("n0", 2)
    assert play.call("2", "f", driver=2, inline=True) == []
    play.post(FinishCall(attempt("n0", 2), "n0", "2", DONE, play.now))
    assert play.delivered().path == "n0/2"


def test_a_new_owner_sends_the_journal_too() -> None:
    play = playing_eager()
    play.call("1")
    play.succeeded("n0/1")
    run = Run.replay(play.log)
    run.handle(OwnerChanged(2, "b", 50.0, ("n0",)))
    (launch,) = run.outstanding()
    assert isinstance(launch, Launch)
    assert launch.attempt == attempt("n0", 2)
    assert [entry.path for entry in launch.journal] == ["n0/1"]


def test_a_body_waits_out_its_backoff() -> None:
    play = playing_eager(retries=1, backoff=5.0)
    play.call("1")
    play.post(AttemptFault(E0, fault(), play.now))
    play.post(play.only(SetTimer).event)
    assert recorded(play) == []


# --- retries of a body -----------------------------------------------------------------------------------------------


def test_a_retry_of_the_body_keeps_what_succeeded() -> None:
    play = playing_eager(retries=1)
    play.call("1")
    play.succeeded("n0/1")
    play.post(StartTimer(E0, "n0", "t1", 20.0, play.now))
    play.post(FireTimer(E0, "n0", "t1", play.now))
    play.post(RecordValue(E0, "n0", "v1", IntLiteral(1), play.now))
    play.call("2")
    play.call("3")
    play.failed("n0/2")
    play.post(AttemptFault(E0, fault("of 2"), play.now))
    assert [cancel.attempt for cancel in play.every(Cancel)] == [attempt("n0/3")]
    assert recorded(play) == [("n0", "1", True), ("n0", "v1", True)]
    assert play.node("n0").user_retries == 1
    play.started("n0", 2)
    assert play.call("1", driver=2) == [Deliver(attempt("n0", 2), (play.delivered(),))]
    play.call("2", driver=2)
    assert play.launched() == [attempt("n0/2~2")]
    assert play.node("n0/2").replaced
    assert play.node("n0/2").phase is Phase.FAILED
    assert not play.node("n0/1").replaced
    play.succeeded("n0/2~2")
    assert (play.delivered().key, play.delivered().path) == ("2", "n0/2~2")


def test_a_retry_keeps_what_succeeded_inside_an_inline_body_that_failed() -> None:
    play = playing_eager(eager("f"), retries=1)
    play.call("1", "f", inline=True)
    play.call("1", parent="n0/1")
    play.succeeded("n0/1/1")
    play.call("2", parent="n0/1")
    play.failed("n0/1/2")
    play.post(FinishCall(E0, "n0", "1", Failed(fault()), play.now))
    play.post(AttemptFault(E0, fault(), play.now))
    assert recorded(play) == [("n0/1", "1", True)]
    play.started("n0", 2)
    play.call("1", "f", driver=2, inline=True)
    assert play.node("n0/1~2").phase is Phase.RUNNING
    play.call("2", driver=2, parent="n0/1")
    assert play.launched() == [attempt("n0/1~2/2")]
    play.succeeded("n0/1~2/2")
    assert (play.delivered().parent, play.delivered().key) == ("n0/1", "2")


def test_a_driver_that_runs_too_long_is_stopped_with_its_calls() -> None:
    play = playing_eager(timeout=5.0)
    play.call("1")
    play.post(TimeoutDue("n0", 1, play.now))
    assert play.only(Cancel).attempt == attempt("n0/1")
    assert play.phases() == {"n0": "ABORTING", "n0/1": "ABORTED"}
    play.failed("n0", fault("stopped", Fault.CANCELLED))
    assert play.phases() == {"n0": "TIMED_OUT", "n0/1": "ABORTED"}


# --- bodies that change ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("said", [True, False])
def test_another_call_at_the_same_key_is_a_new_incarnation(said: bool) -> None:
    play = playing_eager(task("u"))
    play.call("1")
    play.call("1", "u", replaces=said)
    assert play.only(Cancel).attempt == attempt("n0/1")
    assert play.every(Deliver) == []
    assert play.launched() == [attempt("n0/1~2")]
    assert play.node("n0/1").replaced
    assert play.node("n0/1").phase is Phase.ABORTED
    play.succeeded("n0/1~2")
    assert (play.delivered().key, play.delivered().entity) == ("1", "u")
    play.call("1", "t", digest="third", replaces=True)
    assert play.launched() == [attempt("n0/1~3")]


def test_a_replaced_inline_body_is_forgotten_with_all_its_calls() -> None:
    play = playing_eager(eager("f"))
    play.call("1", "f", inline=True)
    play.call("1", parent="n0/1")
    play.succeeded("n0/1/1")
    play.call("1", "f", digest="other", inline=True, replaces=True)
    play.call("1", parent="n0/1")
    assert play.launched() == [attempt("n0/1~2/1")]


def test_a_graft_takes_the_outcome_of_a_call_that_finished() -> None:
    play = playing_eager(task("u"))
    play.call("1")
    play.succeeded("n0/1", 5)
    play.call("1", "u", replaces=True)
    play.call("2", graft="n0/1")
    assert play.every(Launch) == []
    assert play.delivered().outcome == Done(out(5))
    state = play.node("n0/2")
    assert (state.phase, state.grafted_from, state.attempts) == (Phase.SUCCEEDED, "n0/1", ())
    assert state.queued_at == state.created_at > 0.0


def test_a_graft_of_a_cached_call_is_cached() -> None:
    play = playing_eager(task("c", cache=CacheSpec("1")))
    play.call("1", "c")
    play.post(CacheHit("n0/1", out(2), "earlier", play.now))
    play.call("2", "c", graft="n0/1")
    assert play.delivered().outcome == Done(out(2), cached=True)


def test_a_graft_of_what_has_not_succeeded_or_is_another_call_runs() -> None:
    play = playing_eager(task("u"))
    play.call("1")
    play.call("2", graft="n0/1")
    assert play.launched() == [attempt("n0/2")]
    play.succeeded("n0/1")
    play.call("3", "u", graft="n0/1")
    assert play.launched() == [attempt("n0/3")]
    play.call("4", graft="n0/gone")
    assert play.launched() == [attempt("n0/4")]


def test_an_eager_call_may_have_a_driver_of_its_own() -> None:
    play = playing_eager(eager("f"))
    play.call("1", "f")
    inner = attempt("n0/1")
    assert play.launched() == [inner]
    play.started("n0/1")
    play.post(BeginCall(inner, "n0/1", "1", "t", False, ONE, "t", play.now))
    assert play.launched() == [attempt("n0/1/1")]
    play.succeeded("n0/1/1")
    assert play.only(Deliver).attempt == inner
    play.post(Succeeded(inner, out(3), play.now))
    assert play.only(Deliver).attempt == E0


def test_a_call_displaces_a_value_at_its_key() -> None:
    play = playing_eager()
    play.post(RecordValue(E0, "n0", "1", IntLiteral(4), play.now))
    play.call("1", digest="call")
    assert play.launched() == [attempt("n0/1")]
