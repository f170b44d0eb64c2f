"""``on_failure``: what runs when a workflow does not succeed, and what it is told."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from whimbrel import CompileError, ImperativeWorkflow, dynamic, eager, setup_teardown, task, workflow
from whimbrel.cli.drawing import as_mermaid, as_text
from whimbrel.controlplane.rerun import forecast, reusable
from whimbrel.graph.render import render_mermaid, render_text
from whimbrel.model.events import RunRequested
from whimbrel.model.run import Phase
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import for_each_write
from whimbrel.types.error import FlyteError

told: list[tuple[str, object]] = []


@pytest.fixture(autouse=True)
def nothing_told() -> None:
    told.clear()


@task
def check(x: int) -> int:
    if x < 0:
        raise ValueError(f"{x} is below zero")
    return x


@task
def clean(x: int, name: str = "nobody", err: FlyteError | None = None) -> None:
    told.append((name, err))


@task
def clean_badly(x: int, err: FlyteError | None) -> None:
    raise RuntimeError("no broom")


@task
def note(error: str | None) -> None:
    told.append(("note", error))


@workflow(on_failure=clean)
def careful(x: int, name: str) -> int:
    return check(x=x)


@workflow
def clean_up(x: int, err: FlyteError | None = None) -> None:
    clean(x=x, name="in a workflow", err=err)


@workflow(on_failure=clean_up)
def outer(x: int) -> int:
    return careful(x=careful(x=1, name="first"), name="second") if False else careful(x=x, name="inner")


@workflow(on_failure=clean_badly)
def careless(x: int) -> int:
    return check(x=x)


@workflow(on_failure=note)
def told_in_words(x: int) -> int:
    return check(x=x)


@task
def open_door() -> str:
    told.append(("opened", None))
    return "door"


@task
def close_door(door: str, error: str | None) -> None:
    told.append(("closed", error))


@workflow(on_failure=clean)
@setup_teardown(open_door, close_door)
def guarded(x: int) -> int:
    return check(x=x)


@eager
async def tries(x: int) -> str:
    try:
        return str(await outer(x=x))
    except ValueError as error:
        return f"caught {error}"


@dynamic(on_failure=clean)
def unfolds(x: int, name: str = "in a dynamic workflow") -> int:
    if x > 100:
        raise OverflowError("the body itself")
    return check(x=check(x=x))


ERROR = FlyteError("ValueError: -1 is below zero", "n0")


def test_nothing_is_run_when_all_is_well() -> None:
    engine = TestEngine()
    assert careful(x=1, name="a") == engine.run(careful, x=1, name="a") == 1
    assert told == []
    assert engine.tree.nodes["fn0"].phase is Phase.SKIPPED


def test_a_plain_call_runs_it_and_still_fails() -> None:
    with pytest.raises(ValueError, match="-1 is below zero"):
        careful(x=-1, name="a")
    assert told == [("a", FlyteError("ValueError: -1 is below zero", ""))]


def test_the_engine_runs_it_and_the_run_still_fails() -> None:
    engine = TestEngine()
    with pytest.raises(ValueError, match="-1 is below zero"):
        engine.run(careful, x=-1, name="a")
    assert told == [("a", ERROR)]
    assert engine.phase is Phase.FAILED
    assert engine.tree.nodes["fn0"].phase is Phase.SUCCEEDED


def test_each_workflow_has_its_own_and_the_inner_comes_first() -> None:
    for run in (outer, lambda x: TestEngine().run(outer, x=x)):
        told.clear()
        with pytest.raises(ValueError, match="-1 is below zero"):
            run(x=-1)
        assert [name for name, _ in told] == ["inner", "in a workflow"]
        assert all(isinstance(error, FlyteError) for _, error in told)


@pytest.mark.parametrize("run", [careless, lambda x: TestEngine().run(careless, x=x)])
def test_one_that_fails_leaves_a_note(run: object) -> None:
    with pytest.raises(ValueError, match="-1 is below zero") as caught:
        run(x=-1)  # type: ignore[operator]
    assert any("failed too: RuntimeError: no broom" in line for line in caught.value.__notes__)


@pytest.mark.parametrize("run", [told_in_words, lambda x: TestEngine().run(told_in_words, x=x)])
def test_it_may_be_told_in_words(run: object) -> None:
    with pytest.raises(ValueError):
        run(x=-1)  # type: ignore[operator]
    assert told == [("note", "ValueError: -1 is below zero")]


@pytest.mark.parametrize("run", [guarded, lambda x: TestEngine().run(guarded, x=x)])
def test_brackets_are_closed_before_it(run: object) -> None:
    with pytest.raises(ValueError):
        run(x=-1)  # type: ignore[operator]
    assert [name for name, _ in told] == ["opened", "closed", "nobody"]


def test_an_eager_body_sees_the_failure_after_it() -> None:
    assert asyncio.run(tries(x=-1)) == "caught -1 is below zero"
    assert len(told) == 2
    assert TestEngine().run(tries, x=-1) == "caught -1 is below zero"
    assert len(told) == 4
    assert TestEngine(always_replay=True).run(tries, x=-1) == "caught -1 is below zero"


@pytest.mark.parametrize("entity", [outer, guarded, careless, tries, unfolds])
def test_a_crash_at_any_write_changes_nothing(entity: object) -> None:
    proof = for_each_write(entity, {"x": -1})
    assert proof.crashes >= proof.writes >= 2


def test_a_recovered_run_handles_its_failure_anew() -> None:
    engine = TestEngine()
    with pytest.raises(ValueError):
        engine.run(careful, x=-1, name="a")
    with pytest.raises(ValueError):
        engine.rerun()
    assert [name for name, _ in told] == ["a", "a"]
    assert engine.tree.nodes["fn0"].recovered_from == ""


def test_a_forecast_says_nothing_of_it() -> None:
    engine = TestEngine()
    with pytest.raises(ValueError):
        engine.run(careful, x=-1, name="a")
    request = engine.events[0]
    assert isinstance(request, RunRequested)
    again = replace(request, run="again", reuse=reusable(engine.tree))
    assert [line.path for line in forecast(engine.tree, again, request.program)] == ["n0"]


def test_an_imperative_workflow_may_have_one() -> None:
    made = ImperativeWorkflow("made by hand")
    made.add_workflow_input("x", int)
    node = made.add_entity(check, x=made.inputs["x"])
    made.add_workflow_output("o0", node.o0)
    made.add_on_failure_handler(clean)
    assert made(x=2) == TestEngine().run(made, x=2) == 2
    with pytest.raises(ValueError):
        made(x=-1)
    with pytest.raises(ValueError):
        TestEngine().run(made, x=-1)
    assert len(told) == 2


def test_outputs_that_cannot_be_bound_are_a_failure_too() -> None:
    engine = TestEngine()
    with pytest.raises(Exception, match="nothing at"):
        engine.run(pick, x=3)
    assert told[0][0] == "picker"


@task
def many(x: int) -> list[int]:
    return list(range(x))


@workflow(on_failure=clean)
def pick(x: int, name: str = "picker") -> int:
    return many(x=x)[7]


@pytest.mark.parametrize("run", [unfolds, lambda x: TestEngine().run(unfolds, x=x)])
def test_dynamic_workflows_have_theirs(run: object) -> None:
    assert run(x=1) == 1  # type: ignore[operator]
    with pytest.raises(ValueError, match="-1 is below zero"):
        run(x=-1)  # type: ignore[operator]
    assert [name for name, _ in told] == ["in a dynamic workflow"]
    with pytest.raises(OverflowError):
        run(x=101)  # type: ignore[operator]
    assert len(told) == 1


# --- what is wrong with one --------------------------------------------------------------------------------------


@task
def wants_more(z: int, err: FlyteError | None = None) -> None:
    """``z`` comes from nowhere."""


@task
def wants_text(x: str) -> None:
    """``x`` is an int in the workflow."""


def test_inputs_that_do_not_fit_are_told_with_the_line_of_the_workflow() -> None:
    @workflow(on_failure=wants_more)
    def short(x: int) -> int:
        return check(x=x)

    @workflow(on_failure=wants_text)
    def mistyped(x: int) -> int:
        return check(x=x)

    @workflow(on_failure=print)
    def nonsense(x: int) -> int:
        return check(x=x)

    for wrong, said in (
        (short, "its on_failure, wants_more, takes 'z', which is no input of the workflow"),
        (mistyped, "wants_text\\(\\), input 'x': expected str, got int"),
        (nonsense, "on_failure is <built-in function print>"),
    ):
        with pytest.raises(CompileError, match=said) as caught:
            wrong.graph()
        assert caught.value.problems[0].file == __file__
        assert caught.value.problems[0].line == wrong.line.line
        with pytest.raises(CompileError, match=said):
            wrong(x=-1)


def test_it_is_drawn() -> None:
    program = careful.program()
    assert "  on failure\n    fn0 = task " in as_text(program, careful.name, "/")
    assert "on failure:\n    fn0: " in render_text(program, careful.name)
    assert "on failure" in as_mermaid(program, careful.name)
    assert "on failure" in render_mermaid(program, careful.name)
