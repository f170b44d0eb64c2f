"""References: they compile anywhere, and run where what they point at can be imported or is mocked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tests.unit.authoring import registered
from whimbrel import CallMismatch, CompileError, eager, task, workflow
from whimbrel.authoring.references import (
    LaunchPlanReference,
    TaskReference,
    WorkflowReference,
    get_reference_entity,
    ref,
    reference_launch_plan,
    reference_task,
    reference_workflow,
)
from whimbrel.errors import UnresolvedReference
from whimbrel.model.program import Reference, ReferenceKind
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import for_each_write

HERE = "tests.unit.authoring.registered"
ID = {"project": "p", "domain": "d", "version": "v1"}


@reference_task(name=f"{HERE}.double", **ID)
def double(x: int) -> int: ...


@reference_workflow(name=f"{HERE}.doubled_twice", **ID)
def twice(x: int) -> int: ...


@reference_task(name=f"{HERE}.doubled_thrice", **ID)
def thrice(x: int) -> int: ...


@reference_launch_plan(name=f"{HERE}.by_eight", **ID)
def by_eight(x: int = 2) -> int: ...


@reference_launch_plan(name=f"{HERE}.doubled_twice", **ID)
def default_plan(x: int) -> int: ...


@reference_task(name=f"{HERE}.alias", **ID)
def aliased(x: int) -> int: ...


@reference_task(name="elsewhere.far.away", **ID)
def away(x: int) -> int: ...


@reference_workflow(name="elsewhere.flow", **ID)
def away_flow(x: int) -> int: ...


@reference_launch_plan(name="elsewhere plan", **ID)
def away_plan(x: int) -> int: ...


looked_up = ref(f"{HERE}.double")


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def everything(x: int) -> int:
    a = add(a=double(x=x), b=twice(x=x))
    b = add(a=thrice(x=x), b=by_eight())
    c = add(a=aliased(x=x), b=double(x=double(x=x)))
    return add(a=add(a=a, b=b), b=add(a=c, b=looked_up(x=registered.double(x=x))))


@eager
async def awaited(x: int) -> int:
    parts = await asyncio.gather(double(x=x), twice(x=x), thrice(x=x), by_eight(), aliased(x=x), looked_up(x=x))
    return sum(parts)


EVERYTHING = 2 + 4 + 8 + 8 + 2 + 4 + 4
AWAITED = 2 + 4 + 8 + 8 + 2 + 2


def test_what_can_be_imported_runs_in_plain_calls() -> None:
    assert (double(x=3), twice(x=3), by_eight(), looked_up(3, times=2)) == (6, 12, 8, 12)
    assert asyncio.run(thrice(x=1)) == 8  # type: ignore[arg-type]
    assert everything(x=1) == EVERYTHING
    assert asyncio.run(awaited(x=1)) == AWAITED


def test_what_can_be_imported_runs_on_the_engine() -> None:
    engine = TestEngine()
    assert engine.run(everything, x=1) == EVERYTHING
    assert engine.run(awaited, x=1) == AWAITED
    for each, value in ((double, 6), (twice, 12), (by_eight, 12), (default_plan, 12), (looked_up, 6), (aliased, 6)):
        assert engine.run(each, x=3) == value
    assert for_each_write(awaited, {"x": 1}, expected=AWAITED).crashes


def test_the_program_keeps_the_full_ids() -> None:
    program = everything.program()
    found = program.references[f"{HERE}.double"]
    assert (found.kind, found.project, found.domain, found.version) == (ReferenceKind.TASK, "p", "d", "v1")
    assert f"{HERE}.alias" in program.tasks
    assert program.references["tests.unit.authoring.registered.by_eight"].kind is ReferenceKind.LAUNCH_PLAN


@workflow
def uses_what_is_away(x: int) -> int:
    return add(a=add(a=away(x=x), b=away_flow(x=x)), b=away_plan(x=x))


@eager
async def awaits_what_is_away(x: int) -> int:
    return await away(x=x) + await away_flow(x=x) + await away_plan(x=x)


@eager
async def does_something_first(x: int) -> int:
    return await away(x=await add(a=x, b=x))


def test_what_is_away_compiles() -> None:
    references = uses_what_is_away.program().references
    assert [each.kind.value for each in references.values()] == ["task", "workflow", "launch_plan"]


def test_what_is_away_fails_before_anything_starts() -> None:
    engine = TestEngine()
    with pytest.raises(UnresolvedReference, match=r"elsewhere.far.away \(of p/d, version v1\) .* let a mock"):
        engine.run(uses_what_is_away, x=1)
    assert engine.executed == []
    assert engine.phase.value == "UNDEFINED"
    for call in (lambda: away(x=1), lambda: uses_what_is_away(x=1), lambda: away_flow(x=1), lambda: away_plan(x=1)):
        with pytest.raises(UnresolvedReference, match="put its module on the path"):
            call()


def test_an_eager_body_meets_what_is_away_as_a_failed_call() -> None:
    engine = TestEngine()
    with pytest.raises(Exception, match=r"elsewhere\.far\.away .* is only referred to"):
        engine.run(does_something_first, x=1)
    assert engine.executions == {"add": 1, "does_something_first": 1} or engine.executions == {"add": 1}
    with pytest.raises(UnresolvedReference):
        asyncio.run(does_something_first(x=1))


@pytest.mark.parametrize("entity", [uses_what_is_away, awaits_what_is_away])
def test_mocks_stand_in_for_what_is_away(entity: Any) -> None:
    engine = TestEngine()
    mock = engine.mock(away, returns=1)
    engine.mock(away_flow, returns=20)
    engine.mock(away_plan, side_effect=lambda x: x * 100)
    assert engine.run(entity, x=3) == 321
    assert mock.calls == [{"x": 3}]


def test_calls_are_checked_against_what_is_declared() -> None:
    @workflow
    def wrong() -> int:
        return away(x="a", y=1)

    with pytest.raises(CompileError) as caught:
        wrong.graph()
    assert "no input 'y'" in str(caught.value)
    assert "input 'x': expected int, got str" in str(caught.value)
    with pytest.raises(CallMismatch, match="lacks the input 'x'"):
        double()  # type: ignore[call-arg]


@reference_task(name=f"{HERE}.double", **ID)
def misdeclared(x: str, y: int) -> list[int]: ...


def test_a_declaration_that_is_not_true_is_told() -> None:
    with pytest.raises(CompileError) as caught:
        misdeclared.program()
    said = caught.value.problems[0]
    assert said.file == __file__
    assert "its input 'x' is int; it has no input 'y'; its output 'o0' is int" in said.message


def test_a_lookup_that_fails_says_so() -> None:
    with pytest.raises(CompileError, match=r"there is no module for nowhere.at_all here, so it is not known"):
        ref("nowhere.at_all").program()
    with pytest.raises(CompileError, match="has no missing"):
        ref(f"{HERE}.missing").program()

    @reference_workflow(name=f"{HERE}.double", **ID)
    def mistaken(x: int) -> int: ...

    with pytest.raises(UnresolvedReference, match="is here, but it is a task"):
        mistaken(x=1)


def test_types_by_name() -> None:
    made = get_reference_entity(1, "p", "d", f"{HERE}.double", "v", inputs={"x": int}, outputs={"o0": int})
    assert made(x=4) == TestEngine().run(made, x=4) == 8
    assert made.program().references[made.name] == Reference(
        ReferenceKind.TASK, "p", "d", f"{HERE}.double", "v", made.interface
    )
    with pytest.raises(CallMismatch, match="1 \\(task\\), 2 \\(workflow\\)"):
        get_reference_entity(9, "p", "d", "n", "v", {}, {})


@pytest.mark.parametrize("kind", [TaskReference, WorkflowReference, LaunchPlanReference])
def test_ids_are_data(kind: Callable[..., Any]) -> None:
    assert kind("p", "d", "n", "v") == kind(project="p", domain="d", name="n", version="v")
    assert kind("p", "d", "n", "v").version == "v"
