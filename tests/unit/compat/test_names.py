"""Names of flytekit's at work: each does in a plain call, and where it matters on the engine, what flytekit's does."""

from __future__ import annotations

import datetime as dt
import logging
from typing import NamedTuple

import pytest

import flytekit
import union
from flytekit import (
    Annotations,
    AuthRole,
    Cache,
    Checkpoint,
    ConcurrencyLimitBehavior,
    ConcurrencyPolicy,
    CronSchedule,
    Email,
    FixedRate,
    FlyteContextManager,
    Labels,
    LaunchPlan,
    Options,
    PagerDuty,
    PythonFunctionTask,
    Resources,
    SecurityContext,
    Slack,
    VersionParameters,
    Workflow,
    WorkflowExecutionPhase,
    WorkflowFailurePolicy,
    conditional,
    current_context,
    kwtypes,
    lazy_module,
    load_implicit_plugins,
    task,
    workflow,
)
from flytekit.core.base_task import TaskMetadata
from flytekit.core.context_manager import CompilationState, ExecutionParameters, FlyteContext
from flytekit.core.node import Node
from flytekit.core.node_creation import create_node
from flytekit.core.promise import Promise, VoidPromise
from flytekit.core.workflow import PythonFunctionWorkflow
from flytekit.extras.accelerators import A100, T4, GPUAccelerator
from flytekit.loggers import logger
from flytekit.models.security import Identity, Secret
from whimbrel.errors import CallMismatch
from whimbrel.testing.engine import TestEngine

seen: list[object] = []


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task
def note(text: str) -> None:
    seen.append(text)


@workflow
def plus_two(x: int = 1) -> int:
    return add(x=add(x=x))


@workflow
def sized(x: int) -> int:
    return conditional("size").if_(x > 10).then(add(x=x)).elif_(x > 5).then(plus_two(x=x)).else_().fail("too small")


plan = LaunchPlan.get_or_create(
    plus_two,
    "nightly",
    default_inputs={"x": 5},
    schedule=CronSchedule(schedule="0 3 * * *"),
    notifications=[Email(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["a@example.com"])],
    labels=Labels({"team": "birds"}),
    annotations=Annotations({"a": "b"}),
    concurrency=ConcurrencyPolicy(max_concurrency=1, behavior=ConcurrencyLimitBehavior.SKIP),
)


@workflow
def planned() -> int:
    return plan()


class Both(NamedTuple):
    low: int
    high: int


@task
def both(x: int) -> Both:
    return Both(x - 1, x + 1)


@workflow
def ordered(x: int) -> int:
    first = create_node(note, text="first")
    second = create_node(both, x=x)
    seen.append((type(first), type(second.low)))
    first >> second
    return add(x=second.high)


@task(requests=Resources(cpu="1", mem="1Gi"), limits=Resources(mem="2Gi"), secret_requests=[Secret(group="g", key="k")])
def asking() -> str:
    context = current_context()
    context.logging.info("hello")
    return type(context.checkpoint).__name__


class BySource:
    """A policy of our own."""

    def get_version(self, salt: str, params: VersionParameters) -> str:
        return f"{salt}-{params.func.__name__}"


@task(cache=Cache(policies=BySource(), salt="s"))
def kept(x: int) -> int:
    seen.append(x)
    return x


@workflow
def keeping(x: int) -> int:
    return kept(x=x)


def test_tasks_and_workflows() -> None:
    assert isinstance(add, PythonFunctionTask)
    assert isinstance(plus_two, PythonFunctionWorkflow)
    assert plus_two(x=1) == TestEngine().run(plus_two, x=1) == 3


@pytest.mark.parametrize(("x", "y"), [(11, 12), (6, 8)])
def test_conditional(x: int, y: int) -> None:
    assert sized(x=x) == TestEngine().run(sized, x=x) == y


def test_launch_plans_with_everything_that_is_said_of_them() -> None:
    assert plan() == 7
    assert planned() == TestEngine().run(planned) == 7
    assert plan(x=1) == 3
    assert plan.schedule == CronSchedule(schedule="0 3 * * *")
    assert LaunchPlan.get_or_create(plus_two, "nightly", **plan.said) is plan
    with pytest.raises(CallMismatch, match="whenever"):
        CronSchedule(schedule="whenever")
    rate = FixedRate(duration=dt.timedelta(hours=1))
    hourly = LaunchPlan.create("hourly", plus_two, fixed_inputs={"x": 2}, schedule=rate)
    assert hourly() == 4


def test_what_is_said_of_a_launch_is_kept() -> None:
    context = SecurityContext(run_as=Identity(iam_role="role"))
    options = Options(labels=Labels({"a": "b"}), annotations=Annotations({}), security_context=context)
    assert options.labels == Labels({"a": "b"})
    assert AuthRole(assumable_iam_role="role").assumable_iam_role == "role"
    phases = [WorkflowExecutionPhase.SUCCEEDED]
    assert Slack(phases, ["s@example.com"]) != PagerDuty(phases, ["s@example.com"])
    with pytest.raises(CallMismatch):
        Email(phases=["nowhere"], recipients_email=["a@example.com"])


def test_nodes_and_promises() -> None:
    seen.clear()
    assert ordered(x=1) == 3
    seen.clear()
    assert TestEngine().run(ordered, x=1) == 3
    kinds = [kind for kind in seen if isinstance(kind, tuple)]
    assert kinds
    for node, promise in kinds:
        assert issubclass(node, Node)
        assert issubclass(promise, Promise)
    assert seen[-1] == "first"
    assert VoidPromise.__name__ == "Void"


def test_imperative_workflows() -> None:
    built = Workflow(name="built", failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
    x = built.add_workflow_input("x", int)
    node = built.add_entity(add, x=x)
    built.add_workflow_output("y", node.outputs["o0"])
    assert built(x=1).y == TestEngine().run(built, x=1).y == 2


def test_contexts() -> None:
    assert isinstance(current_context(), ExecutionParameters)
    assert isinstance(FlyteContextManager.current_context(), FlyteContext)
    assert FlyteContextManager.current_context().compilation_state is None
    states: list[object] = []

    @workflow
    def looking() -> int:
        states.append(FlyteContextManager.current_context().compilation_state)
        return 1

    looking.read
    looking.program()
    assert isinstance(states[0], CompilationState)


def test_checkpoints_secrets_and_resources() -> None:
    assert asking()
    assert hasattr(current_context().checkpoint, "read")
    assert Checkpoint.__name__ == "Checkpoint"
    assert asking.metadata.resources is not None
    assert asking.metadata.resources.mem == "1Gi"
    with pytest.raises(CallMismatch, match="a group, a key or both"):
        Secret()


def test_cache_policies() -> None:
    engine = TestEngine()
    seen.clear()
    assert [engine.run(keeping, x=4), engine.run(keeping, x=4)] == [4, 4]
    assert seen == [4]
    assert kept.metadata.cache is not None
    assert len(kept.metadata.cache.version) == 64


def test_metadata_and_types_by_keyword() -> None:
    assert list(kwtypes(x=int, y=str).items()) == [("x", int), ("y", str)]
    assert TaskMetadata(cache=True, cache_version="1").retries == 0
    with pytest.raises(ValueError, match="version"):
        TaskMetadata(cache=True)


def test_accelerators() -> None:
    assert isinstance(T4, GPUAccelerator)
    assert T4.device == "nvidia-tesla-t4"
    assert A100.partitioned("1g.5gb") == A100.partition_1g_5gb
    assert A100.unpartitioned.device == A100.device

    @task(accelerator=T4)
    def trained() -> int:
        return 1

    assert trained() == 1


def test_loading_and_logging() -> None:
    assert lazy_module("string").ascii_lowercase.startswith("abc")
    with pytest.raises(ModuleNotFoundError):
        _ = lazy_module("no_such_module_at_all").anything
    load_implicit_plugins()
    assert logger is logging.getLogger("flytekit") is flytekit.logger
    assert flytekit.LOGGING_RICH_FMT_ENV_VAR == "FLYTE_SDK_RICH_TRACEBACKS"


def test_modules_of_types() -> None:
    assert flytekit.file.FlyteFile is flytekit.FlyteFile
    assert flytekit.directory.FlyteDirectory is flytekit.FlyteDirectory


def test_union_has_the_same_names() -> None:
    assert {name for name in dir(union) if not name.startswith("_")} >= {"task", "workflow", "eager", "Cache"}
    assert union.task is flytekit.task
    assert union.LaunchPlan is flytekit.LaunchPlan
