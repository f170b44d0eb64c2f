"""Ten wrong programs: each gives one clear message, with the user's file and line and the remedy."""

import asyncio
import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.unit.authoring.user_modules import line_of, user_module
from whimbrel import CompileError, ForgottenAwait, Problem, ValueMismatch, check_module

TASKS = """
@task
def number(x: int) -> int:
    return x

@task
def text(s: str) -> str:
    return s
"""


class Wrong(NamedTuple):
    source: str
    at: str
    """A part of the line that is to blame."""
    message: str
    remedy: str


PROGRAMS = {
    "type mismatch on an edge": Wrong(
        """
        @workflow
        def flow(x: int) -> str:
            return text(s=number(x=x))
        """,
        "return text(",
        "text(), input 's': expected str, got int from the output 'o0' of n0",
        "Pass str",
    ),
    "missing input": Wrong(
        """
        @workflow
        def flow(x: int) -> int:
            return number()
        """,
        "return number()",
        "number() lacks the input 'x'",
        "number(x)",
    ),
    "unknown input": Wrong(
        """
        @workflow
        def flow(x: int) -> int:
            return number(x=x, y=3)
        """,
        "y=3",
        "number() has no input 'y'; it takes x",
        "number(x)",
    ),
    "promise as bool": Wrong(
        """
        @workflow
        def flow(x: int) -> int:
            if number(x=x):
                return x
            return number(x=x)
        """,
        "if number",
        "the output 'o0' of n0 (int) is used as a condition",
        "conditional(",
    ),
    "promise in an f-string": Wrong(
        """
        @workflow
        def flow(x: int) -> str:
            return text(s=f"n={number(x=x)}")
        """,
        'f"n=',
        "the output 'o0' of n0 (int) is formatted in an f-string",
        "in a task",
    ),
    "cycle": Wrong(
        """
        @workflow
        def flow(x: int) -> int:
            a = number(x=x)
            b = number(x=a)
            b >> a
            return b
        """,
        "a = number",
        "nodes wait for each other: n0 (number) >> n1 (number) >> n0 (number)",
        "Turn one `>>` round",
    ),
    "unknown type": Wrong(
        """
        class Strange:
            pass

        @task
        def takes(s: Strange) -> int:
            return 1
        """,
        "def takes",
        "takes: the input 's' has a type that cannot be carried",
        "TypeTransformer",
    ),
    "task in a nested function": Wrong(
        """
        def make():
            @task
            def inner(x: int) -> int:
                return x
            return inner

        @workflow
        def flow(x: int) -> int:
            return make()(x=x)
        """,
        "def inner",
        "the task 'inner' is made inside make(): a worker cannot import it",
        "top level of its module",
    ),
    "output count mismatch": Wrong(
        """
        @workflow
        def flow(x: int) -> tuple[int, str]:
            return number(x=x)
        """,
        "def flow",
        "flow: it returns 1 output, but declares 2 (o0, o1)",
        "Return o0, o1",
    ),
}


@pytest.mark.parametrize("wrong", [*PROGRAMS.values()], ids=list(PROGRAMS))
def test_one_message_with_line_and_remedy(wrong: Wrong, tmp_path: Path) -> None:
    with user_module(tmp_path, TASKS + dedented(wrong.source)) as flows:
        [problem] = check_module(flows)
        assert problem.file == flows.__file__
        assert problem.line == line_of(flows, wrong.at)
        assert wrong.message in problem.message
        assert wrong.remedy in str(problem)
        assert str(problem).startswith(f"{flows.__file__}:{problem.line}: ")


def dedented(source: str) -> str:
    lines = source.splitlines()
    return "\n".join(line.removeprefix("        ") for line in lines) + "\n"


def test_the_tenth_is_told_by_the_call_itself(tmp_path: Path) -> None:
    source = TASKS + dedented("""
        @eager
        async def flow(x: int) -> int:
            return await number(x="three")

        @eager
        async def forgets(x: int) -> int:
            return number(x=x) + 1
        """)
    with user_module(tmp_path, source) as flows:
        with pytest.raises(ValueMismatch) as mismatch:
            asyncio.run(flows.flow(x=1))
        line = line_of(flows, "three")
        assert (
            str(mismatch.value) == f"{flows.__file__}:{line}: number(), input 'x': expected int, got str 'three' at $"
        )
        assert mismatch.value.__notes__ == ["Pass int, or change the annotation of 'x' in number."]
        with pytest.raises(ForgottenAwait, match="Write `await` before the call") as forgotten:
            asyncio.run(flows.forgets(x=1))
        assert str(forgotten.value).startswith(f"{flows.__file__}:{line_of(flows, '+ 1')}: ")


def test_all_of_a_files_problems_at_once(tmp_path: Path) -> None:
    parts = []
    for number, wrong in enumerate(PROGRAMS.values()):
        source = dedented(wrong.source)
        for name in ("flow", "takes", "make", "inner", "Strange"):
            source = re.sub(rf"\b{name}\b", f"{name}{number}", source)
        parts.append(source)
    with user_module(tmp_path, TASKS + "\n".join(parts)) as flows:
        problems = check_module(flows)
    assert len(problems) == len(PROGRAMS)
    assert [problem.line for problem in problems] == sorted({problem.line for problem in problems})


def test_many_problems_in_one_workflow(tmp_path: Path) -> None:
    source = TASKS + dedented("""
        @task
        def untyped(a, b: int) -> int:
            return b

        @workflow
        def flow(x: int) -> str:
            a = number(y=1)
            b = text(s=a)
            c = untyped(a=1, b=2)
            d = number(x=c)
            e = text(s=3)
            return d
        """)
    with user_module(tmp_path, source) as flows:
        with pytest.raises(CompileError) as caught:
            flows.flow.program()
        assert sorted(problem.line for problem in caught.value.problems) == [
            line_of(flows, "def untyped"),
            line_of(flows, "def flow"),
            line_of(flows, "y=1"),
            line_of(flows, "b = text"),
            line_of(flows, "e = text"),
        ]


MORE = {
    "a default that does not fit": (
        """
        @task
        def takes(a: int = "x") -> int:
            return a
        """,
        "def takes",
        "the default of 'a' does not fit its annotation: expected int, got str 'x'",
    ),
    "a lambda in a function": (
        """
        def make():
            return task(lambda: None)

        @workflow
        def flow() -> None:
            make()()
        """,
        "lambda",
        "a worker cannot import it",
    ),
    "a workflow that calls itself": (
        """
        @workflow
        def flow(x: int) -> int:
            return flow(x=x)
        """,
        "def flow",
        "flows.flow calls flows.flow: it would never end",
    ),
    "an error of the author's own": (
        """
        @workflow
        def flow(x: int) -> int:
            return number(x={}["key"])
        """,
        "key",
        "flow: its body raised KeyError while it was compiled: 'key'",
    ),
    "nothing returned": (
        """
        @workflow
        def flow(x: int) -> int:
            number(x=x)
        """,
        "def flow",
        "it returns nothing, but declares an output",
    ),
    "something returned": (
        """
        @workflow
        def flow(x: int):
            return number(x=x)
        """,
        "def flow",
        "it returns 1 output, but declares none",
    ),
    "a node before itself": (
        """
        @workflow
        def flow(x: int) -> int:
            a = create_node(number, x=x)
            a >> a
            return a.o0
        """,
        "a >> a",
        "the node n0 is ordered before itself",
    ),
    "two of one name": (
        """
        def one(x: int) -> int:
            return x

        first, second = task(one), task(one)
        first._name = second._name = "flows.one"

        @workflow
        def flow(x: int) -> int:
            return first(x=second(x=x))
        """,
        "def one",
        "two different tasks are called flows.one",
    ),
    "a name that is not known": (
        """
        @task
        def takes(a: "Nowhere") -> int:
            return 1
        """,
        "def takes",
        "an annotation names 'Nowhere', which is not known in its module",
    ),
    "an async workflow": (
        """
        @workflow
        async def flow(x: int) -> int:
            return await number.aio(x=x)
        """,
        "def flow",
        "flow: a workflow's body is not async",
    ),
    "an eager workflow that is not async": (
        """
        @eager
        def flow(x: int) -> int:
            return x
        """,
        "def flow",
        "flow: the body of an eager workflow is a coroutine",
    ),
    "a wrong option": (
        """
        @task(retries=-1)
        def takes(a: int) -> int:
            return 1
        """,
        "def takes",
        "retries must be a whole number",
    ),
}


@pytest.mark.parametrize(("source", "at", "message"), [*MORE.values()], ids=list(MORE))
def test_more_of_them(source: str, at: str, message: str, tmp_path: Path) -> None:
    with user_module(tmp_path, TASKS + dedented(source)) as flows:
        problems = check_module(flows)
        [problem] = [each for each in problems if message in each.message] or problems
        assert message in problem.message
        assert problem.line == line_of(flows, at)


def test_right_programs_have_no_problems(tmp_path: Path) -> None:
    source = TASKS + dedented("""
        def factory():
            @task
            def inner(x: int) -> int:
                return x
            return inner

        kept = factory()

        @workflow
        def flow(x: int) -> int:
            return kept(x=number(x=x))
        """)
    with user_module(tmp_path, source) as flows:
        assert check_module(flows) == []
        assert flows.kept.name == "flows.kept"
        assert flows.flow.program().tasks["flows.kept"].code.name == "kept"


def test_a_problem_is_text_with_its_place() -> None:
    assert str(Problem("wrong", remedy="mend it", file="f.py", line=3)) == "f.py:3: wrong\n    mend it"
