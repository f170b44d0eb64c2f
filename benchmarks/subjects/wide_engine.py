"""The engine alone: a map of so many items is begun, and each item starts and succeeds: ``wide_engine.py ITEMS``.

Prints the seconds an item, in five rounds, and the peak memory of the process in MiB.
"""

import gc
import json
import resource
import sys
import time

from whimbrel.engine.run import Run
from whimbrel.model.attempt import Started, Succeeded
from whimbrel.model.events import RunRequested
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER, ListType
from whimbrel.model.literals import IntLiteral, ListLiteral
from whimbrel.model.program import (
    START,
    ArrayTarget,
    CodeRef,
    Graph,
    Node,
    Program,
    PromiseBinding,
    TaskSpec,
    TaskTarget,
)
from whimbrel.model.run import AttemptId, Phase, RunOptions

ROUNDS = 5


def request(items: int) -> RunRequested:
    """A run of a workflow with a map as its one node."""
    spec = TaskSpec("m.t", Interface({"x": Parameter(INTEGER)}, {"o0": Variable(INTEGER)}), CodeRef("m", "t"))
    interface = Interface({"xs": Parameter(ListType(INTEGER))}, {"o0": Variable(ListType(INTEGER))})
    node = Node("n0", ArrayTarget("m.map t over x", TaskTarget("m.t"), ("x",)), {"x": PromiseBinding(START, "xs")})
    graph = Graph("m.w", interface, (node,), {"o0": PromiseBinding("n0", "o0")})
    inputs = {"xs": ListLiteral(tuple(map(IntLiteral, range(items))))}
    return RunRequested("r", "m.w", Program({"m.t": spec}, {"m.w": graph}), inputs, RunOptions(), 1.0)


def played(items: int) -> float:
    """Seconds an item."""
    first = request(items)
    reports = [
        report
        for at in range(items)
        for attempt in (AttemptId("r", f"n0/{at}", 1),)
        for report in (Started(attempt, "w", 2.0), Succeeded(attempt, {"o0": IntLiteral(at)}, 3.0))
    ]
    run = Run()
    gc.collect()  # what the round before has left is not this one's affair
    begin = time.perf_counter()
    run.handle(first)
    for report in reports:
        run.handle(report)
    spent = time.perf_counter() - begin
    assert run.phase is Phase.SUCCEEDED
    return spent / items


def main() -> None:
    items = int(sys.argv[1])
    times = [played(items) for _ in range(ROUNDS)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"item": times, "peak": [peak]}))


if __name__ == "__main__":
    main()
