"""What a new run may take of an old one, and what is foretold of it."""

from __future__ import annotations

from msgspec.structs import replace

from whimbrel.controlplane.rerun import Forecast, Verdict, changes, forecast, reusable, settle
from whimbrel.engine.run import Run
from whimbrel.model.attempt import AttemptFault, BeginCall, Started, Succeeded
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER
from whimbrel.model.literals import IntLiteral, Literals
from whimbrel.model.program import (
    START,
    Binding,
    Bracket,
    CodeRef,
    Graph,
    Node,
    Program,
    PromiseBinding,
    TaskKind,
    TaskSpec,
    TaskTarget,
)
from whimbrel.model.run import AttemptId, Phase, RunOptions

INT = Interface({"x": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})


def spec(name: str, kind: TaskKind = TaskKind.TASK, **components: str) -> TaskSpec:
    parts = {f"m.{part}": digest for part, digest in (components or {name: "function:1"}).items()}
    return TaskSpec(name, INT, CodeRef("m", name), kind, code_digest=str(sorted(parts.items())), components=parts)


def node(id: str, *above: str, entity: str = "t", x: str = "") -> Node:
    source = PromiseBinding(x, "o0") if x else PromiseBinding(above[0], "o0") if above else PromiseBinding(START, "x")
    inputs: dict[str, Binding] = {"x": source if x != START else PromiseBinding(START, "x")}
    return Node(id, TaskTarget(entity), inputs, above)


def graph(*nodes: Node, **more: tuple[Bracket, ...]) -> Graph:
    return Graph("w", INT, nodes, {"o0": PromiseBinding(nodes[-1].id, "o0")}, **more)


def given(value: int) -> Literals:
    return {"x": IntLiteral(value)}


def requested(whole: Program, value: int = 1) -> RunRequested:
    return RunRequested("old", "w", whole, given(value), RunOptions(), 1.0)


def played(request: RunRequested, *fails: str) -> Run:
    """The run in which every task gives its input and one more, but for those that fail."""
    run = Run()
    waiting = list(run.handle(request))
    at = 2.0
    while waiting:
        command = waiting.pop(0)
        attempt = getattr(command, "attempt", None)
        if attempt is None or type(command).__name__ != "Launch":
            continue
        at += 1.0
        event: Event = AttemptFault(attempt, Failure(Fault.USER, "boom"), at)
        if attempt.path not in fails:
            event = Succeeded(attempt, {"o0": IntLiteral(command.inputs["x"].value + 1)}, at)  # type: ignore[union-attr]
        waiting += run.handle(event)
    return run


def foretold(old: Run, request: RunRequested, current: Program | None = None) -> dict[str, tuple[str, str]]:
    request = settle(replace(request, run="new", reuse=reusable(old), moved=True))
    lines = forecast(old, request, current or Program({}, {}))
    return {line.path: (line.verdict.value, "; ".join(line.why)) for line in lines}


def test_reasons() -> None:
    whole = Program({"t": spec("t"), "u": spec("u", u="function:1", help="constant:1")}, {})
    old_graph = graph(node("a"), node("b", "a", entity="u"), node("c", "b"))
    request = requested(replace(whole, workflows={"w": old_graph}))
    old = played(request)
    assert old.phase is Phase.SUCCEEDED
    assert foretold(old, request) == {"a": ("reuse", ""), "b": ("reuse", ""), "c": ("reuse", "")}
    edited = replace(whole, tasks={**whole.tasks, "u": spec("u", u="function:1", help="constant:2")})
    assert foretold(old, replace(request, program=replace(edited, workflows={"w": old_graph}))) == {
        "a": ("reuse", ""),
        "b": ("run", "constant m.help has changed"),
        "c": ("run", "downstream of b"),
    }
    assert foretold(old, replace(request, inputs=given(5)))["a"] == ("run", "input x has changed")
    longer = graph(node("a"), node("n", "a"), node("b", "n", entity="u"), node("c", "b"))
    assert foretold(old, replace(request, program=replace(whole, workflows={"w": longer}))) == {
        "a": ("reuse", ""),
        "n": ("run", "it is new"),
        "b": ("run", "downstream of n"),
        "c": ("run", "downstream of b"),
    }


def test_the_forecast_is_what_happens() -> None:
    whole = Program({"t": spec("t")}, {"w": graph(node("a"), node("b", "a"), node("c"), node("d", "b", "c"))})
    request = requested(whole)
    old = played(request, "b")
    told = foretold(old, request)
    assert told["b"] == ("run", "it had FAILED: user: boom")
    new = played(settle(replace(request, run="new", reuse=reusable(old), moved=True)))
    assert {path for path, (verdict, _) in told.items() if verdict == "run"} == {
        path for path, each in new.nodes.items() if each.attempts
    }


def test_a_setup_runs_again_if_and_only_if_something_inside_does() -> None:
    nodes = (
        node("open"),
        node("in1", "open", x=START),
        node("in2", "in1"),
        node("close", "in2", x=START),
        node("after", "in2"),
    )
    bracketed = graph(*nodes, brackets=(Bracket("open", "close", ("in1", "in2")),))
    request = requested(Program({"t": spec("t")}, {"w": bracketed}))
    old = played(request)
    assert {verdict for verdict, _ in foretold(old, request).values()} == {"reuse"}
    failed = played(request, "in2")
    told = foretold(failed, request)
    again = played(settle(replace(request, run="new", reuse=reusable(failed), moved=True)))
    assert [path for path, each in again.nodes.items() if each.attempts] == ["open", "in2", "close", "after"]
    assert told["open"] == ("run", "something inside its bracket runs")
    assert told["in1"] == ("reuse", "")
    assert told["in2"][0] == told["close"][0] == "run"
    assert foretold(played(request, "after"), request) == {
        "open": ("reuse", ""),
        "in1": ("reuse", ""),
        "in2": ("reuse", ""),
        "close": ("reuse", ""),
        "after": ("run", "it had FAILED: user: boom"),
    }


def eager_run() -> tuple[RunRequested, Run]:
    whole = Program({"t": spec("t"), "e": spec("e", TaskKind.EAGER)}, {"w": graph(node("n0", entity="e"))})
    request = requested(whole)
    run = Run()
    run.handle(request)
    driver = AttemptId("old", "n0", 1)
    run.handle(Started(driver, "w", 2.0))
    at = 2.0
    for key, entity, fails in (("1", "t", False), ("2", "u", False), ("3", "t", False), ("4", "t", True)):
        at += 1.0
        define = Program({entity: spec(entity)}, {})
        run.handle(BeginCall(driver, "n0", key, entity, False, given(int(key)), key, at, define=define))
        attempt = AttemptId("old", f"n0/{key}", 1)
        at += 1.0
        failure = AttemptFault(attempt, Failure(Fault.USER, "boom"), at)
        run.handle(failure if fails else Succeeded(attempt, {"o0": IntLiteral(7)}, at))
    run.handle(AttemptFault(driver, Failure(Fault.USER, "boom"), at + 1.0))
    return request, run


def test_calls_of_an_eager_body_are_judged_one_by_one() -> None:
    request, old = eager_run()
    same = Program({"u": spec("u")}, {})
    assert foretold(old, request, same) == {
        "n0": ("run", "it had FAILED: user: boom"),
        "n0/1": ("reuse", ""),
        "n0/2": ("reuse", ""),
        "n0/3": ("reuse", ""),
        "n0/4": ("run", "it had FAILED: user: boom"),
    }
    told = foretold(old, request, Program({"u": spec("u", u="function:2")}, {}))
    assert told["n0/2"] == ("run", "function m.u has changed")
    assert told["n0/1"] == ("reuse", "")
    assert told["n0/3"] == ("depends", "made after n0/2, which runs again")
    assert foretold(old, request)["n0/2"] == ("run", "it is gone")
    assert foretold(old, replace(request, inputs=given(9)), same)["n0/1"] == (
        "depends",
        "input x of n0 has changed",
    )


def test_code_that_nobody_can_read_is_never_taken() -> None:
    whole = Program({"t": replace(spec("t"), code_digest="")}, {"w": graph(node("a"))})
    request = requested(whole)
    old = played(request)
    assert reusable(old) == ()
    assert foretold(old, request)["a"][0] == "run"
    assert changes(whole.tasks["t"], whole.tasks["t"]) == ["its code cannot be read, so nothing is known of it"]


def test_a_run_that_cannot_begin_says_so() -> None:
    request = requested(Program({"t": spec("t")}, {"w": graph(node("a"))}))
    old = played(request)
    (line,) = forecast(old, replace(request, run="new", inputs={}), Program({}, {}))
    assert line == Forecast("", "w", Verdict.RUN, line.why)
    assert "needs input 'x'" in line.why[0]
