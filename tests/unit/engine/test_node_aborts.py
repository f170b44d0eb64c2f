"""The abort of a launch plan inside a run: final for it, a failure to what is around it."""

from __future__ import annotations

from tests.unit.engine.playing import INT, Play, X, eager, graph, node, program, task
from whimbrel.model.attempt import Cancel
from whimbrel.model.events import AbortRequested, NodeAbortRequested
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.program import FailurePolicy, Graph, LaunchPlanTarget, Node, Program
from whimbrel.model.run import Phase


def plan(id: str = "n0") -> Node:
    return Node(id, LaunchPlanTarget("plan"), {"x": X})


def whole(*nodes: Node, policy: FailurePolicy = FailurePolicy.FAIL_IMMEDIATELY) -> Program:
    outer = graph(*nodes, policy=policy)
    inner: Graph = graph(node("a"), node("b", above=["a"]), name="inner")
    plans = {"plan": LaunchPlanSpec("plan", "inner", INT)}
    return program(task(), eager(), inner, outer).merged(Program({}, {}, plans))


def test_what_is_inside_is_stopped_and_the_run_fails() -> None:
    play = Play(whole(plan(), node("n1")))
    play.started("n0/a")
    asked = play.post(NodeAbortRequested("n0", "enough", play.now))
    assert [command.attempt.path for command in asked if isinstance(command, Cancel)] == ["n0/a", "n1"]
    phases = {path: one.phase for path, one in play.run.nodes.items()}
    assert phases == dict.fromkeys(("n0", "n0/a", "n0/b", "n1"), Phase.ABORTED)
    assert (play.run.phase, play.run.failure and play.run.failure.message) == (Phase.FAILED, "enough")


def test_what_does_not_need_it_goes_on_where_the_workflow_says_so() -> None:
    play = Play(whole(plan(), node("n1"), policy=FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE))
    play.post(NodeAbortRequested("n0", "enough", play.now))
    assert play.run.phase is Phase.FAILING
    play.succeeded("n1")
    assert play.run.phase is Phase.FAILED


def test_an_eager_body_hears_of_it() -> None:
    called = whole(node("n0", "e"))
    play = Play(called)
    play.started("n0")
    play.call("1", "plan", target=LaunchPlanTarget("plan"))
    before = play.run.nodes["n0"].journal
    assert before is not None
    (path,) = [path for path, one in play.run.nodes.items() if one.kind.value == "launch_plan"]
    play.post(NodeAbortRequested(path, "enough", play.now))
    assert play.run.phase is Phase.RUNNING
    assert before.get(("n0", "1")) is not None
    assert "enough" in str(before.get(("n0", "1")))


def test_what_is_over_or_no_launch_plan_stays_as_it_is() -> None:
    play = Play(whole(plan()))
    for path in ("n0/a", "n7"):
        assert play.post(NodeAbortRequested(path, "enough", play.now)) == []
    play.succeeded("n0/a")
    play.succeeded("n0/b")
    assert play.run.phase is Phase.SUCCEEDED
    assert play.post(NodeAbortRequested("n0", "enough", play.now)) == []


def test_two_aborts_are_as_good_as_one() -> None:
    play = Play(whole(plan()))
    play.post(AbortRequested("all of it", play.now))
    play.post(NodeAbortRequested("n0", "enough", play.now))
    assert play.run.phase is Phase.ABORTED
