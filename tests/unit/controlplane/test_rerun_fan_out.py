"""What a new run takes of the maps and dynamic nodes of an old one, and what is foretold of them."""

from __future__ import annotations

from msgspec.structs import replace

from tests.unit.controlplane.test_rerun import INT, foretold, requested, spec
from whimbrel.controlplane.rerun import reusable, settle
from whimbrel.engine.run import Run
from whimbrel.model.attempt import AttemptFault, Launch, Succeeded, Unfolded
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Interface
from whimbrel.model.literals import IntLiteral, ListLiteral
from whimbrel.model.program import (
    ArrayTarget,
    Graph,
    LiteralBinding,
    Node,
    Program,
    PromiseBinding,
    TaskKind,
    TaskTarget,
)


def over(*values: int, **said: int) -> Graph:
    items = LiteralBinding(ListLiteral(tuple(map(IntLiteral, values))))
    the_map = Node("m", ArrayTarget("map t over x", TaskTarget("t"), ("x",), **said), {"x": items})
    after = Node("z", TaskTarget("u"), {"x": PromiseBinding("m", "o0")}, ("m",))
    return Graph("w", INT, (the_map, after), {"o0": PromiseBinding("z", "o0")})


def mapping(graph: Graph) -> Program:
    return Program({"t": spec("t"), "u": spec("u")}, {"w": graph})


def played(request: RunRequested, *fails: str, inside: Graph | None = None) -> Run:
    run = Run()
    waiting = run.handle(request)
    while waiting:
        command = waiting.pop(0)
        if not isinstance(command, Launch):
            continue
        event: Event = Succeeded(command.attempt, {"o0": IntLiteral(7)}, 5.0)
        if command.attempt.path in fails:
            event = AttemptFault(command.attempt, Failure(Fault.USER, "boom", recoverable=False), 5.0)
        elif command.task.kind is TaskKind.DYNAMIC:
            assert inside is not None
            event = Unfolded(command.attempt, inside, Program(), 5.0)
        waiting += run.handle(event)
    return run


def again(old: Run, request: RunRequested) -> Run:
    run = Run()
    run.handle(settle(replace(request, run="new", reuse=reusable(old), moved=True)))
    return run


def test_the_items_that_had_finished_are_taken_one_by_one() -> None:
    request = requested(mapping(over(1, 2, 3, concurrency=1)))
    old = played(request, "m/2")
    told = foretold(old, request)
    assert {path: verdict for path, (verdict, _) in told.items()} == {
        "m/0": "reuse",
        "m/1": "reuse",
        "m/2": "run",
        "z": "run",
    }


def test_a_map_that_had_succeeded_is_taken_whole_with_its_losses() -> None:
    request = requested(mapping(over(1, 2, 3, min_successes=2)))
    run = again(played(request, "m/1", "z"), request)
    assert run.nodes["m"].phase.value == "RECOVERED"
    assert "m/0" not in run.nodes
    assert run.nodes["z"].phase.value == "QUEUED"


def test_another_number_of_successes_makes_another_map() -> None:
    old = played(requested(mapping(over(1, 2, 3, min_successes=2))), "m/1", "z")
    run = again(old, requested(mapping(over(1, 2, 3, min_successes=1))))
    assert run.nodes["m"].phase.value == "RUNNING"
    assert run.nodes["m/0"].phase.value == "RECOVERED"


def test_concurrency_is_nothing_that_an_outcome_shows() -> None:
    old = played(requested(mapping(over(1, 2, concurrency=1))), "z")
    run = again(old, requested(mapping(over(1, 2, concurrency=2))))
    assert run.nodes["m"].phase.value == "RECOVERED"


def test_changed_code_runs_every_item_again() -> None:
    request = requested(mapping(over(1, 2)))
    old = played(request, "z")
    changed = replace(
        request, program=Program({"t": spec("t", t="function:2"), "u": spec("u")}, request.program.workflows)
    )
    run = again(old, changed)
    assert {path: node.phase.value for path, node in run.nodes.items() if path.startswith("m/")} == {
        "m/0": "QUEUED",
        "m/1": "QUEUED",
    }


INSIDE = Graph(
    "d",
    Interface({}, INT.outputs),
    tuple(Node(f"dn{at}", TaskTarget("t"), {"x": LiteralBinding(IntLiteral(at))}) for at in range(2)),
    {"o0": PromiseBinding("dn1", "o0")},
)


def laying_out() -> RunRequested:
    node = Node("n", TaskTarget("d"), {"x": LiteralBinding(IntLiteral(1))})
    after = Node("z", TaskTarget("u"), {"x": PromiseBinding("n", "o0")}, ("n",))
    whole = Graph("w", INT, (node, after), {"o0": PromiseBinding("z", "o0")})
    return requested(Program({"t": spec("t"), "u": spec("u"), "d": spec("d", TaskKind.DYNAMIC)}, {"w": whole}))


def test_a_dynamic_node_that_had_succeeded_is_taken_whole() -> None:
    request = laying_out()
    run = again(played(request, "z", inside=INSIDE), request)
    assert run.nodes["n"].phase.value == "RECOVERED"


def test_the_body_of_one_that_had_failed_runs_again_and_its_inside_is_taken() -> None:
    request = laying_out()
    old = played(request, "n/dn1", inside=INSIDE)
    assert old.nodes["n/dn0"].phase.value == "SUCCEEDED"
    told = foretold(old, request)
    assert told["n"][0] == "run"
    assert told["n/dn0"] == ("depends", "if the body of n lays it out again")
    run = again(old, request)
    (attempt,) = run.live_attempts()
    run.handle(Unfolded(attempt, INSIDE, Program(), 9.0))
    assert run.nodes["n/dn0"].phase.value == "RECOVERED"
    assert run.nodes["n/dn1"].phase.value == "QUEUED"


def test_a_body_that_gives_values_was_computed_anew() -> None:
    request = laying_out()
    old = played(request, "n/dn1", inside=INSIDE)
    run = again(old, request)
    (attempt,) = run.live_attempts()
    assert not run.nodes["n"].fresh
    run.handle(Succeeded(attempt, {"o0": IntLiteral(7)}, 9.0))
    assert run.nodes["n"].fresh, "a body that gives values speaks for itself"
