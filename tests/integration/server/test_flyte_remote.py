"""``FlyteRemote`` of the compat names against ``whimbrel up``: a program of flytekit's users, our own client below."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from flytekit.configuration import Config, SerializationSettings
from flytekit.exceptions.user import (
    FlyteAssertion,
    FlyteEntityNotExistException,
    FlyteInvalidInputException,
    FlyteTimeout,
)
from flytekit.models.core.execution import NodeExecutionPhase, TaskExecutionPhase, WorkflowExecutionPhase
from flytekit.models.core.identifier import ResourceType
from flytekit.remote import FlyteLaunchPlan, FlyteRemote, FlyteTask, FlyteWorkflow, FlyteWorkflowExecution
from tests.integration.server import distant
from tests.integration.server.serving import running
from whimbrel.errors import CallMismatch

V1 = SerializationSettings(version="v1")


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FlyteRemote]:
    with running(tmp_path_factory.mktemp("server"), Path(sys.executable)) as address:
        made = FlyteRemote(Config.for_endpoint(address, insecure=True), "flytesnacks", "development")
        try:
            yield made
        finally:
            made.whimbrel_remote.close()


@pytest.fixture(scope="module")
def plan(remote: FlyteRemote) -> FlyteLaunchPlan:
    """A launch plan that is registered, with all that it needs."""
    return remote.register_launch_plan(distant.fixed, "v1")


def outputs(execution: FlyteWorkflowExecution) -> dict[str, Any]:
    return dict(execution.outputs)


def test_what_is_registered_is_fetched(remote: FlyteRemote, plan: FlyteLaunchPlan) -> None:
    assert (plan.id.resource_type, plan.id.version, plan.workflow_id.version) == (ResourceType.LAUNCH_PLAN, "v1", "v1")
    assert plan.workflow_id.name.endswith("distant.nested")
    assert not plan.is_scheduled
    assert list(plan.interface.inputs) == ["x"]
    task = remote.fetch_task(name=distant.double.name)
    assert isinstance(task, FlyteTask)
    assert (task.name, task.id.version) == (distant.double.name, "v1")
    with pytest.raises(CallMismatch, match=r"@reference_task\(project='flytesnacks', .*version='v1'\)"):
        task(x=1)
    whole = remote.fetch_workflow(name=distant.nested.name, version="v1")
    assert isinstance(whole, FlyteWorkflow)
    assert list(whole.flyte_nodes) == ["n0", "n1", "n2"]
    assert (list(whole.interface.inputs), list(whole.interface.outputs)) == (["x", "y"], ["o0"])
    lazy = remote.fetch_task_lazy(name=distant.double.name)
    assert not lazy.entity_fetched()
    assert lazy.id == task.id
    named = {each.name for each in remote.list_tasks_by_version("v1")}
    assert {distant.double.name, distant.add.name} <= named
    assert remote.list_tasks_by_version("no such version") == []
    assert "flytesnacks" in [project.id for project in remote.list_projects()]
    assert "development" in remote.get_domains()
    with pytest.raises(FlyteEntityNotExistException, match="nobody"):
        remote.fetch_task(name="nobody.knows")
    with pytest.raises(FlyteEntityNotExistException):
        remote.fetch_workflow(name=distant.nested.name, version="v9")


def test_registering_the_same_is_nothing(remote: FlyteRemote) -> None:
    first = remote.register_task(distant.double, version="fixed-version")
    assert remote.register_task(distant.double, version="fixed-version").id == first.id
    again = remote.fast_register_workflow(distant.nested)
    assert again.id.version == remote.fast_register_workflow(distant.nested).id.version
    assert len(again.id.version) > 8


def test_launch_plans_are_activated_and_deactivated(remote: FlyteRemote, plan: FlyteLaunchPlan) -> None:
    assert remote.fetch_active_launchplan(name=plan.name) is None
    remote.activate_launchplan(plan.id)
    active = remote.fetch_active_launchplan(name=plan.name)
    assert active is not None
    assert (active.id, active.state) == (plan.id, "ACTIVE")
    remote.deactivate_launchplan(plan.id)
    assert remote.fetch_active_launchplan(name=plan.name) is None


@pytest.mark.parametrize(
    ("entity", "inputs", "expected"),
    [
        (distant.double, {"x": 4}, {"o0": 8}),
        (distant.nested, {"x": 4}, {"o0": 14}),
        (distant.fixed, {}, {"o0": 30}),
        (distant.mapped, {"xs": [1, 2, 3]}, {"o0": [2, 4, 6]}),
        (distant.unfolding, {"n": 3}, {"o0": [0, 2, 4]}),
        (distant.reaching, {"x": 2}, {"o0": 14}),
    ],
    ids=["task", "workflow", "plan", "map", "dynamic", "eager"],
)
def test_entities_of_this_process_run_there(
    remote: FlyteRemote, entity: Any, inputs: dict[str, Any], expected: dict[str, Any]
) -> None:
    execution = remote.execute(entity, inputs, wait=True)
    assert execution.is_successful
    assert execution.error is None
    assert outputs(execution) == expected


def test_what_was_fetched_runs_as_it_is_there(remote: FlyteRemote, plan: FlyteLaunchPlan) -> None:
    task = remote.fetch_task(name=distant.double.name, version="v1")
    assert outputs(remote.execute(task, {"x": 21}, wait=True)) == {"o0": 42}
    assert outputs(remote.execute(plan, {"x": 1}, wait=True)) == {"o0": 22}
    with pytest.raises(FlyteInvalidInputException, match="'y'"):
        remote.execute(plan, {"y": 1})
    with pytest.raises(FlyteInvalidInputException):
        remote.execute(task, {"x": "a text"})


def test_a_version_that_is_there_is_what_runs(remote: FlyteRemote, plan: FlyteLaunchPlan) -> None:
    execution = remote.execute(distant.nested, {"x": 1, "y": 1}, version="v1", wait=True)
    assert execution.spec.launch_plan.version == "v1"
    assert outputs(execution) == {"o0": 4}


def test_an_execution_with_its_nodes_and_attempts(remote: FlyteRemote, plan: FlyteLaunchPlan) -> None:
    execution = remote.execute(plan, {"x": 2}, execution_name="with-nodes", tags=["quick"], envs={"A": "1"})
    assert execution.id.name == "with-nodes"
    assert dict(execution.inputs)["x"] == 2
    remote.wait(execution)
    assert WorkflowExecutionPhase.enum_to_string(execution.closure.phase) == "SUCCEEDED"
    assert execution.closure.duration is not None
    assert execution.closure.duration > timedelta(0)
    assert execution.spec.tags == ("quick",)
    assert list(execution.node_executions) == ["n0", "n1", "n2"]
    node = execution.node_executions["n2"]
    assert node.is_done
    assert node.closure.phase == NodeExecutionPhase.SUCCEEDED
    assert (dict(node.inputs), dict(node.outputs or {})) == ({"a": 4, "b": 20}, {"o0": 24})
    attempt = node.task_executions[0]
    assert (attempt.closure.phase, attempt.id.retry_attempt) == (TaskExecutionPhase.SUCCEEDED, 0)
    assert attempt.id.node_execution_id.node_id == "n2"
    # Named again, it is the one that there is; as is one that is looked for.
    assert remote.execute(plan, {"x": 3}, execution_name="with-nodes").inputs["x"] == 2
    fetched = remote.fetch_execution(name="with-nodes")
    assert outputs(fetched) == {"o0": 24}
    assert fetched.spec.launch_plan.resource_type == ResourceType.LAUNCH_PLAN
    assert remote.generate_console_url(fetched) == fetched.execution_url
    assert "with-nodes" in [each.id.name for each in remote.recent_executions(limit=50)]
    assert len(remote.recent_executions(limit=1)) == 1
    with pytest.raises(FlyteEntityNotExistException, match="no execution nobody"):
        remote.fetch_execution(name="nobody")


def test_values_can_be_got_by_their_uris(remote: FlyteRemote, capsys: pytest.CaptureFixture[str]) -> None:
    remote.execute(distant.reaching, {"x": 1}, execution_name="by-uri", wait=True)
    place = "flyte://v1/flytesnacks/development/by-uri"
    found = remote.get(f"{place}/o")
    assert dict(found) == {"o0": 10}  # type: ignore[arg-type]  # a resolver, for a whole map
    assert remote.get(f"{place}/o/o0").scalar.primitive.integer == 10  # type: ignore[union-attr]
    assert dict(remote.get(f"{place}/end-node/i")) == {"x": 1}  # type: ignore[arg-type]
    spans = remote.get_execution_metrics(remote.fetch_execution(name="by-uri").id)
    assert spans.seconds > 0
    spans.explain()
    spans.dump()
    said = capsys.readouterr().out
    assert said.splitlines()[0].split() == ["operation", "start", "end", "seconds", "entity"]
    assert "by-uri:" in said


def test_files_classes_and_decks_cross(remote: FlyteRemote, tmp_path: Path) -> None:
    words = tmp_path / "words.txt"
    words.write_text("one two three")
    md5, uri = remote.upload_file(words)
    assert md5 == hashlib.md5(b"one two three", usedforsecurity=False).digest()
    nest = distant.Nest(3)
    from_here = remote.execute(
        distant.counted, {"file": str(words), "nest": nest}, execution_name="counting", wait=True
    )
    from_there = remote.execute(
        remote.fetch_task(name=distant.counted.name), {"file": uri, "nest": {"eggs": 3, "place": "moss"}}, wait=True
    )
    assert from_here.outputs.get("o1", as_type=distant.Nest) == distant.Nest(4)
    assert from_there.outputs.get("o1", as_type=distant.Nest) == distant.Nest(4, "moss")
    with open(from_here.outputs["o0"]) as opened:
        assert opened.read() == "3 words"
    remote.download(from_there.outputs, str(tmp_path / "down"))
    assert (tmp_path / "down" / "o0").read_text() == "3 words"
    remote.download(from_there.outputs.get_literal("o0"), str(tmp_path / "one.txt"))
    assert (tmp_path / "one.txt").read_text() == "3 words"
    with pytest.raises(FlyteInvalidInputException, match="nothing to download"):
        remote.download(from_there.outputs.get_literal("o1"), str(tmp_path / "none"))
    deck = remote.get("flyte://v1/flytesnacks/development/counting/d")
    assert "<b>3</b>" in str(deck)


def test_a_failure_is_told_by_execution_node_and_attempt(remote: FlyteRemote) -> None:
    execution = remote.execute(distant.failing, {"x": 4}, wait=True)
    assert not execution.is_successful
    assert execution.error is not None
    assert "ValueError: no 8 today" in execution.error.message
    assert execution.error.code == "USER:ValueError"
    with pytest.raises(FlyteAssertion, match="no 8 today"):
        _ = execution.outputs
    node = execution.node_executions["n1"]
    assert node.outputs is None
    assert node.error is not None
    assert "no 8 today" in node.error.message
    assert node.task_executions[-1].closure.phase == TaskExecutionPhase.FAILED


def test_gates_are_listed_answered_and_executions_terminated(remote: FlyteRemote) -> None:
    execution = remote.execute(distant.waiting, {"x": 2}, execution_name="at-a-gate")
    with pytest.raises(FlyteTimeout, match="at-a-gate has not ended"):
        remote.wait(execution, timeout=timedelta(seconds=0.05))
    for ask in (lambda: execution.outputs, lambda: execution.error):
        with pytest.raises(FlyteAssertion, match="wait until the execution has completed"):
            ask()
    signal = until(lambda: remote.list_signals("at-a-gate"))[0]
    assert signal.id.signal_id == "first"
    remote.set_signal("first", "at-a-gate", 40)
    until(lambda: [each for each in remote.list_signals("at-a-gate") if each.id.signal_id == "ok"])
    remote.approve("ok", "at-a-gate")
    assert outputs(remote.wait(execution)) == {"o0": 42}

    refused = remote.execute(distant.waiting, {"x": 2}, execution_name_prefix="refused")
    assert refused.id.name.startswith("refused-")
    until(lambda: remote.list_signals(refused.id.name))
    remote.set_input("first", refused.id.name, 1, python_type=int)
    until(lambda: [each for each in remote.list_signals(refused.id.name) if each.id.signal_id == "ok"])
    remote.reject("ok", refused.id.name)
    assert not remote.wait(refused).is_successful

    ended = remote.execute(distant.waiting, {"x": 2})
    remote.terminate(ended, "enough")
    assert remote.wait(ended).closure.phase == WorkflowExecutionPhase.ABORTED
    assert ended.error is not None
    assert "enough" in ended.error.message


def test_relaunching_and_recovering(remote: FlyteRemote) -> None:
    execution = remote.execute(distant.failing, {"x": 3}, wait=True)
    again = remote.wait(remote.relaunch(execution, {"x": 0}, name="again"))
    assert (again.id.name, outputs(again)) == ("again", {"o0": 0})
    recovered = remote.wait(remote.recover(execution.id.name))
    assert not recovered.is_successful
    # What had succeeded is taken over.
    assert recovered.node_executions["n0"].closure.phase == NodeExecutionPhase.RECOVERED


def until(look: Any) -> Any:
    """What ``look`` finds, once it finds something."""
    import time

    deadline = time.monotonic() + 60
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found
