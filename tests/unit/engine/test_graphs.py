"""Static workflows: unfolding, binding, failure policies, aborts, what is left over."""

import pytest

from tests.unit.engine.playing import ONE, Play, X, attempt, eager, graph, node, out, program, task
from whimbrel.engine.run import Run
from whimbrel.errors import IllegalTransition
from whimbrel.model.attempt import Cancel, Launch, Lost, Started, Succeeded
from whimbrel.model.commands import EndRun
from whimbrel.model.events import AbortRequested, OwnerChanged, RetryDue, RunRequested
from whimbrel.model.failure import Fault
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER, STRING
from whimbrel.model.literals import IntLiteral, ListLiteral, MapLiteral, RefLiteral, StrLiteral
from whimbrel.model.program import (
    FailurePolicy,
    Graph,
    ListBinding,
    MapBinding,
    Metadata,
    Node,
    PromiseBinding,
    WorkflowTarget,
)
from whimbrel.model.run import Phase, RunOptions

LENIENT = FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE


def test_a_chain_runs_in_order() -> None:
    play = Play(program(task(), graph(node("n0"), node("n1", above=["n0"]))))
    launch = play.only(Launch)
    assert launch.attempt == attempt("n0")
    assert launch.inputs == ONE
    assert launch.workflow == "w"
    assert launch.started_at == 10.0
    assert play.phases() == {"n0": "QUEUED", "n1": "UNDEFINED"}
    assert play.started("n0") == []
    play.succeeded("n0", 5)
    assert play.only(Launch).inputs == {"x": IntLiteral(5)}
    play.started("n1")
    play.succeeded("n1", 6)
    assert play.asked == [EndRun(Phase.SUCCEEDED, out(6), None)]
    assert play.run.outputs == out(6)
    assert (play.run.started_at, play.run.ended_at) == (10.0, 14.0)
    first = play.node("n0")
    assert (first.created_at, first.queued_at, first.started_at, first.ended_at) == (10.0, 10.0, 11.0, 12.0)
    assert (first.attempts[0].started_at, first.attempts[0].ended_at) == (11.0, 12.0)
    assert play.node("n0").attempts[0].worker == "w1"


def test_an_empty_workflow_succeeds_at_once() -> None:
    play = Play(program(graph(output=X)))
    assert play.asked == [EndRun(Phase.SUCCEEDED, {"o0": IntLiteral(1)}, None)]
    inner = graph(name="inner", output=X)
    play = Play(program(inner, graph(Node("n0", WorkflowTarget("inner"), {"x": X}))))
    assert play.run.outputs == {"o0": IntLiteral(1)}
    assert play.phases() == {"n0": "SUCCEEDED"}


def test_creation_order_is_not_execution_order() -> None:
    play = Play(program(task(), graph(node("n0", above=["n1"]), node("n1"), output=PromiseBinding("n0", "o0"))))
    assert play.launched() == [attempt("n1")]
    assert list(play.run.nodes) == ["n0", "n1"]


def test_sub_workflows_nest_their_paths() -> None:
    inner = graph(node("n0"), name="inner")
    middle = graph(Node("n0", WorkflowTarget("inner"), {"x": X}), name="middle")
    play = Play(program(task(), inner, middle, graph(Node("n0", WorkflowTarget("middle"), {"x": X}))))
    assert play.launched() == [attempt("n0/n0/n0")]
    assert play.node("n0/n0").parent == "n0"
    play.succeeded("n0/n0/n0", 9)
    assert play.run.outputs == out(9)
    assert play.node("n0").outputs == out(9)


def test_nesting_needs_no_stack() -> None:
    depth = 1_500
    flows = [graph(node("n0"), name="f0")]
    flows += [graph(Node("n0", WorkflowTarget(f"f{n - 1}"), {"x": X}), name=f"f{n}") for n in range(1, depth)]
    run = Run()
    (launch,) = run.handle(RunRequested("r", f"f{depth - 1}", program(task(), *flows), ONE, RunOptions(), 1.0))
    assert isinstance(launch, Launch)
    run.handle(Succeeded(launch.attempt, out(1), 2.0))
    assert run.phase is Phase.SUCCEEDED


def test_a_long_chain_needs_no_stack() -> None:
    nodes = [node("n0")] + [node(f"n{n}", above=[f"n{n - 1}"]) for n in range(1, 3_000)]
    run = Run(keep_story=False)
    commands = run.handle(RunRequested("r", "w", program(task(), graph(*nodes)), ONE, RunOptions(), 1.0))
    while isinstance(commands[0], Launch):
        commands = run.handle(Succeeded(commands[0].attempt, out(1), 2.0))
    assert run.phase is Phase.SUCCEEDED
    assert run.story() == []


def test_a_workflow_that_contains_itself_fails() -> None:
    play = Play(program(task(), graph(Node("n0", WorkflowTarget("w"), {"x": X}))))
    assert play.run.failure is not None
    assert "w contains itself" in play.run.failure.message


def test_upstream_that_does_not_exist_fails_the_run() -> None:
    play = Play(program(task(), graph(node("n0", above=["n9"]))))
    assert play.run.phase is Phase.FAILED
    assert play.run.failure is not None
    assert play.run.failure.message == "n0 of w waits for n9, which is no node of it"


# --- binding ---------------------------------------------------------------------------------------------------------


def test_lists_and_maps_are_bound_from_promises() -> None:
    both = MapBinding({"list": ListBinding((X, PromiseBinding("n0", "o0")))})
    play = Play(program(task(), graph(node("n0"), node("n1", above=["n0"], x=both))))
    play.succeeded("n0", 5)
    assert play.only(Launch).inputs["x"] == MapLiteral({"list": ListLiteral((IntLiteral(1), IntLiteral(5)))})


def test_steps_into_a_value() -> None:
    inside = PromiseBinding("n0", "o0", ("rows", 0))
    play = Play(program(task(), graph(node("n0"), node("n1", above=["n0"], x=inside))))
    rows = MapLiteral({"rows": ListLiteral((IntLiteral(4),))})
    play.post(Succeeded(attempt("n0"), {"o0": rows}, play.now))
    assert play.only(Launch).inputs == {"x": IntLiteral(4)}


def test_steps_into_a_reference_are_left_to_the_worker() -> None:
    inside = PromiseBinding("n0", "o0", ("rows", 0))
    play = Play(program(task(), graph(node("n0"), node("n1", above=["n0"], x=inside))))
    play.post(Succeeded(attempt("n0"), {"o0": RefLiteral("b://1", "d", 9, ())}, play.now))
    assert play.only(Launch).inputs == {"x": RefLiteral("b://1", "d", 9, ("rows", 0))}


def test_a_step_that_leads_nowhere_fails_the_node_and_names_binding_and_line() -> None:
    inside = PromiseBinding("n0", "o0", ("rows", 3, "price"))
    play = Play(program(task(), graph(node("n0"), node("n1", above=["n0"], x=inside, name="fit"))))
    play.post(Succeeded(attempt("n0"), {"o0": MapLiteral({"rows": ListLiteral(())})}, play.now))
    failure = play.run.failure
    assert failure is not None
    assert (failure.fault, failure.node, failure.line) == (Fault.USER, "n1", "flow.py:7")
    assert failure.message == (
        "fit: input 'x' cannot be bound: there is nothing at $.rows[3] in output 'o0' of n0 (wanted $.rows[3].price)"
    )


def test_an_output_that_was_not_given_fails_the_node() -> None:
    play = Play(program(task(), graph(node("n0"), node("n1", above=["n0"]))))
    play.post(Succeeded(attempt("n0"), {}, play.now))
    assert play.run.failure is not None
    assert "output 'o0' of n0 does not exist" in play.run.failure.message


def test_a_workflow_output_that_cannot_be_bound_fails_the_run() -> None:
    play = Play(program(task(), graph(node("n0"), output=PromiseBinding("n0", "gone"))))
    play.succeeded("n0")
    assert play.run.phase is Phase.FAILED
    assert play.run.failure is not None
    assert play.run.failure.line == "flow.py:3"
    assert "output 'o0' cannot be bound" in play.run.failure.message


def test_defaults_fill_in_what_is_not_bound() -> None:
    two = Interface(
        {"x": Parameter(INTEGER), "y": Parameter(INTEGER, default=IntLiteral(8))}, {"o0": Variable(INTEGER)}
    )
    play = Play(program(task(interface=two), graph(node("n0"))))
    assert play.only(Launch).inputs == {"x": IntLiteral(1), "y": IntLiteral(8)}


def test_the_runs_inputs_are_checked() -> None:
    whole = program(task(), graph(node("n0")))
    missing = Play(whole, inputs={})
    assert missing.asked == [EndRun(Phase.FAILED, {}, missing.run.failure)]
    assert missing.run.failure is not None
    assert missing.run.failure.message == "w needs input 'x' (int), which has no default and was not given"
    wrong = Play(whole, inputs={"x": StrLiteral("1")})
    assert wrong.run.failure is not None
    assert wrong.run.failure.message == "input 'x' of w: expected int, got str at $"
    unknown = Play(whole, inputs={**ONE, "z": IntLiteral(1)})
    assert unknown.run.failure is not None
    assert unknown.run.failure.message == "w has no input 'z'; it has: x"
    nothing = Play(whole, workflow="v")
    assert nothing.run.failure is not None
    assert nothing.run.failure.message == "the program has no workflow 'v'; it has: w"
    text = Interface({"x": Parameter(STRING, default=StrLiteral("d"))})
    assert Play(program(Graph("w", text)), inputs={}).run.phase is Phase.SUCCEEDED


def test_a_task_that_the_program_does_not_have_fails_its_node() -> None:
    play = Play(program(graph(node("n0", "gone"))))
    assert play.run.failure is not None
    assert play.run.failure.message == "gone: the program has no task 'gone'"


def test_overrides_and_the_runs_environment_are_laid_over() -> None:
    spec = task(retries=1, environment={"A": "spec", "B": "spec", "C": "spec"})
    overrides = Metadata(retries=3, environment={"B": "node", "C": "node"})
    play = Play(program(spec, graph(node("n0", overrides=overrides))), environment={"C": "run"})
    metadata = play.only(Launch).metadata
    assert metadata.retries == 3
    assert metadata.environment == {"A": "spec", "B": "node", "C": "run"}


def test_waiting_for_the_start_is_waiting_for_nothing() -> None:
    play = Play(program(task(), graph(node("n0", above=["start-node"], x=X))))
    assert play.launched() == [attempt("n0")]


# --- failure, abort --------------------------------------------------------------------------------------------------


def test_the_first_failure_stops_the_rest() -> None:
    waiting = node("n3", above=["n1"])
    play = Play(program(task(), graph(node("n0"), node("n1"), node("n2"), waiting)), max_parallelism=2)
    play.started("n1")
    play.failed("n0")
    assert [cancel.attempt for cancel in play.every(Cancel)] == [attempt("n1")]
    assert play.phases() == {"n0": "FAILED", "n1": "ABORTED", "n2": "ABORTED", "n3": "SKIPPED"}
    end = play.only(EndRun)
    assert end.phase is Phase.FAILED
    assert end.failure is not None
    assert (end.failure.node, end.failure.message) == ("n0", "boom")


def test_what_is_ready_when_a_neighbour_fails_to_begin_is_not_launched() -> None:
    broken = node("n1", above=["n0"], x=PromiseBinding("n0", "gone"))
    ready = [node("n2", above=["n0"]), node("n3", "e", above=["n0"])]
    for nodes in ([node("n0"), broken, *ready], [node("n0"), *ready, broken]):
        play = Play(program(task(), eager(), graph(*nodes)))
        play.succeeded("n0")
        assert play.every(Launch) == []
        assert play.every(Cancel) == []
        assert play.run.phase is Phase.FAILED
        assert play.node("n1").phase is Phase.FAILED
        assert {play.node(id).phase for id in ("n2", "n3")} <= {Phase.SKIPPED, Phase.ABORTED}


def test_a_lenient_workflow_goes_on_with_what_can_run() -> None:
    nodes = [node("n0"), node("n1", above=["n0"]), node("n2"), node("n3", above=["n2"]), node("n4", above=["n3", "n1"])]
    play = Play(program(task(), graph(*nodes, policy=LENIENT)))
    play.failed("n0")
    assert play.run.phase is Phase.FAILING
    assert play.phases() == {"n0": "FAILED", "n1": "SKIPPED", "n2": "QUEUED", "n3": "UNDEFINED", "n4": "SKIPPED"}
    play.succeeded("n2")
    play.failed("n3", None)
    assert play.run.phase is Phase.FAILED
    assert play.run.failure is not None
    assert play.run.failure.node == "n0"


def test_a_sub_workflows_failure_is_its_nodes() -> None:
    inner = graph(node("n0"), node("n1"), name="inner", policy=LENIENT)
    outer = graph(Node("n0", WorkflowTarget("inner"), {"x": X}))
    play = Play(program(task(), inner, outer))
    play.failed("n0/n0")
    assert play.node("n0").phase is Phase.FAILING
    play.succeeded("n0/n1")
    assert play.phases() == {"n0": "FAILED", "n0/n0": "FAILED", "n0/n1": "SUCCEEDED"}
    assert play.run.failure is not None
    assert play.run.failure.node == "n0/n0"


def test_an_abort_stops_everything_and_stays() -> None:
    play = Play(program(task(), graph(node("n0"), node("n1"), node("n2", above=["n1"]))))
    play.succeeded("n0")
    play.started("n1")
    play.post(AbortRequested("enough", play.now))
    assert play.only(Cancel).attempt == attempt("n1")
    assert play.only(EndRun).phase is Phase.ABORTED
    assert play.phases() == {"n0": "SUCCEEDED", "n1": "ABORTED", "n2": "ABORTED"}
    assert play.node("n0").outputs == out(2)
    before = play.run.snapshot()
    assert play.succeeded("n1") == []
    assert play.post(AbortRequested("again", play.now)) == []
    assert play.run.phase is Phase.ABORTED
    assert play.run.seq == 6
    assert len(before) == len(play.run.snapshot())


def test_no_more_run_at_once_than_allowed() -> None:
    play = Play(program(task(), graph(*[node(f"n{n}") for n in range(4)])), max_parallelism=2)
    assert play.launched() == [attempt("n0"), attempt("n1")]
    play.succeeded("n1")
    assert play.launched() == [attempt("n2")]
    play.succeeded("n0")
    assert play.launched() == [attempt("n3")]


# --- late, twice, impossible -----------------------------------------------------------------------------------------


def test_reports_of_attempts_that_are_over_are_ignored() -> None:
    play = Play(program(task(), graph(node("n0"), node("n1"))))
    play.started("n0")
    play.post(Lost(attempt("n0"), "silent", play.now))
    assert play.launched() == [attempt("n0", 2)]
    assert play.succeeded("n0", number=1) == []
    assert play.node("n0").phase is Phase.QUEUED
    assert any("ignored: attempt 1 succeeded" in line for line in play.run.story("n0"))
    play.succeeded("n0", number=2)
    assert play.succeeded("n0", 77, number=2) == []
    assert play.node("n0").outputs == out(2)


def test_what_cannot_be_raises_and_changes_nothing() -> None:
    run = Run()
    with pytest.raises(IllegalTransition, match="before the run was requested"):
        run.handle(AbortRequested("x", 1.0))
    play = Play(program(task(), graph(node("n0"))))
    before = play.run.snapshot()
    assert play.run.id == "r"
    for event, words in [
        (Started(attempt("n7"), "w", 1.0), "there is no such node"),
        (Started(attempt("n0", 2), "w", 1.0), "attempt 2 was never launched"),
        (play.log[0], "after the run was requested"),
        (RetryDue("n7", 1, 1.0), "no such node"),
        (OwnerChanged(2, "b", 1.0, ("n0", "n7")), "no such node"),
    ]:
        with pytest.raises(IllegalTransition, match=words):
            play.run.handle(event)
        assert play.run.snapshot() == before
    with pytest.raises(IllegalTransition, match=r"#1 .*n0: attempt 1 launched"):
        play.run.handle(Started(attempt("n0", 2), "w", 1.0))


# --- taking over -----------------------------------------------------------------------------------------------------


def test_a_new_owner_launches_again_what_is_gone_and_spends_nothing() -> None:
    play = Play(program(task(), graph(node("n0"), node("n1"))), system_retries=0)
    play.started("n0")
    run = Run.replay(play.log)
    assert run.snapshot() == play.run.snapshot()
    assert run.live_attempts() == [attempt("n0"), attempt("n1")]
    run.handle(OwnerChanged(2, "b", 50.0, ("n0",)))
    assert [command.attempt for command in run.outstanding() if isinstance(command, Launch)] == [
        attempt("n0", 2),
        attempt("n1", 1),
    ]
    assert run.nodes["n0"].system_retries == 0
    run.check_invariants()


def test_what_has_no_attempt_cannot_lose_one() -> None:
    play = Play(program(task(), graph(node("n0"), node("n1"))))
    play.succeeded("n0")
    assert play.post(OwnerChanged(2, "b", play.now, ("n0",))) == []
    assert play.phases() == {"n0": "SUCCEEDED", "n1": "QUEUED"}
    assert "ignored: its attempt is gone" in play.run.story("n0")[-1]


def test_a_run_that_is_over_is_ended_again() -> None:
    play = Play(program(graph(output=X)))
    assert Run.replay(play.log).outstanding() == play.asked


def test_the_story_is_told_by_node_and_of_the_whole_run() -> None:
    play = Play(program(task(), graph(node("n0"))))
    play.started("n0")
    play.failed("n0")
    assert play.run.story("n0") == [
        "#1 +0.000s n0: UNDEFINED -> QUEUED (everything upstream has succeeded)",
        "#1 +0.000s n0: attempt 1 launched",
        "#2 +1.000s n0: QUEUED -> RUNNING (work began)",
        "#3 +2.000s n0: RUNNING -> FAILED (Boom: boom)",
    ]
    assert play.run.story()[-1] == "#3 +2.000s run: FAILING -> FAILED (Boom: boom)"
