"""Dynamic nodes: an attempt that says what is to be run in its place."""

from typing import Any

import pytest

from tests.unit.engine.playing import Play, attempt, fault, graph, node, out, program, task
from whimbrel.errors import IllegalTransition
from whimbrel.model.attempt import Cancel, Deliver, Unfolded
from whimbrel.model.commands import LookUpCache, WriteCache
from whimbrel.model.events import AbortRequested, CacheMiss, OwnerChanged, TimeoutDue
from whimbrel.model.interface import Interface, Variable
from whimbrel.model.literal_types import INTEGER
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import (
    Binding,
    CacheSpec,
    FailurePolicy,
    Graph,
    LiteralBinding,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    TaskKind,
    TaskSpec,
    TaskTarget,
)

FIVE = LiteralBinding(IntLiteral(5))


def dynamic(**metadata: Any) -> TaskSpec:
    return task("d", TaskKind.DYNAMIC, **metadata)


def inside(*nodes: Node, output: Binding | None = None, **options: Any) -> Graph:
    """What a body has unfolded into; its output is that of its last node."""
    return Graph(
        "d",
        Interface({}, {"o0": Variable(INTEGER)}),
        nodes,
        {"o0": output or PromiseBinding(nodes[-1].id, "o0")},
        **options,
    )


def playing(**metadata: Any) -> Play:
    return Play(program(dynamic(**metadata), task(), graph(node("n0", "d"))))


def unfold(play: Play, whole: Graph, path: str = "n0", number: int = 1, define: Program | None = None) -> None:
    play.post(Unfolded(attempt(path, number), whole, define or Program(), play.now))


def test_the_node_becomes_what_its_body_has_said() -> None:
    play = playing()
    play.started("n0")
    unfold(play, inside(node("dn0", x=FIVE), node("dn1", above=["dn0"])))
    assert play.phases() == {"n0": "DYNAMIC_RUNNING", "n0/dn0": "QUEUED", "n0/dn1": "UNDEFINED"}
    play.succeeded("n0/dn0")
    play.succeeded("n0/dn1", 9)
    assert play.run.outputs == out(9)


def test_a_body_that_calls_nothing_succeeds_like_a_task() -> None:
    play = playing()
    play.succeeded("n0", 4)
    assert play.run.outputs == out(4)


def test_a_body_whose_beginning_was_not_reported() -> None:
    play = playing()
    unfold(play, inside(output=FIVE))
    assert play.run.outputs == out(5)
    assert play.node("n0").started_at > 0.0


def test_a_failure_inside_is_the_nodes_and_is_not_retried() -> None:
    play = playing(retries=3)
    unfold(play, inside(node("dn0", x=FIVE), node("dn1", x=FIVE)))
    play.failed("n0/dn0")
    assert play.phases() == {"n0": "FAILED", "n0/dn0": "FAILED", "n0/dn1": "ABORTED"}
    assert play.run.failure is not None
    assert play.run.failure.node == "n0/dn0"


def test_a_body_that_fails_is_retried() -> None:
    play = playing(retries=1)
    play.failed("n0")
    unfold(play, inside(output=FIVE), number=2)
    assert play.run.outputs == out(5)


def test_the_policy_is_that_of_the_graph() -> None:
    play = playing()
    policy = FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
    unfold(play, inside(node("dn0", x=FIVE), node("dn1", x=FIVE), failure_policy=policy))
    play.failed("n0/dn0")
    assert play.node("n0").phase.value == "FAILING"
    play.succeeded("n0/dn1")
    assert play.run.phase.value == "FAILED"


def test_the_time_out_is_of_the_body() -> None:
    play = playing(timeout=5.0)
    play.started("n0")
    unfold(play, inside(node("dn0", x=FIVE)))
    play.post(TimeoutDue("n0", 1, play.now + 5.0))
    assert play.node("n0").phase.value == "DYNAMIC_RUNNING"


def test_success_is_cached() -> None:
    play = playing(cache=CacheSpec("1"))
    asked = play.only(LookUpCache)
    play.post(CacheMiss("n0", "never computed", play.now))
    unfold(play, inside(node("dn0", x=FIVE)))
    assert play.every(LookUpCache) == []
    play.succeeded("n0/dn0", 3)
    assert play.only(WriteCache) == WriteCache("n0", asked.key, out(3))


def test_what_it_brings_is_known_from_then_on() -> None:
    play = playing()
    later = task("later", retries=1)
    unfold(play, inside(node("dn0", "later", x=FIVE)), define=Program({"later": later}))
    play.failed("n0/dn0")
    assert play.launched() == [attempt("n0/dn0", 2)]


def test_what_is_said_of_the_node_is_said_of_its_body_alone() -> None:
    inner = Node("n0", TaskTarget("d"), {"x": FIVE}, overrides=Metadata(retries=2))
    play = Play(program(dynamic(), task(), graph(inner)))
    unfold(play, inside(node("dn0", x=FIVE)))
    play.failed("n0/dn0")
    assert play.run.phase.value == "FAILED"


def test_one_that_cannot_be_run_fails_the_node() -> None:
    play = playing(retries=3)
    unfold(play, inside(Node("dn0", TaskTarget("t"), {"x": FIVE}, ("gone",))))
    assert play.run.failure is not None
    assert "dn0 of d waits for gone" in play.run.failure.message
    play = playing()
    unfold(play, inside(node("dn0", x=FIVE), output=PromiseBinding("dn0", "o7")))
    play.succeeded("n0/dn0")
    assert play.run.failure is not None
    assert "output 'o0' cannot be bound" in play.run.failure.message


def test_it_may_unfold_into_itself() -> None:
    play = playing()
    path = "n0"
    for _ in range(3):
        unfold(play, inside(node("dn0", "d", x=FIVE)), path)
        path += "/dn0"
    play.succeeded(path, 8)
    assert play.run.outputs == out(8)


def test_a_late_word_changes_nothing() -> None:
    play = playing()
    unfold(play, inside(node("dn0", x=FIVE)))
    unfold(play, inside(node("dn1", x=FIVE)))
    assert list(play.run.nodes) == ["n0", "n0/dn0"]


def test_only_dynamic_nodes_unfold() -> None:
    play = Play(program(task(), graph(node("n0"))))
    with pytest.raises(IllegalTransition, match="cannot unfold"):
        unfold(play, inside(output=FIVE))


def test_its_attempt_takes_room_and_what_is_inside_takes_its_own() -> None:
    play = Play(program(dynamic(), task(), graph(node("n0", "d"), node("n1"))), max_parallelism=1)
    assert play.launched() == [attempt("n0")]
    unfold(play, inside(node("dn0", x=FIVE)))
    assert play.launched() == [attempt("n1")]
    play.succeeded("n1")
    assert play.launched() == [attempt("n0/dn0")]


def test_an_abort_stops_what_is_inside() -> None:
    play = playing()
    unfold(play, inside(node("dn0", x=FIVE)))
    play.post(AbortRequested("enough", play.now))
    assert play.only(Cancel).attempt == attempt("n0/dn0")
    assert play.phases() == {"n0": "ABORTED", "n0/dn0": "ABORTED"}


def test_a_new_owner_asks_for_the_body_or_for_what_is_inside() -> None:
    play = playing()
    play.post(OwnerChanged(2, "other", play.now, ("n0",)))
    assert play.launched() == [attempt("n0", 2)]
    unfold(play, inside(node("dn0", x=FIVE)), number=2)
    play.post(OwnerChanged(3, "third", play.now, ("n0/dn0",)))
    assert play.launched() == [attempt("n0/dn0", 2)]


def test_a_call_of_an_eager_body_unfolds() -> None:
    play = Play(program(task("e", TaskKind.EAGER), dynamic(), task(), graph(node("n0", "e"))))
    play.started("n0")
    play.call("0", "d")
    unfold(play, inside(node("dn0", x=FIVE)), "n0/0")
    play.succeeded("n0/0/dn0", 6)
    assert play.only(Deliver).entries[0].path == "n0/0"


def test_a_failed_body_says_so() -> None:
    play = playing()
    play.failed("n0", fault("no graph"))
    assert play.run.failure is not None
    assert play.run.failure.message == "no graph"
