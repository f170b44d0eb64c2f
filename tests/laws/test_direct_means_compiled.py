"""A plain call of a workflow and a run of its compiled program give the same: same result, same calls of tasks.

Bodies are drawn: calls on what there is so far, sub-workflows, several outputs, fields, lists, order, conditionals in
conditionals.
"""

from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from whimbrel import Dynamic, ExecutionContext, conditional, create_node, dynamic, map_task, task, workflow
from whimbrel.engine.run import Run
from whimbrel.graph.check import check_program
from whimbrel.model.attempt import Launch, Started, Succeeded
from whimbrel.model.commands import Command, EndRun
from whimbrel.model.events import RunRequested
from whimbrel.model.literals import Literals
from whimbrel.model.program import Program
from whimbrel.model.run import Phase, RunOptions
from whimbrel.runtime.unfolding import unfold
from whimbrel.testing.blobs import MemoryBlobs

CALLS: list[str] = []


class Both(NamedTuple):
    low: int
    high: int


@dataclass
class Point:
    x: int
    others: list[int]


@task
def add(a: int, b: int = 1) -> int:
    CALLS.append(f"add {a} {b}")
    return (a + b) % 101


@task
def both(a: int) -> Both:
    CALLS.append(f"both {a}")
    return Both(a - 1, a + 1)


@task
def point(a: int) -> Point:
    CALLS.append(f"point {a}")
    return Point(a, [a * 2, a * 3])


@task
def total(xs: list[int]) -> int:
    CALLS.append(f"total {xs}")
    return sum(xs) % 101


@task
def note(a: int) -> None:
    CALLS.append(f"note {a}")


@workflow
def inner(a: int, b: int) -> Both:
    first = add(a=a, b=b)
    chosen = conditional("inner").if_(first > 50).then(add(a=first)).else_().then(a)
    return Both(low=chosen, high=first)


@dynamic
def grows(a: int, b: int) -> int:
    """What it calls depends on what it is given; for some values it calls nothing."""
    CALLS.append(f"grows {a} {b}")
    if not a % 3:
        return a
    made = [add(a=step, b=b) for step in range(a % 4)]
    return total(xs=map_task(add, concurrency=2)(a=[a, *made])) if a % 2 else inner(a=a, b=b).high


TASKS: dict[str, Any] = {entity.name: entity for entity in (add, both, point, total, note, grows)}

# A step is a kind and numbers that choose among what there is; a branch has steps for each of its arms.
CALL = st.tuples(
    st.sampled_from(
        [
            "add",
            "constant",
            "both",
            "point",
            "total",
            "inner",
            "note",
            "node",
            "order",
            "options",
            "map",
            "maps",
            "dynamic",
        ]
    ),
    st.integers(0, 30),
    st.integers(0, 30),
)
STEPS = st.recursive(
    st.lists(CALL, max_size=4),
    lambda steps: st.lists(
        CALL | st.tuples(st.just("branch"), st.integers(0, 30), st.sampled_from(["==", "<", ">=", "or"]), steps, steps),
        max_size=5,
    ),
    max_leaves=12,
)


def lay_out(steps: list[Any], pool: list[Any], nodes: list[Any] | None) -> Any:
    """Run the steps on ``pool``; what was made last. In an arm (``nodes`` is ``None``) there are no explicit nodes."""
    for step in steps:
        kind, first = step[0], pool[step[1] % len(pool)]
        if kind == "branch":
            pool.append(branch(step, first, pool))
            continue
        second = pool[step[2] % len(pool)]
        match kind:
            case "add":
                pool.append(add(a=first, b=second))
            case "constant":
                pool.append(add(a=step[1], b=first))
            case "both":
                pool.extend(both(a=first))
            case "point":
                made = point(a=first)
                pool.extend([made.x, made.others[step[2] % 2]])
            case "total":
                pool.append(total(xs=[first, 7, second]))
            case "inner":
                pool.append(inner(a=first, b=second).low)
            case "note":
                note(a=first)
            case "map":
                listed = [first, second, step[1]][: step[2] % 4]
                pool.append(total(xs=map_task(add, concurrency=step[1] % 3)(a=listed, b=listed)))
            case "maps":
                several = map_task(inner)(a=[first, 3], b=[second, first])
                pool.append(total(xs=several.high))
                pool.append(total(xs=map_task(partial(grows, b=second))(a=several.low)))
            case "dynamic":
                pool.append(grows(a=first, b=second))
            case "options":
                pool.append(add.options(retries=1)(first).with_overrides(mem="1Gi"))
            case "node" if nodes is not None:
                nodes.append(create_node(add, a=first))
                pool.append(nodes[-1].o0)
            case "order" if nodes is not None and len(nodes) > 1:
                early, late = sorted((step[1] % len(nodes), step[2] % len(nodes)))
                if early != late:
                    nodes[early] >> nodes[late]
    return pool[-1]


def branch(step: Any, value: Any, pool: list[Any]) -> Any:
    _, number, op, then, otherwise = step
    begun = conditional("c")
    match op:
        case "==":
            arm = begun.if_(value == number)
        case "<":
            arm = begun.if_(value < number)
        case ">=":
            arm = begun.if_((value >= number) & (value != 13))
        case _:
            arm = begun.if_((value == number) | (value > 60))
    # What is made in an arm is not there outside it.
    begun = arm.then(lay_out(then, [*pool, value], None))
    return begun.else_().then(lay_out(otherwise, [*pool, value], None))


def carry_out(program: Program, name: str, inputs: Literals) -> Literals:
    """The outputs of a run by the real engine, in a world in which nothing goes wrong."""
    run = Run()
    commands: deque[Command] = deque(
        run.handle(RunRequested("r1", name, program, inputs, RunOptions(), 0.0)),
    )
    while commands:
        command = commands.popleft()
        if isinstance(command, EndRun):
            assert command.phase is Phase.SUCCEEDED, command.failure
            return command.outputs
        assert isinstance(command, Launch), command
        entity = TASKS[command.task.name]
        values = entity.signature.decode_inputs(command.inputs)
        commands.extend(run.handle(Started(command.attempt, "w", 0.0)))
        if isinstance(entity, Dynamic):
            end = unfold(
                entity,
                values,
                execution=ExecutionContext(),
                attempt=command.attempt,
                blobs=MemoryBlobs(),
                clock=lambda: 0.0,
                refuse=lambda _: None,
            )
            commands.extend(run.handle(end))
            continue
        outputs = entity.signature.encode_outputs(entity.fn(**values))
        commands.extend(run.handle(Succeeded(command.attempt, outputs, 0.0)))
    raise AssertionError("the run did not end")


@given(STEPS, st.integers(0, 100))
def test_direct_means_compiled(steps: list[Any], x: int) -> None:
    def body(x: int) -> list[int]:
        pool: list[Any] = [x]
        lay_out(steps, pool, [])
        return pool

    flow = workflow(body)
    graph = flow.graph()
    # A function in a function has no place that a worker could import: the program is put together here.
    compiled = inner.program()
    program = Program(
        {name: entity.spec() for name, entity in TASKS.items()},
        {**compiled.workflows, **flow.compiled().arms, graph.name: graph},
    )
    assert check_program(program) == []

    CALLS.clear()
    direct = flow(x=x)
    direct_calls = sorted(CALLS)
    CALLS.clear()
    outputs = carry_out(program, graph.name, flow.signature.encode_inputs({"x": x}))
    assert flow.signature.decode_outputs(outputs) == direct
    assert sorted(CALLS) == direct_calls
