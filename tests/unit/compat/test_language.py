"""The language of flytekit's graphs by its own names, in plain calls, compiled, and in eager bodies of both kinds."""

from __future__ import annotations

import asyncio
import datetime as dt
import functools
import json
from collections.abc import Iterator
from typing import Annotated, NamedTuple

import pytest

from flytekit import (
    Cache,
    Deck,
    Description,
    Documentation,
    Environment,
    HashMethod,
    ImageSpec,
    LaunchPlan,
    PodTemplate,
    PythonInstanceTask,
    SourceCode,
    VersionParameters,
    approve,
    current_context,
    dynamic,
    eager,
    get_reference_entity,
    kwtypes,
    map_task,
    reference_launch_plan,
    reference_task,
    reference_workflow,
    sleep,
    task,
    wait_for_input,
    workflow,
)
from flytekit.configuration import SerializationSettings
from flytekit.core.array_node_map_task import ArrayNodeMapTask
from flytekit.core.gate import Gate
from flytekit.core.interface import Interface
from flytekit.core.reference_entity import LaunchPlanReference, ReferenceEntity, TaskReference, WorkflowReference
from flytekit.deck import DeckField, MarkdownRenderer, SourceCodeRenderer, TopFrameRenderer
from flytekit.deck.renderer import PythonDependencyRenderer
from flytekit.experimental import eager as awaited_eager
from flytekit.tools.translator import get_serializable
from flytekit.types.error import FlyteError
from flytekit.types.file import JSONLFile
from flytekit.types.iterator import FlyteIterator
from flytekit.types.iterator.json_iterator import JSONIterator
from tests.unit.authoring import registered
from whimbrel.testing.answers import gate_answers
from whimbrel.testing.engine import TestEngine

seen: list[object] = []
HERE = registered.__name__


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


class Both(NamedTuple):
    low: int
    high: int


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task
def spread(x: int) -> Both:
    return Both(x - 1, x + 1)


@task
def total(xs: list[int]) -> int:
    return sum(xs)


class ByName:
    """A cache policy."""

    def get_version(self, salt: str, params: VersionParameters) -> str:
        return params.func.__name__


@dynamic(retries=1, cache=Cache(policies=ByName()))
def unfolded(n: int) -> int:
    value = 0
    for i in range(n):
        value = add(x=value, y=i)  # type: ignore[assignment]
    return total(xs=[value, n])


@workflow
def around(n: int) -> int:
    return add(x=unfolded(n=n))


@eager
async def mixed_language(n: int) -> list[int]:
    """Everything that is not async blocks, as in 1.16."""
    lows, highs = map_task(spread)(x=[n, n + 1])
    return [unfolded(n=n), *lows, *highs, plan(n=n)]


@awaited_eager
async def awaited_language(n: int) -> list[int]:
    lows, highs = await map_task(spread)(x=[n, n + 1])
    return [await unfolded(n=n), *lows, *highs, await plan(n=n)]


plan = LaunchPlan.get_or_create(around, "around with defaults", default_inputs={"n": 2})


def test_dynamic() -> None:
    assert unfolded(n=4) == 10
    assert around(n=4) == TestEngine().run(around, n=4) == 11


@pytest.mark.parametrize("entity", [mixed_language, awaited_language])
def test_dynamic_map_and_launch_plans_in_eager_bodies(entity: object) -> None:
    expected = [6, 2, 3, 4, 5, 7]
    assert asyncio.run(entity(n=3)) == TestEngine().run(entity, n=3) == expected  # type: ignore[operator]


@workflow
def mapped(xs: list[int]) -> int:
    partly = functools.partial(add, y=10)
    return total(xs=map_task(partly, concurrency=2, min_success_ratio=1.0)(x=xs))


def test_map_task() -> None:
    assert mapped(xs=[1, 2]) == TestEngine().run(mapped, xs=[1, 2]) == 23
    assert isinstance(map_task(add), ArrayNodeMapTask)


@workflow
def gated(x: int) -> int:
    rows = wait_for_input("rows", timeout=dt.timedelta(hours=1), expected_type=int)
    nap = sleep(dt.timedelta(seconds=5))
    approved = approve(add(x=x), "fine", timeout=dt.timedelta(hours=1))
    nap >> approved
    return add(x=approved, y=rows)


def test_gates() -> None:
    with gate_answers({"rows": 5, "fine": True}):
        assert gated(x=1) == 7
    engine = TestEngine()
    engine.signal("rows", 5)
    engine.approve("fine", after=60.0)
    assert engine.run(gated, x=1) == 7
    assert issubclass(Gate, object)


ID = {"project": "p", "domain": "d", "version": "v1"}


@reference_task(name=f"{HERE}.double", **ID)
def double(x: int) -> int: ...


@reference_workflow(name=f"{HERE}.doubled_twice", **ID)
def twice(x: int) -> int: ...


@reference_launch_plan(name=f"{HERE}.by_eight", **ID)
def by_eight(x: int = 2) -> int: ...


@workflow
def referring(x: int) -> int:
    return total(xs=[double(x=x), twice(x=x), by_eight()])


@eager
async def referring_in_a_body(x: int) -> int:
    return double(x=x) + twice(x=x)


def test_references() -> None:
    assert referring(x=1) == TestEngine().run(referring, x=1) == 14
    assert asyncio.run(referring_in_a_body(x=1)) == TestEngine().run(referring_in_a_body, x=1) == 6
    assert isinstance(double, ReferenceEntity)
    kinds = {TaskReference, WorkflowReference, LaunchPlanReference}
    assert {type(entity.id) for entity in (double, twice, by_eight)} <= kinds
    assert get_reference_entity is not None


@task
def make(x: int) -> Annotated[int, HashMethod(lambda value: str(value % 2))]:
    return x


@task(cache=True, cache_version="1")
def parity(x: int) -> int:
    seen.append(x)
    return x % 2


@workflow
def hashed(x: int) -> int:
    return parity(x=make(x=x))


def test_hash_method() -> None:
    engine = TestEngine()
    assert [engine.run(hashed, x=x) for x in (1, 3, 2)] == [1, 1, 0]
    assert seen == [1, 2]


@task
def numbers(n: int) -> Iterator[int]:
    yield from range(n)


@task
def added_up(xs: Iterator[int]) -> int:
    seen.append(type(xs))
    return sum(xs)


@workflow
def iterating(n: int) -> int:
    return added_up(xs=numbers(n=n))


def test_iterators() -> None:
    assert iterating(n=4) == TestEngine().run(iterating, n=4) == 6
    assert FlyteIterator in seen
    assert issubclass(JSONIterator, Iterator)
    assert JSONLFile.__name__


@task
def refuse(x: int) -> int:
    raise ValueError(f"{x} is refused")


@task
def told(x: int, err: FlyteError | None = None) -> None:
    seen.append((x, err))


@workflow(on_failure=told)
def watched(x: int) -> int:
    return refuse(x=x)


def test_failure_nodes_are_told_the_error() -> None:
    for run in (watched, functools.partial(TestEngine().run, watched)):
        seen.clear()
        with pytest.raises(ValueError, match="7 is refused"):
            run(x=7)
        ((x, error),) = seen
        assert x == 7
        assert isinstance(error, FlyteError)
        assert "7 is refused" in error.message


@task(enable_deck=True, deck_fields=(DeckField.INPUT,))
def decked(x: int) -> int:
    """A deck takes HTML as it is, as flytekit's does."""
    deck = Deck("page", "<b>bold</b>")
    deck.append(MarkdownRenderer().to_html("# title"))
    current_context().default_deck.append(SourceCodeRenderer().to_html("x = 1"))
    Deck.publish()
    seen.append(deck.html)
    return x


def test_decks() -> None:
    assert TestEngine().run(decked, x=1) == 1
    (html,) = seen
    assert "<b>bold</b>" in str(html)
    assert "<h1>title</h1>" in str(html)
    assert "whimbrel" in PythonDependencyRenderer().to_html()
    assert callable(TopFrameRenderer().to_html)
    assert json.dumps(DeckField.INPUT) == '"Input"'


class Scaling(PythonInstanceTask):
    """A task that is an object."""

    def __init__(self, name: str, factor: int) -> None:
        super().__init__(name, interface=Interface(kwtypes(x=int), kwtypes(y=int)), task_type="scaling", retries=1)
        self.factor = factor

    def execute(self, **inputs: int) -> int:
        """Scale it."""
        return inputs["x"] * self.factor


tripled = Scaling("tests.tripled", 3)


@workflow
def scaled(x: int) -> int:
    return add(x=tripled(x=x))


def test_tasks_that_are_objects() -> None:
    assert tripled(x=2) == 6
    assert scaled(x=2) == TestEngine().run(scaled, x=2) == 7
    assert tripled.metadata.retries == 1


def test_compiled_output() -> None:
    settings = SerializationSettings.for_image("registry/app:v1", "v7", "p", "d")
    mapping: dict[object, object] = {}
    spec = get_serializable(mapping, settings, around)
    assert [node.id for node in spec.template.nodes if node.id.startswith("n")] == ["n0", "n1"]
    assert spec.to_flyte_idl().template.id.version == "v7"
    assert mapping[around] is spec
    assert get_serializable({}, settings, add).template.container.image == "registry/app:v1"
    assert get_serializable({}, settings, plan).id.name == "around with defaults"


shared = Environment(retries=2, environment={"A": "1"})


@shared.task(
    container_image=ImageSpec(name="app", packages=["polars"], registry="registry"),
    pod_template=PodTemplate(primary_container_name="main"),
    docs=Documentation(short_description="Says little.", source_code=SourceCode(link="https://example.com")),
)
def documented() -> int:
    return 1


def test_what_is_said_of_tasks_is_kept() -> None:
    assert documented() == 1
    assert documented.metadata.retries == 2
    assert documented.metadata.environment == {"A": "1"}
    assert documented.spec().doc == "Says little."
    assert Description(value="at length").value == "at length"
