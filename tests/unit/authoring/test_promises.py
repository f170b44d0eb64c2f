"""Promises refuse to be values, compiled and local alike, with the author's line and a way out."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from whimbrel import CompileError, PromiseMisuse, create_node, task, workflow
from whimbrel.model.literals import IntLiteral, StrLiteral
from whimbrel.model.program import START, ListBinding, LiteralBinding, MapBinding, PromiseBinding


@dataclass
class Point:
    x: int
    tags: list[str]
    by_name: dict[str, float]


class Both(NamedTuple):
    first: int
    second: str


@task
def number(x: int) -> int:
    return x


@task
def point(x: int) -> Point:
    return Point(x, ["a", "b"], {"k": 1.5})


@task
def text(s: str) -> str:
    return s


@task
def both(x: int) -> Both:
    return Both(x, str(x))


@task
def void(x: int) -> None:
    return None


@task
def total(xs: list[int], by: dict[str, int]) -> int:
    return sum(xs) + sum(by.values())


MISUSES: dict[str, Callable[[Any], Any]] = {
    "condition": lambda p: 1 if p else 2,
    "not": lambda p: not p,
    "iterated": lambda p: list(p),
    "length": lambda p: len(p),
    "f-string": lambda p: f"{p}",
    "text": lambda p: str(p),
    "percent": lambda p: "%s" % p,  # noqa: UP031
    "join": lambda p: "".join(["a", str(p)]),
    "add": lambda p: p + 1,
    "radd": lambda p: 1 + p,
    "sub": lambda p: p - 1,
    "rsub": lambda p: 1 - p,
    "mul": lambda p: p * 2,
    "matmul": lambda p: p @ p,
    "div": lambda p: 1 / p,
    "floordiv": lambda p: p // 1,
    "mod": lambda p: p % 2,
    "pow": lambda p: p**2,
    "neg": lambda p: -p,
    "abs": lambda p: abs(p),
    "round": lambda p: round(p),
    "int": lambda p: int(p),
    "float": lambda p: float(p),
    "index": lambda p: [1, 2][p],
    "range": lambda p: range(p),
    "in": lambda p: 1 in p,
    "call": lambda p: p(),
    "compare chain": lambda p: 1 < p < 3,
    "compared condition": lambda p: 1 if p > 3 else 2,
    "sorted": lambda p: sorted([p, p]),
    "bytes": lambda p: bytes(p),
    "await": lambda p: p.__await__,
}


@pytest.mark.parametrize("misuse", [*MISUSES.values()], ids=list(MISUSES))
@pytest.mark.parametrize("how", ["compiled", "local", "input"])
def test_misuse_is_refused(misuse: Callable[[Any], Any], how: str) -> None:
    seen: list[BaseException] = []

    def body(x: int) -> int:
        try:
            misuse(x if how == "input" else number(x=x))
        except (PromiseMisuse, AttributeError) as error:
            seen.append(error)
        return number(x=x)

    made = workflow(body)
    if how == "compiled":
        made.compiled()
    else:
        made(x=1)
    [error] = seen
    if isinstance(error, AttributeError):
        assert misuse is MISUSES["await"]
        return
    problem = error.problem
    assert problem is not None
    assert problem.file == __file__
    assert problem.line == inspect.getsourcelines(misuse)[1]
    assert problem.remedy


def test_a_misuse_names_the_promise_and_the_way_out() -> None:
    def body(x: int) -> int:
        if number(x=x) > 3:
            return x
        return number(x=x)

    with pytest.raises(CompileError) as caught:
        workflow(body).graph()
    [problem] = caught.value.problems
    assert problem.line == inspect.getsourcelines(body)[1] + 1
    assert "conditional(" in problem.remedy

    def formatted(x: int) -> str:
        return text(s=f"{number(x=x)}")

    with pytest.raises(CompileError, match=r"the output 'o0' of n0 \(int\) is formatted in an f-string"):
        workflow(formatted).graph()


@workflow
def looks_inside(x: int) -> tuple[int, str, float]:
    p = point(x=x)
    return number(x=p.x), text(s=p.tags[1]), p.by_name["k"]


def test_attributes_and_items_are_bound_at_run_time() -> None:
    graph = looks_inside.graph()
    assert graph.nodes[1].inputs["x"] == PromiseBinding("n0", "o0", ("x",))
    assert graph.nodes[2].inputs["s"] == PromiseBinding("n0", "o0", ("tags", 1))
    assert graph.outputs["o2"] == PromiseBinding("n0", "o0", ("by_name", "k"))
    assert looks_inside(x=4) == (4, "b", 1.5)


@pytest.mark.parametrize("step", ["nope", "tags.nope"])
def test_a_field_that_is_not_there_is_refused(step: str) -> None:
    def body(x: int) -> int:
        found: Any = point(x=x)
        for name in step.split("."):
            found = getattr(found, name)
        return number(x=found)

    with pytest.raises(CompileError, match=r"has nothing at \.nope"):
        workflow(body).graph()
    with pytest.raises(PromiseMisuse, match="has nothing at 'nope'"):
        workflow(body)(x=1)


@workflow
def contained(x: int) -> int:
    n = number(x=x)
    return total(xs=[n, 3, x], by={"a": n, "b": 4})


def test_promises_in_containers() -> None:
    [_, node] = contained.graph().nodes
    n = PromiseBinding("n0", "o0")
    assert node.inputs["xs"] == ListBinding((n, LiteralBinding(IntLiteral(3)), PromiseBinding(START, "x")))
    assert node.inputs["by"] == MapBinding({"a": n, "b": LiteralBinding(IntLiteral(4))})
    assert contained(x=2) == 2 + 3 + 2 + 2 + 4


@workflow
def named(x: int) -> Both:
    result = both(x=x)
    first, second = result
    again = both(x=result.first)
    return Both(again[0], text(s=second)) if first is not None else again


@task
def take_point(p: Point) -> int:
    return p.x + len(p.tags)


@workflow
def in_a_dataclass(x: int) -> int:
    return take_point(p=Point(number(x=x), ["t"], {}))


def test_promises_in_a_dataclass() -> None:
    binding = in_a_dataclass.graph().nodes[1].inputs["p"]
    assert isinstance(binding, MapBinding)
    assert binding.items["x"] == PromiseBinding("n0", "o0")
    assert in_a_dataclass(x=2) == 3


def test_named_outputs_by_name_by_index_and_unpacked() -> None:
    graph = named.graph()
    assert graph.nodes[1].inputs["x"] == PromiseBinding("n0", "first")
    assert graph.nodes[2].inputs["s"] == PromiseBinding("n0", "second")
    assert graph.outputs == {"first": PromiseBinding("n1", "first"), "second": PromiseBinding("n2", "o0")}
    assert named(x=3) == Both(3, "3")


class Counted(NamedTuple):
    index: str
    count: int


@task
def counted(x: int) -> Counted:
    return Counted("i", x)


def test_outputs_may_be_called_what_tuples_have() -> None:
    def body(x: int) -> int:
        text(s=counted(x=x).index)
        return number(x=counted(x=x).count)

    assert workflow(body)(x=3) == 3
    assert workflow(body).graph().nodes[1].inputs["s"] == PromiseBinding("n0", "index")


def test_an_output_that_is_not_there_is_refused() -> None:
    def body(x: int) -> int:
        return both(x=x).third

    with pytest.raises(CompileError, match="has no output 'third'"):
        workflow(body).graph()
    with pytest.raises(PromiseMisuse, match="first, second"):
        workflow(body)(x=1)


def test_a_single_output_cannot_be_unpacked() -> None:
    def body(x: int) -> int:
        a, _b = number(x=x)
        return a

    with pytest.raises(CompileError, match="iterated over") as caught:
        workflow(body).graph()
    assert "several outputs" in caught.value.problems[0].remedy


def test_nothing_can_only_be_ordered() -> None:
    def passes_nothing(x: int) -> int:
        return number(x=void(x=x))

    with pytest.raises(CompileError, match=r"the result of void\(\) is given, but it has no outputs"):
        workflow(passes_nothing).graph()

    def orders(x: int) -> int:
        last = number(x=x)
        void(x=x) >> last
        return last

    assert workflow(orders).graph().nodes[0].upstream == ("n1",)
    assert workflow(orders)(x=1) == 1


def test_several_outputs_are_not_one_value() -> None:
    def body(x: int) -> int:
        return number(x=both(x=x))

    with pytest.raises(CompileError, match=r"both\(\) has several outputs \(first, second\): give one of them"):
        workflow(body).graph()


def test_ordering_lists_both_ways_and_chains() -> None:
    def body(x: int) -> int:
        a = create_node(number, x=x)
        b = create_node(number, x=x)
        c = create_node(number, x=x)
        d = create_node(number, x=x)
        a >> [b, c] >> d
        b << c
        a.runs_before(d)
        return d.o0

    graph = workflow(body).graph()
    assert [node.upstream for node in graph.nodes] == [(), ("n0", "n2"), ("n0",), ("n1", "n2", "n0")]
    assert workflow(body)(x=5) == 5


def test_ordering_takes_nodes_and_promises_only() -> None:
    def body(x: int) -> int:
        a = number(x=x)
        a >> 3
        return a

    with pytest.raises(CompileError, match="`>>` orders nodes and promises, not int"):
        workflow(body).graph()


def test_overrides_go_to_the_node() -> None:
    def body(x: int) -> int:
        a = number(x=x).with_overrides(name="first", retries=2, mem="1Gi")
        b = number.options(timeout=3)(x=a)
        c = create_node(number, x=b).with_overrides(cache=True, cache_version="1")
        return c.o0

    first, second, third = workflow(body).graph().nodes
    assert (first.name, first.overrides.retries) == ("first", 2)
    assert first.overrides.resources is not None
    assert first.overrides.resources.mem == "1Gi"
    assert second.overrides.timeout == 3.0
    assert third.overrides.cache is not None
    assert third.overrides.cache.version == "1"
    assert workflow(body)(x=1) == 1


def test_an_unknown_override_is_refused() -> None:
    def body(x: int) -> int:
        return number(x=x).with_overrides(retrys=2)

    with pytest.raises(CompileError, match="Did you mean 'retries'"):
        workflow(body).graph()
    with pytest.raises(Exception, match="Did you mean 'retries'"):
        workflow(body)(x=1)


def test_constants_of_conditions_and_defaults() -> None:
    @task
    def with_default(s: str = "d") -> str:
        return s

    def body() -> str:
        return with_default()

    [node] = workflow(body).graph().nodes
    assert node.inputs == {"s": LiteralBinding(StrLiteral("d"))}
