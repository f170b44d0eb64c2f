"""Configuration as data: what is accepted, what is kept, what is refused with what to do."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any

import pytest

from whimbrel import (
    Cache,
    CallMismatch,
    CompileError,
    Description,
    Documentation,
    Environment,
    HashMethod,
    ImageSpec,
    Options,
    PodTemplate,
    Resources,
    SourceCode,
    TaskMetadata,
    VersionParameters,
    task,
    workflow,
)
from whimbrel.authoring import accelerators
from whimbrel.authoring.registration import ConcurrencyPolicy, Labels, RawOutputDataConfig
from whimbrel.testing.engine import TestEngine


def metadata(**options: Any) -> Any:
    """What the engine is told of a task with these options."""

    @task(**options)
    def work(x: int) -> int:
        return x

    return work.metadata


# --- every option of a task --------------------------------------------------------------------------------------

EVERY_OPTION: dict[str, Any] = {
    "task_config": {"any": "thing"},
    "cache": Cache(version="1"),
    "retries": 3,
    "interruptible": True,
    "deprecated": "use another",
    "timeout": dt.timedelta(minutes=1),
    "container_image": ImageSpec(name="image"),
    "environment": {"A": "B"},
    "requests": Resources(cpu="1"),
    "limits": Resources(cpu="2"),
    "execution_mode": None,
    "node_dependency_hints": [],
    "task_resolver": None,
    "docs": Documentation(short_description="what it is for"),
    "disable_deck": True,
    "pod_template": PodTemplate(labels={"a": "b"}),
    "accelerator": accelerators.T4,
    "pickle_untyped": True,
    "shared_memory": "1Gi",
    "labels": {"a": "b"},
    "annotations": {"c": "d"},
}


def test_every_option_of_flytekits_is_taken() -> None:
    @task(**EVERY_OPTION)
    def work(x: int) -> int:
        return x

    assert work(x=1) == 1
    assert work.task_options == EVERY_OPTION
    said = work.metadata
    assert (said.retries, said.timeout, said.interruptible, said.image) == (3, 60.0, True, "image")
    assert (said.resources.cpu, said.cache.version, said.environment) == ("1", "1", {"A": "B"})


@task(retries=1)
def inc(x: int) -> int:
    return x + 1


@workflow
def overridden(x: int) -> int:
    return inc(x=x).with_overrides(
        node_name="the-node",
        aliases={"o0": "result"},
        requests=Resources(cpu="1"),
        limits=Resources(cpu="1"),
        timeout=dt.timedelta(seconds=5),
        retries=4,
        interruptible=True,
        task_config={"a": 1},
        container_image="other",
        accelerator=accelerators.A100.partition_1g_5gb,
        cache=Cache(version="2"),
        shared_memory=True,
        pod_template=PodTemplate(),
    )


def test_every_override_of_flytekits_is_taken() -> None:
    said = overridden.graph().nodes[0].overrides
    assert (said.timeout, said.retries, said.interruptible, said.image) == (5.0, 4, True, "other")
    assert said.cache is not None
    assert overridden(x=1) == TestEngine().run(overridden, x=1) == 2


def test_a_timeout_of_nought_is_none() -> None:
    assert metadata(timeout=0).timeout is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"retries": -1}, "whole number"),
        ({"interruptible": "yes"}, "True or False"),
        ({"shared_memory": 3}, "True, or a size"),
        ({"pod_template": PodTemplate(), "pod_template_name": "x"}, "Give one of them"),
        ({"resources": Resources(), "requests": Resources(cpu="1")}, "pair in resources"),
        ({"cache_version": "1"}, "need cache=True"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], said: str) -> None:
    with pytest.raises(CompileError, match=said) as caught:
        _ = metadata(**options)
    assert caught.value.problems[0].file == __file__


# --- resources ---------------------------------------------------------------------------------------------------


def test_resources() -> None:
    assert metadata(resources=Resources(cpu=("500m", 2), mem="1Gi")).resources.cpu == "500m"
    assert Resources(cpu=0.5) == Resources(cpu=0.5)
    assert metadata(requests=Resources(ephemeral_storage="1Gi")).resources.storage == "1Gi"


@pytest.mark.parametrize("wrong", ["two", "1GiB", ("1", "2", "3"), ("2Gi", "1Gi"), True, -1])
def test_quantities_that_are_none(wrong: Any) -> None:
    with pytest.raises(CallMismatch):
        Resources(mem=wrong)


# --- environments ------------------------------------------------------------------------------------------------

shared = Environment(retries=2, environment={"A": "1"})


@shared.task
def first(x: int) -> int:
    return x


@shared.task(retries=5)
def second(x: int) -> int:
    return x


@shared(timeout=3)
def third(x: int) -> int:
    return x


@shared.extend(interruptible=True).eager
async def fourth(x: int) -> int:
    return await first(x=x)


def test_an_environment_is_shared() -> None:
    assert [each.metadata.retries for each in (first, second, third, fourth)] == [2, 5, 2, 2]
    assert (third.metadata.timeout, fourth.metadata.interruptible) == (3.0, True)
    assert TestEngine().run(fourth, x=7) == 7
    with pytest.raises(CallMismatch, match="Did you mean"):
        Environment(retrys=1)


# --- caches ------------------------------------------------------------------------------------------------------


class ByName:
    """A policy of a test's own."""

    def __init__(self, word: str) -> None:
        self.word = word

    def get_version(self, salt: str, params: VersionParameters[Any, Any]) -> str:
        return f"{params.func.__name__} {self.word} {salt}"


def version(**said: Any) -> str:
    found: str = metadata(cache=Cache(**said)).cache.version
    return found


def test_versions_of_caches() -> None:
    assert version(version="7") == "7"
    assert version() == version()
    assert len({version(), version(salt="s"), version(policies=ByName("a")), version(policies=[ByName("b")])}) == 4
    assert version(policies=ByName("a"), salt="s") != version(policies=ByName("a"))
    assert version(policies=[ByName("a"), ByName("b")]) == version(policies=[ByName("a"), ByName("b")])
    assert metadata(cache=Cache(ignored_inputs="x")).cache.ignored == ("x",)
    for wrong in ({"version": "1", "salt": "s"}, {"policies": [3]}):
        with pytest.raises(CallMismatch):
            Cache(**wrong)  # type: ignore[arg-type]


def parity(value: list[int]) -> str:
    return "even" if sum(value) % 2 == 0 else "odd"


@task
def numbers(n: int) -> Annotated[list[int], HashMethod(parity)]:
    return [n, n + 1, n + 1]


@task(cache=True)
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def summed(n: int) -> int:
    return total(xs=numbers(n=n))


def test_a_hash_method_stands_for_the_value_in_the_keys_of_caches() -> None:
    engine = TestEngine()
    assert [engine.run(summed, n=n) for n in (2, 4, 3)] == [8, 8, 11]  # 2 and 4 are alike, as the author says
    assert engine.executions == {"numbers": 3, "total": 2}
    assert summed(n=4) == 14


# --- the rest ----------------------------------------------------------------------------------------------------


def test_images() -> None:
    image = ImageSpec(name="one", registry="here", packages=["a"])
    assert image.with_packages(["b", "c"]).packages == ["a", "b", "c"]
    assert image.with_packages("b").packages == ["a", "b"]
    assert image.with_apt_packages("git").with_commands(["make"]).commands == ["make"]
    assert (image.image_name(), image.is_container(), image.packages) == ("here/one", True, ["a"])
    with pytest.raises(CallMismatch, match="Give a list"):
        ImageSpec(packages="a")  # type: ignore[arg-type]


def test_an_image_knows_whether_it_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLYTE_INTERNAL_IMAGE", "here/one:v1")
    assert ImageSpec(name="one", registry="here").is_container()
    assert not ImageSpec(name="two", registry="here").is_container()


def test_accelerators() -> None:
    assert accelerators.A100.partition_1g_5gb.partition_size == "1g.5gb"
    assert accelerators.A100.unpartitioned.device == accelerators.A100.device
    with pytest.raises(AttributeError):
        _ = accelerators.A100.partition_9g_1gb


def test_data_is_data() -> None:
    assert Documentation("short", Description("long"), SourceCode("link")).long_description == Description("long")
    assert Options(labels=Labels({"a": "b"}), raw_output_data_config=RawOutputDataConfig("s3://x")).labels is not None
    assert TaskMetadata(retries=2, timeout=5).options() == {"retries": 2, "timeout": 5}
    for wrong in (
        lambda: TaskMetadata(cache=True),
        lambda: TaskMetadata(timeout="1"),  # type: ignore[arg-type]
        lambda: ConcurrencyPolicy(0),
        lambda: PodTemplate(primary_container_name=""),
        lambda: Labels({"a": 1}),  # type: ignore[dict-item]
    ):
        with pytest.raises(CallMismatch):
            wrong()


@workflow(interruptible=True, default_options=Options(max_parallelism=1), docs=Documentation("words"))
def said_of_workflows(x: int) -> int:
    return inc(x=x)


def test_what_is_said_of_a_workflow_holds_inside() -> None:
    engine = TestEngine()
    assert engine.run(said_of_workflows, x=1) == 2
    assert said_of_workflows.graph().metadata.interruptible is True
    assert said_of_workflows.graph().doc == "words"


def test_two_nodes_of_one_name_are_told() -> None:
    @workflow
    def twice(x: int) -> int:
        first = inc(x=x).with_overrides(node_name="same")
        return inc(x=first).with_overrides(node_name="same")

    @workflow
    def labelled(x: int) -> int:
        first = inc(x=x).with_overrides(name="same")
        return inc(x=first).with_overrides(name="same")

    with pytest.raises(CompileError, match="two nodes are called 'same': n0 and n1"):
        twice.graph()
    assert [node.name for node in labelled.graph().nodes] == ["same", "same"]
