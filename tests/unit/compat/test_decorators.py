"""flytekit's decorators make plain whimbrel entities, and understand flytekit's options."""

import datetime as dt
import inspect
from typing import Any, NamedTuple

import pytest

import flytekit
import union
from flytekit import (
    Cache,
    Resources,
    Secret,
    TaskMetadata,
    Workflow,
    WorkflowFailurePolicy,
    conditional,
    kwtypes,
    task,
    workflow,
)
from flytekit.core.cache import VersionParameters
from flytekit.core.node_creation import create_node
from flytekit.core.python_function_task import PythonFunctionTask
from flytekit.core.workflow import PythonFunctionWorkflow, WorkflowBase
from flytekit.types.pickle import FlytePickle
from whimbrel.authoring.imperative import ImperativeWorkflow
from whimbrel.authoring.task import Task
from whimbrel.errors import CallMismatch, ValueMismatch
from whimbrel.model.literal_types import BinaryType
from whimbrel.model.program import CacheSpec, FailurePolicy
from whimbrel.model.program import Resources as AskedFor


@task
def add_one(x: int) -> int:
    """One more."""
    return x + 1


class Split(NamedTuple):
    whole: int
    rest: int


@task(retries=2, timeout=dt.timedelta(minutes=1))
def split(x: int, by: int = 10) -> Split:
    return Split(x // by, x % by)


@workflow
def both(x: int) -> int:
    parts = split(x=add_one(x=x))
    return add_one(x=parts.rest)


class Opaque:
    def __init__(self, text: str) -> None:
        self.text = text


@task
def wrap(text: str) -> FlytePickle[Opaque]:
    return Opaque(text)


@task
def unwrap(box: FlytePickle[Opaque]) -> str:
    text: str = box.text
    return text


@workflow
def there_and_back(text: str) -> str:
    return unwrap(box=wrap(text=text))


def test_entities_are_whimbrels_own() -> None:
    assert type(add_one) is Task
    assert isinstance(add_one, PythonFunctionTask)
    assert isinstance(both, PythonFunctionWorkflow)
    assert isinstance(both, WorkflowBase)
    assert add_one.name.endswith("add_one")
    assert inspect.getdoc(add_one) == "One more."
    assert both(x=41) == 3


def test_a_compat_workflow_compiles_to_the_usual_nodes() -> None:
    graph = both.graph()
    assert [node.id for node in graph.nodes] == ["n0", "n1", "n2"]
    assert graph.nodes[1].upstream == ("n0",)


def test_metadata_is_read_from_flytekits_options() -> None:
    @task(
        retries=3,
        timeout=90,
        cache=Cache(version="7", serialize=True, ignored_inputs="seed"),
        requests=Resources(cpu="2", mem="4Gi", ephemeral_storage="1Gi"),
        limits=Resources(gpu="1"),
        environment={"A": "b"},
        interruptible=True,
        container_image="registry.example/image:1",
        secret_requests=[Secret(group="g", key="k")],
        deprecated="use another",
        enable_deck=True,
        disable_deck=None,
        pod_template_name="small",
        labels={"team": "x"},
        task_config=None,
    )
    def heavy(x: int, seed: int) -> int:
        return x

    metadata = heavy.metadata
    assert metadata.retries == 3
    assert metadata.timeout == 90
    assert metadata.cache == CacheSpec("7", ("seed",), True)
    assert metadata.resources == AskedFor(cpu="2", mem="4Gi", gpu="1", storage="1Gi")
    assert metadata.environment == {"A": "b"}
    assert metadata.interruptible is True
    assert metadata.image == "registry.example/image:1"
    assert heavy(x=1, seed=2) == 1


def test_the_older_cache_options_work_too() -> None:
    @task(cache=True, cache_version="1.0", cache_serialize=True, cache_ignore_input_vars=("x",))
    def kept(x: int) -> int:
        return x

    assert kept.metadata.cache == CacheSpec("1.0", ("x",), True)


class Policy:
    def __init__(self, word: str) -> None:
        self.word = word

    def get_version(self, salt: str, params: VersionParameters) -> str:
        return f"{salt}{self.word}{params.func.__name__}{params.container_image}"


def version_of(**options: Any) -> str:
    @task(cache=Cache(**options), container_image="image:1")
    def kept(x: int) -> int:
        return x

    spec = kept.metadata.cache
    assert spec is not None
    return spec.version


def test_policies_make_the_version_of_a_cache() -> None:
    one = version_of(policies=Policy("a"))
    assert one == version_of(policies=[Policy("a")])
    assert len({one, version_of(policies=Policy("b")), version_of(policies=Policy("a"), salt="s")}) == 3
    assert version_of(policies=[Policy("a"), Policy("b")]) != one
    assert version_of(version="3", policies=Policy("a")) == "3"


def test_a_cache_without_version_or_policies_takes_the_source_as_its_version() -> None:
    assert len(version_of()) == 16


@pytest.mark.parametrize("option", ["task_config", "task_resolver", "execution_mode"])
def test_options_that_would_change_what_runs_are_refused(option: str) -> None:
    def spark(x: int) -> int:
        return x

    with pytest.raises(CallMismatch, match=rf"{option} of .*spark is not in this release"):
        task(**{option: object()})(spark)


def test_options_of_workflows() -> None:
    @workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, interruptible=True)
    def patient(x: int) -> int:
        return add_one(x=x)

    assert patient.failure_policy is FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
    assert patient.metadata.interruptible is True
    assert workflow(on_failure=add_one)(patient.fn).on_failure is add_one


def test_an_option_that_nobody_knows_is_refused() -> None:
    with pytest.raises(CallMismatch, match="Did you mean 'retries'"):
        task(retrys=3)(lambda: None)


def test_branches_and_imperative_workflows() -> None:
    @workflow
    def choose(x: int) -> int:
        return conditional("size").if_(x > 10).then(add_one(x=x)).else_().then(split(x=x).whole)

    assert choose(x=20) == 21
    assert choose(x=9) == 0

    wf = Workflow(name="made.by.hand")
    assert isinstance(wf, ImperativeWorkflow)
    node = wf.add_entity(add_one, x=wf.add_workflow_input("x", int))
    wf.add_workflow_output("y", node.outputs["o0"])
    assert wf.ready()
    assert wf(x=1).y == 2


def test_nodes_and_the_compilation_around_them() -> None:
    seen: list[int] = []

    @workflow
    def ordered(x: int) -> int:
        state = flytekit.FlyteContextManager.current_context().compilation_state
        first = create_node(add_one, x=x)
        second = create_node(add_one, x=x)
        first >> second
        if state is not None:
            seen.append(len(state.nodes))
        result: int = second.o0
        return result

    assert ordered(x=1) == 2
    assert seen == []
    assert ordered.graph().nodes[1].upstream == ("n0",)
    assert seen == [2]


def test_the_context_in_a_task() -> None:
    @task
    def who() -> str:
        return str(flytekit.current_context().execution_id)

    assert who().startswith("local-")


def test_pickles_only_where_they_are_asked_for() -> None:
    assert there_and_back(text="x") == "x"
    kind = wrap.interface.outputs["o0"].type
    assert isinstance(kind, BinaryType)
    with pytest.raises(ValueMismatch):
        unwrap(box="not a box")


def test_untyped_inputs_can_be_opted_in() -> None:
    @task(pickle_untyped=True)
    def same(x):  # type: ignore[no-untyped-def]
        return "seen"

    assert list(same.interface.inputs) == ["x"]


def test_data_classes() -> None:
    assert list(kwtypes(x=int, y=str).items()) == [("x", int), ("y", str)]
    assert Secret(group="g").mount_requirement is Secret.MountType.ANY
    with pytest.raises(CallMismatch, match="a group, a key or both"):
        Secret()
    assert TaskMetadata(cache=True, cache_version="1").retries == 0
    with pytest.raises(ValueError, match="cache_version"):
        TaskMetadata(cache=True)
    with pytest.raises(ValueError, match="need cache=True"):
        TaskMetadata(cache_serialize=True)


def test_union_is_the_same_thing() -> None:
    assert union.task is flytekit.task
    assert union.workflow is flytekit.workflow
    assert union.Resources is flytekit.Resources
    assert flytekit.logger.name == "flytekit"
    assert flytekit.__version__.startswith("1.16")
