"""Calls in eager bodies that cannot fit are found without running anything; those that may are left alone."""

import importlib
import textwrap
from pathlib import Path

import pytest

from tests.unit.authoring.user_modules import line_of, user_module
from whimbrel import check_module

TASKS = """
import asyncio
import functools
import flows as itself

@task
def number(x: int) -> int:
    return x

@task
def text(s: str, *, times: float = 1.0) -> str:
    return s

@task
def either(x: int | None) -> int | str:
    return 1

@task
def rows(values: list[int]) -> dict[str, int]:
    return {}

@workflow
def flow(x: int) -> int:
    return number(x=x)

@dynamic
def unfolds(x: int) -> int:
    return number(x=x)

@reference_task("p", "d", "far.away", "v")
def away(x: int) -> int: ...

plan = LaunchPlan.create("plan", flow)
"""


def problems(tmp_path: Path, body: str) -> list[tuple[int, str]]:
    """(line below ``async def``, message) of each problem of an eager workflow with this body."""
    source = TASKS + "\n@eager\nasync def main(a: int, b: str | None) -> int:\n"
    with user_module(tmp_path, source + textwrap.indent(textwrap.dedent(body).strip(), "    ") + "\n") as flows:
        start = line_of(flows, "async def main")
        found = check_module(flows)
    assert all(problem.remedy and problem.file == str(tmp_path / "flows.py") for problem in found)
    return [(problem.line - start, problem.message) for problem in found]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("await number(x='three')", "number(), input 'x': expected int, got str 'three'"),
        ("await number('three')", "number(), input 'x': expected int, got str 'three'"),
        ("await number()", "number() lacks the input 'x'"),
        ("await number(x=1, y=2)", "number() has no input 'y'; it takes x"),
        ("await number(1, 2)", "number() takes 1 positional argument, got 2"),
        ("await number(1, x=2)", "number() got the input 'x' twice: by position and by name"),
        ("await text('a', 2.0)", "text() takes 1 positional argument, got 2"),
        ("await text(s=await number(x=1))", "text(), input 's': expected str, got int"),
        ("n = await number(x=1)\nawait text(s=n)", "text(), input 's': expected str, got int"),
        ("await text(s=a)", "text(), input 's': expected str, got int"),
        ("await asyncio.gather(*[text(s=1) for _ in range(3)])", "text(), input 's': expected str, got int 1"),
        ("await rows(values=[1, 'a'])", "rows(), input 'values': expected int, got str 'a' at $[1]"),
        ("await number.options(retries=2)(x='a')", "number(), input 'x': expected int, got str 'a'"),
        ("await number.aio(x='a')", "number(), input 'x': expected int, got str 'a'"),
        ("await itself.flow(x='a')", "flow(), input 'x': expected int, got str 'a'"),
        ("async def inner():\n    return await flow(y=1)\nawait inner()", "flow() has no input 'y'; it takes x"),
    ],
)
def test_what_cannot_fit_is_told(tmp_path: Path, body: str, message: str) -> None:
    found = problems(tmp_path, f"{body}\nreturn 1")
    assert [told for _, told in found][:1] == [message]
    assert 1 <= found[0][0] <= 2


@pytest.mark.parametrize(
    "body",
    [
        "await number(x=1)",
        "await text(s='a', times=2)",
        "await number(x=a)",
        "await number(*[1])",
        "await number(**{'y': 1})",
        "a = str(a)\nawait text(s=a)",
        "if b is not None:\n    await text(s=b)",
        "await number(x=await either(x=None))",
        "n = await number(x=1)\nn = 'a'\nawait text(s=n)",
        "number = text\nawait number(s='a')",
        "for n in ['a']:\n    await text(s=n)",
        "async def inner(a):\n    return await text(s=a)\nawait inner('a')",
        "await functools.partial(number, 1)(y=2)",
        "match b:\n    case str(a):\n        await text(s=a)",
        "try:\n    await number(x=1)\nexcept ValueError as a:\n    await text(s=a)",
    ],
)
def test_what_may_fit_is_left_alone(tmp_path: Path, body: str) -> None:
    assert problems(tmp_path, f"{body}\nreturn 1") == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("await map_task(number)(y=[1])", "has no input 'y'"),
        ("await map_task(number)(x=[1, 'a'])", "input 'x': expected int, got str 'a' at $[1]"),
        ("await map_task(number, concurrency=2)()", "lacks the input 'x'"),
        ("await itself.plan(b=1)", "plan() has no input 'b'; it takes x"),
        ("await itself.plan(x='a')", "plan(), input 'x': expected int, got str 'a'"),
        ("await itself.away(x='a')", "away(), input 'x': expected int, got str 'a'"),
        ("await itself.unfolds(x='a')", "unfolds(), input 'x': expected int, got str 'a'"),
        ("await approve()", "approve(): missing a required argument: 'upstream_item'"),
        ("await wait_for_input('a', kind=int)", "wait_for_input(): got an unexpected keyword argument 'kind'"),
        ("await asyncio.gather(number(x='a'), number(x=1))", "number(), input 'x': expected int, got str 'a'"),
        ("await asyncio.gather(*[number(y=n) for n in range(3)])", "number() has no input 'y'; it takes x"),
        (
            "async with asyncio.TaskGroup() as group:\n    group.create_task(number(x='a'))",
            "number(), input 'x': expected int, got str 'a'",
        ),
    ],
)
def test_calls_of_every_kind_are_checked(tmp_path: Path, body: str, message: str) -> None:
    found = problems(tmp_path, f"{body}\nreturn 1")
    assert any(message in told for _, told in found)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("number(x=1)", "the call of number() is never awaited: it does not run"),
        ("return number(x=1) + 1", "the call of number() is used in arithmetic before it was awaited"),
        ("n = number(x=1)\nreturn n + 1", "n, a call of number(), is used in arithmetic before it was awaited"),
        ("return number(x=1)", "the call of number() is returned before it was awaited"),
        ("await text(s=text(s='a'))", "the call of text() is given to text() before it was awaited"),
        ("await number(number(x=1))", "the call of number() is given to number() before it was awaited"),
        ("if number(x=1):\n    pass", "the call of number() is used as a condition before it was awaited"),
        ("for n in rows(values=[1]):\n    pass", "the call of rows() is iterated over before it was awaited"),
        ("a = f'{number(x=1)}'", "the call of number() is put into a text before it was awaited"),
        ("return rows(values=[1])['a']", "the call of rows() is indexed before it was awaited"),
        ("if number(x=1) > 2:\n    pass", "the call of number() is compared before it was awaited"),
        ("map_task(number)(x=[1])[0]", "is indexed before it was awaited"),
        ("itself.plan(x=1)", "the call of plan() is never awaited"),
    ],
)
def test_a_call_whose_value_is_used_must_be_awaited(tmp_path: Path, body: str, message: str) -> None:
    found = problems(tmp_path, body)
    assert len(found) == 1
    assert message in found[0][1]


@pytest.mark.parametrize(
    "body",
    [
        "return await number(x=1) + 1",
        "n = number(x=1)\nreturn await n",
        "n = number(x=1)\nn = await n\nreturn n + 1",
        "n = asyncio.create_task(number(x=1))\nreturn await n",
        "tasks = [number(x=i) for i in range(3)]\nreturn sum(await asyncio.gather(*tasks))",
        "first = number(x=1)\nif first is not None:\n    return await first",
        "first, second = number(x=1), number(x=2)\nreturn await first + await second",
        "make = lambda: number(x=1)\nreturn await make()",
        "def make():\n    return number(x=1)\nreturn await make()",
        "await asyncio.wait_for(number(x=1), 3)",
        "number(x=1).close()",
        "await map_task(functools.partial(text, times=2.0))(s=['a'])",
        "await map_task(text)(s=['a'])",
        "await map_task(number)([1, 2])",
        "await map_task(number, **{})(y=1)",
        "await approve(1, 'go')",
        "await approve(await number(x=1), name='go', timeout=3)",
    ],
)
def test_calls_that_may_be_awaited_elsewhere_are_left_alone(tmp_path: Path, body: str) -> None:
    assert problems(tmp_path, f"{body}\nreturn 1") == []


def test_calls_that_block_need_no_await(tmp_path: Path) -> None:
    source = TASKS + textwrap.dedent("""
        from whimbrel.authoring.mixed_eager import mixed_eager

        @mixed_eager
        async def main(a: int) -> int:
            number(x=1)
            return number(x=a) + 1
        """)
    with user_module(tmp_path, source) as flows:
        assert check_module(flows) == []


def test_every_call_is_told_at_its_line(tmp_path: Path) -> None:
    body = """
    first = await number()
    second = await text(s=first)
    return await number(
        x="a",
    )
    """
    assert [line for line, _ in problems(tmp_path, body)] == [1, 2, 3]


def test_a_task_that_is_wrong_itself_is_told_once(tmp_path: Path) -> None:
    source = TASKS + textwrap.dedent("""
        @task
        def untyped(x) -> int:
            return x

        @eager
        async def main(a: int) -> int:
            return await untyped(y=a)
        """)
    with user_module(tmp_path, source) as flows:
        assert [problem.line for problem in check_module(flows)] == [line_of(flows, "def untyped")]


@pytest.mark.parametrize("module", ["tests.laws.corpus", "tests.laws.real_work", "tests.unit.authoring.registered"])
def test_nothing_is_wrong_with_what_runs(module: str) -> None:
    assert check_module(importlib.import_module(module)) == []
