"""Maps: their items, how many go on at a time, how many must succeed, and what is no list."""

from typing import Any

import pytest

from tests.unit.engine.playing import ONE, Play, X, attempt, eager, fault, graph, node, out, program, task
from whimbrel.engine.arrays import needed
from whimbrel.model.attempt import Cancel, Deliver, Launch
from whimbrel.model.commands import LookUpCache, WriteCache
from whimbrel.model.events import AbortRequested, CacheHit, OwnerChanged, RetryDue
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER, NONE, UnionType
from whimbrel.model.literals import IntLiteral, ListLiteral, Literal, NoneLiteral, RefLiteral, StrLiteral, UnionLiteral
from whimbrel.model.program import (
    ArrayTarget,
    Binding,
    CacheSpec,
    FailurePolicy,
    LiteralBinding,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    TaskSpec,
    TaskTarget,
    WorkflowTarget,
)
from whimbrel.model.run import Done

NOTHING = Metadata()


def ints(*values: int) -> ListLiteral:
    return ListLiteral(tuple(map(IntLiteral, values)))


def mapped(
    *values: int, over: Any = None, x: Literal | None = None, overrides: Metadata = NOTHING, **said: Any
) -> Node:
    """A map ``n0`` of ``t`` over ``values``."""
    target = ArrayTarget("map t", over or TaskTarget("t"), said.pop("mapped", ("x",)), **said)
    return Node("n0", target, {"x": LiteralBinding(x or ints(*values))}, overrides=overrides)


def playing(the_map: Node, *others: TaskSpec, inner: TaskSpec | None = None, **options: Any) -> Play:
    return Play(program(inner or task(), *others, graph(the_map)), **options)


def test_every_item_is_a_node_and_the_outputs_are_lists_in_order() -> None:
    play = playing(mapped(7, 8, 9))
    launches = play.every(Launch)
    assert [launch.attempt.path for launch in launches] == ["n0/0", "n0/1", "n0/2"]
    assert [launch.inputs["x"] for launch in launches] == [IntLiteral(7), IntLiteral(8), IntLiteral(9)]
    play.succeeded("n0/2", 92)
    play.succeeded("n0/0", 90)
    assert play.node("n0").phase.value == "RUNNING"
    play.succeeded("n0/1", 91)
    assert play.run.outputs == {"o0": ints(90, 91, 92)}


def test_an_empty_list_gives_empty_lists() -> None:
    play = playing(mapped(min_successes=2))
    assert play.run.outputs == {"o0": ints()}


def test_concurrency_limits_items_that_go_on() -> None:
    play = playing(mapped(1, 2, 3, 4, concurrency=2))
    assert [one.path for one in play.launched()] == ["n0/0", "n0/1"]
    assert "n0/2" not in play.run.nodes
    play.succeeded("n0/1")
    assert [one.path for one in play.launched()] == ["n0/2"]


def test_concurrency_counts_an_item_that_waits_for_its_retry() -> None:
    play = playing(mapped(1, 2, concurrency=1), inner=task(retries=1, backoff=5.0))
    play.failed("n0/0")
    assert play.launched() == []
    play.post(RetryDue("n0/0", 2, play.now))
    play.succeeded("n0/0", number=2)
    assert [one.path for one in play.launched()] == ["n0/1"]


def test_max_parallelism_holds_across_maps() -> None:
    second = Node("n1", ArrayTarget("map t", TaskTarget("t"), ("x",)), {"x": LiteralBinding(ints(1, 2))})
    play = Play(program(task(), graph(mapped(1, 2), second)), max_parallelism=3)
    assert [one.path for one in play.launched()] == ["n0/0", "n0/1", "n1/0"]


def test_a_failed_item_fails_the_map_and_stops_the_rest() -> None:
    play = playing(mapped(1, 2, 3))
    play.failed("n0/1")
    assert sorted(cancel.attempt.path for cancel in play.every(Cancel)) == ["n0/0", "n0/2"]
    assert play.phases() == {"n0": "FAILED", "n0/0": "ABORTED", "n0/1": "FAILED", "n0/2": "ABORTED"}
    assert play.run.failure is not None
    assert play.run.failure.node == "n0/1"


def test_what_has_not_begun_is_never_made() -> None:
    play = playing(mapped(1, 2, 3, concurrency=1))
    play.failed("n0/0")
    assert list(play.run.nodes) == ["n0", "n0/0"]


def test_items_that_may_fail_give_none() -> None:
    play = playing(mapped(1, 2, 3, min_successes=2))
    play.failed("n0/1")
    play.succeeded("n0/0", 10)
    play.succeeded("n0/2", 12)
    assert play.run.outputs["o0"] == ListLiteral(
        (UnionLiteral(0, IntLiteral(10)), UnionLiteral(1, NoneLiteral()), UnionLiteral(0, IntLiteral(12)))
    )


def test_an_optional_output_keeps_its_variants() -> None:
    kind = UnionType((NONE, INTEGER))
    inner = task(interface=Interface({"x": Parameter(INTEGER)}, {"o0": Variable(kind)}))
    play = playing(mapped(1, 2, min_success_ratio=0.5), inner=inner)
    play.failed("n0/0")
    play.succeeded("n0/1")
    assert play.run.outputs["o0"] == ListLiteral((UnionLiteral(0, NoneLiteral()), IntLiteral(2)))


def test_a_map_fails_as_soon_as_success_is_impossible() -> None:
    play = playing(mapped(1, 2, 3, 4, min_success_ratio=0.75))
    play.failed("n0/0")
    assert play.node("n0").phase.value == "RUNNING"
    play.failed("n0/1", fault("the second"))
    assert play.node("n0").phase.value == "FAILED"
    assert play.run.failure is not None
    assert play.run.failure.message == "boom"
    assert play.run.failure.notes == ("2 of 4 items have failed, and 3 must succeed",)


@pytest.mark.parametrize(
    ("said", "length", "wanted"),
    [
        ({}, 3, 3),
        ({"min_success_ratio": 0.7}, 10, 7),
        ({"min_success_ratio": 0.71}, 10, 8),
        ({"min_success_ratio": 0.0}, 10, 0),
        ({"min_successes": 2, "min_success_ratio": 0.9}, 10, 2),
    ],
)
def test_how_many_must_succeed(said: dict[str, Any], length: int, wanted: int) -> None:
    assert needed(ArrayTarget("m", TaskTarget("t"), ("x",), **said), length) == wanted


def test_a_referenced_list_is_never_read() -> None:
    play = playing(mapped(x=RefLiteral("blob://l", "d", 99, (), 2)))
    assert [launch.inputs["x"] for launch in play.every(Launch)] == [
        RefLiteral("blob://l", "d", 99, (0,), 2),
        RefLiteral("blob://l", "d", 99, (1,), 2),
    ]


@pytest.mark.parametrize(
    ("literal", "why"),
    [
        (StrLiteral("abc"), "'x' is mapped over, and is no list: it is str"),
        (RefLiteral("blob://l", "d", 99, ("rows",), 2), "how long 'x' is cannot be known"),
        (RefLiteral("blob://l", "d", 99, ()), "how long 'x' is cannot be known"),
    ],
)
def test_what_cannot_be_mapped_over(literal: Literal, why: str) -> None:
    play = playing(mapped(x=literal))
    assert play.run.failure is not None
    assert why in play.run.failure.message


TWO = Interface({"x": Parameter(INTEGER), "y": Parameter(INTEGER)}, {"o0": Variable(INTEGER), "o1": Variable(INTEGER)})


def two(x: Binding, y: Binding, *over: str) -> Play:
    the_map = Node("n0", ArrayTarget("map t", TaskTarget("t"), over), {"x": x, "y": y})
    return Play(program(task(interface=TWO), graph(the_map)))


def test_several_lists_go_together_and_what_is_no_list_is_the_same_for_all() -> None:
    play = two(LiteralBinding(ints(1, 2)), X, "x")
    assert [launch.inputs for launch in play.every(Launch)] == [
        {"x": IntLiteral(1), "y": IntLiteral(1)},
        {"x": IntLiteral(2), "y": IntLiteral(1)},
    ]
    play = two(LiteralBinding(ints(1, 2)), LiteralBinding(ints(3, 4)), "x", "y")
    assert play.every(Launch)[1].inputs == {"x": IntLiteral(2), "y": IntLiteral(4)}


def test_lists_of_different_lengths_fail() -> None:
    play = two(LiteralBinding(ints(1, 2)), LiteralBinding(ints(3)), "x", "y")
    assert play.run.failure is not None
    assert "different lengths: x has 2, y has 1" in play.run.failure.message


def test_too_few_items_fail_at_once() -> None:
    play = playing(mapped(1, min_successes=2))
    assert play.run.failure is not None
    assert "has 1 items, of which 2 must succeed" in play.run.failure.message


def test_an_output_that_an_item_does_not_give_fails_the_map() -> None:
    play = two(LiteralBinding(ints(1)), X, "x")
    play.succeeded("n0/0")
    assert play.run.failure is not None
    assert "output 'o1' of n0/0 does not exist" in play.run.failure.message


def test_items_are_cached_as_the_task_itself() -> None:
    inner = task(cache=CacheSpec("1"))
    play = playing(mapped(1, 1), inner=inner)
    keys = [lookup.key for lookup in play.every(LookUpCache)]
    alone = Play(program(inner, graph(node("n0"))))
    assert keys == [alone.only(LookUpCache).key] * 2
    play.post(CacheHit("n0/0", out(5), "before", play.now))
    play.post(CacheHit("n0/1", out(5), "before", play.now))
    assert play.run.outputs == {"o0": ints(5, 5)}
    assert play.every(WriteCache) == []


def test_what_is_said_of_the_map_is_said_of_its_items() -> None:
    play = playing(mapped(1, overrides=Metadata(retries=1)))
    play.failed("n0/0")
    assert play.launched() == [attempt("n0/0", 2)]


def test_a_map_of_maps() -> None:
    inner = ArrayTarget("inner", TaskTarget("t"), ("x",))
    play = playing(mapped(over=inner, x=ListLiteral((ints(1, 2), ints(), ints(3)))))
    assert [one.path for one in play.launched()] == ["n0/0/0", "n0/0/1", "n0/2/0"]
    for path in ("n0/0/0", "n0/0/1", "n0/2/0"):
        play.succeeded(path)
    assert play.run.outputs["o0"] == ListLiteral((ints(2, 2), ints(), ints(2)))


def test_a_map_over_a_workflow_and_over_an_eager_one() -> None:
    inside = graph(node("n0"), name="inside")
    play = Play(program(task(), inside, graph(mapped(1, 2, over=WorkflowTarget("inside")))))
    assert [one.path for one in play.launched()] == ["n0/0/n0", "n0/1/n0"]
    play = Play(program(eager(), graph(mapped(1, 2, over=TaskTarget("e")))), max_parallelism=1)
    assert [one.path for one in play.launched()] == ["n0/0", "n0/1"]  # drivers take no room


def test_a_workflow_that_maps_over_itself_fails() -> None:
    play = Play(program(task(), graph(mapped(1, over=WorkflowTarget("w")))))
    assert play.run.failure is not None
    assert "w contains itself" in play.run.failure.message


def test_an_abort_stops_every_item() -> None:
    play = playing(mapped(1, 2, concurrency=1))
    play.post(AbortRequested("enough", play.now))
    assert play.phases() == {"n0": "ABORTED", "n0/0": "ABORTED"}
    assert play.run.phase.value == "ABORTED"


def test_a_new_owner_launches_the_items_that_are_gone() -> None:
    play = playing(mapped(1, 2))
    play.succeeded("n0/0")
    play.post(OwnerChanged(2, "other", play.now, ("n0/1",)))
    assert play.launched() == [attempt("n0/1", 2)]


def test_the_rest_of_a_graph_goes_on_when_the_policy_says_so() -> None:
    policy = FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
    output = PromiseBinding("n0", "o0")
    play = Play(program(task(), graph(mapped(1, 2), node("n1"), output=output, policy=policy)))
    play.failed("n0/0")
    assert play.phases() == {"n0": "FAILED", "n1": "QUEUED", "n0/0": "FAILED", "n0/1": "ABORTED"}


def test_a_call_of_an_eager_body_is_a_map() -> None:
    play = Play(program(eager(), task(), graph(node("n0", "e"))))
    play.started("n0")
    target = ArrayTarget("map t", TaskTarget("t"), ("x",))
    play.call("0", "map t", target=target, inputs={"x": ints(1, 2)})
    play.succeeded("n0/0/0")
    assert play.every(Deliver) == []
    play.succeeded("n0/0/1")
    assert play.delivered().outcome == Done({"o0": ints(2, 2)})


def test_a_map_of_what_the_program_does_not_have_fails() -> None:
    play = Play(Program({}, {"w": graph(mapped(1))}), inputs=ONE)
    assert play.run.failure is not None
    assert "the program does not have what map t runs" in play.run.failure.message
