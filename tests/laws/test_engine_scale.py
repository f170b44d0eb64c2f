"""An event costs what it changes, however large the run is: counted in bytecode instructions, so no clock is asked.

Two costs are none of bytecode: what the garbage collector walks again and again, and scans inside of C. They are
counted in objects that it tracks, and in items that a list hands out or compares.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest
from msgspec.structs import replace

from tests.unit.engine.playing import ONE, attempt, eager, graph, node, out, program, task
from whimbrel.engine.run import Run
from whimbrel.model.attempt import AttemptFault, BeginCall, CancelCall, Started, Succeeded, Unfolded
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Interface
from whimbrel.model.literals import IntLiteral, ListLiteral
from whimbrel.model.program import ArrayTarget, Graph, LiteralBinding, Node, Program, TaskKind, TaskTarget
from whimbrel.model.run import RunOptions


def instructions(act: Callable[[], object]) -> int:
    """How many bytecode instructions ``act`` takes."""
    count = 0

    def trace(frame: FrameType, event: str, _argument: Any) -> Any:
        nonlocal count
        frame.f_trace_opcodes = True
        if event == "opcode":
            count += 1
        return trace

    before = sys.gettrace()
    # Python 3.12 gives no opcode events at all unless some frame wants them when tracing begins.
    sys._getframe().f_trace_opcodes = True
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return count


def requested(whole: Graph, **options: Any) -> RunRequested:
    return RunRequested("r", "w", program(task(), eager(), whole), ONE, RunOptions(**options), 1.0)


def chain(size: int) -> list[Event]:
    nodes = [node("n0")] + [node(f"n{n}", above=[f"n{n - 1}"]) for n in range(1, size)]
    reports = [report for n in range(size) for report in worked(f"n{n}")]
    return [requested(graph(*nodes)), *reports]


def fan_out(size: int) -> list[Event]:
    whole = graph(*[node(f"n{n}") for n in range(size)])
    return [requested(whole), *[report for n in reversed(range(size)) for report in worked(f"n{n}")]]


def narrow(size: int) -> list[Event]:
    whole = graph(*[node(f"n{n}") for n in range(size)])
    return [requested(whole, max_parallelism=2), *[report for n in range(size) for report in worked(f"n{n}")]]


def gather(size: int) -> list[Event]:
    driver = attempt("n0")
    begun = [BeginCall(driver, "n0", str(n), "t", False, ONE, "d", 2.0) for n in range(size)]
    again = begun[: size // 2]
    cancelled = [CancelCall(driver, "n0", str(n), 2.0) for n in range(0, size, 2)]
    ended = [report for n in range(1, size, 2) for report in worked(f"n0/{n}")]
    whole = graph(node("n0", "e"))
    start = [requested(whole), Started(driver, "w", 2.0)]
    return [*start, *begun, *again, *cancelled, *ended, Succeeded(driver, out(1), 3.0)]


def over(size: int, **said: Any) -> Graph:
    items = ListLiteral(tuple(map(IntLiteral, range(size))))
    target = ArrayTarget("map t over x", TaskTarget("t"), ("x",), **said)
    return graph(Node("n0", target, {"x": LiteralBinding(items)}))


def mapped(size: int) -> list[Event]:
    reports = [report for n in reversed(range(size)) for report in worked(f"n0/{n}")]
    return [requested(over(size)), *reports]


def mapped_narrow(size: int) -> list[Event]:
    reports = [report for n in range(size) for report in worked(f"n0/{n}")]
    return [requested(over(size, concurrency=2)), *reports]


def mapped_losing(size: int) -> list[Event]:
    """Every other item fails; with the last but one, success is impossible, and one item is stopped."""
    failure = Failure(Fault.USER, "no", recoverable=False)
    failed = [AttemptFault(attempt(f"n0/{n}"), failure, 2.0) for n in range(0, size, 2)]
    ended = [report for n in range(1, size - 1, 2) for report in worked(f"n0/{n}")]
    return [requested(over(size, min_successes=size // 2 + 1)), *ended, *failed]


def unfolding(size: int) -> list[Event]:
    one = LiteralBinding(IntLiteral(1))
    inside = Graph("d", Interface({}, {}), tuple(node(f"dn{n}", x=one) for n in range(size)))
    whole = graph(node("n0", "d"), output=one)
    known = program(task(), task("d", TaskKind.DYNAMIC), whole)
    reports = [report for n in range(size) for report in worked(f"n0/dn{n}")]
    unfolded = Unfolded(attempt("n0"), inside, Program(), 2.0)
    return [replace(requested(whole), program=known), unfolded, *reports]


def worked(path: str) -> list[Event]:
    return [Started(attempt(path), "w", 2.0), Succeeded(attempt(path), out(1), 3.0)]


@pytest.mark.parametrize("events", [chain, fan_out, narrow, gather, mapped, mapped_narrow, mapped_losing, unfolding])
def test_an_event_costs_the_same_in_a_large_run(events: Callable[[int], list[Event]]) -> None:
    def cost(size: int) -> float:
        script = events(size)
        run = Run()
        spent = instructions(lambda: [run.handle(event) for event in script])
        assert run.phase.terminal
        return spent / len(script)

    small, large = cost(40), cost(640)
    assert small > 50, "nothing was counted"
    assert large < small * 1.1, f"{small:.0f} instructions an event, then {large:.0f}"


def tracked() -> int:
    """How many objects the garbage collector walks. It lets go of tuples of atoms when it comes to them, the innermost
    first."""
    for _ in range(3):
        gc.collect()
    return len(gc.get_objects())


@pytest.mark.parametrize(
    ("events", "a_node"),
    [(mapped, 1), (mapped_narrow, 1), (fan_out, 1), (narrow, 1), (gather, 1), (unfolding, 1), (chain, 2)],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_node_is_one_object_to_the_garbage_collector(events: Callable[[int], list[Event]], a_node: int) -> None:
    """And one more for the node below it, in a chain."""

    def kept(size: int) -> int:
        script = events(size)
        before = tracked()
        run = Run.replay(script)
        after = tracked()
        assert len(run.nodes) >= size
        return after - before

    kept(10)  # what is made once for the process is made now
    # What earlier tests have left behind in the process comes and goes meanwhile, by dozens: that spoils a try now and
    # then. One object more in each node would be five hundred in every try.
    tries = []
    for _ in range(10):
        small, large = kept(100), kept(600)
        tries.append((large - small) / 500)
        if 1 <= tries[-1] <= a_node + 0.01:
            return
    raise AssertionError(f"objects a node, try by try: {tries}")


class Scanned(list[Any]):
    """A list that counts the items that it hands out one after the other, or is searched for."""

    items = 0

    def __iter__(self) -> Iterator[Any]:
        self.items += len(self)
        return super().__iter__()

    def __contains__(self, item: object) -> bool:
        self.items += len(self)
        return super().__contains__(item)


@pytest.mark.parametrize("events", [gather, mapped, unfolding])
def test_the_invariants_of_a_wide_run_are_checked_in_one_walk(events: Callable[[int], list[Event]]) -> None:
    run = Run.replay(events(400))
    wide = run.nodes["n0"]
    wide.children = scanned = Scanned(wide.children)
    assert len(scanned) == 400
    run.check_invariants()
    assert 400 <= scanned.items <= 10 * 400
