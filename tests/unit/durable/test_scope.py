"""Names of calls: stable whatever the timing."""

from __future__ import annotations

from whimbrel.durable.scope import Scope, scope_of, trail_of


def test_calls_are_numbered_in_the_body() -> None:
    body = Scope("n0")
    assert [body.next_call() for _ in range(3)] == ["1", "2", "3"]


def test_calls_timers_and_values_are_numbered_apart() -> None:
    body = Scope("n0")
    assert (body.next_call(), body.next_timer(), body.next_value(), body.next_call()) == ("1", "t1", "v1", "2")


def test_a_task_is_a_scope_named_by_its_coroutine() -> None:
    body = Scope("n0")
    first, other, second = body.spawn("chain"), body.spawn("watch"), body.spawn("chain")
    assert [scope.next_call() for scope in (first, other, second)] == ["chain.1:1", "watch.1:1", "chain.2:1"]
    assert first.spawn("part").next_call() == "chain.1:part.1:1"
    assert body.next_call() == "1", "tasks take no numbers from the body"


def test_a_pin_names_the_call_in_the_whole_body() -> None:
    scope = Scope("n0").spawn("chain")
    assert scope.next_call("best/of:3") == "=best_of_3"
    assert scope.next_call() == "chain.1:1"


def test_names_of_coroutines_cannot_break_a_path() -> None:
    assert Scope("n0").spawn("a/b:c~d").next_call() == "a_b_c_d.1:1"


def test_scope_of() -> None:
    assert scope_of("3") == ""
    assert scope_of("chain.1:part.2:t3") == "chain.1:part.2"


def test_a_trail_says_what_created_tasks_together_and_names_nothing() -> None:
    body = Scope("n0")
    first, second = body.group("gather"), body.group("gather")
    assert (first, second) == ("gather#1", "gather#2")
    chain = body.spawn("chain", first)
    assert (chain.trail, chain.next_call()) == ("gather#1/chain.1", "chain.1:1")
    assert chain.spawn("double", chain.group("TaskGroup"), bare=True).trail == "gather#1/chain.1/TaskGroup#1"
    assert body.spawn("chain").trail == "chain.2"
    # A coroutine may be called as a group is.
    assert body.spawn("gather").trail == "gather.1"


def test_a_key_tells_of_its_trail_what_it_can() -> None:
    assert trail_of("chain.1:part.2:t3") == "chain.1/part.2"
    assert trail_of("3") == trail_of("=pin") == ""
