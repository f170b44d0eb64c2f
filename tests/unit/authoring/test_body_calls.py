"""Calls in eager bodies that cannot fit are found without running anything; those that may are left alone."""

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
