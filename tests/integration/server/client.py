"""Run by real flytekit's interpreter against a server: one function a flow, its result as a line of JSON."""

import json
import os
import sys
import time
from datetime import timedelta

from flytekit.configuration import Config, PlatformConfig
from flytekit.exceptions.user import FlyteEntityNotExistException, FlyteInvalidInputException
from flytekit.remote import FlyteRemote

VERSION = "v1"
remote = FlyteRemote(
    Config(platform=PlatformConfig(endpoint=os.environ["FLYTE_PLATFORM_URL"], insecure=True)),
    default_project="flytesnacks",
    default_domain="development",
)


def fetch():
    workflows = ("nested", "mapped", "branchy", "unfolding", "gated")
    fetched = {name: remote.fetch_workflow(name=f"flows.{name}", version=VERSION) for name in workflows}
    plan = remote.fetch_launch_plan(name="fixed")
    return {
        "nodes": {name: [node.id for node in one.flyte_nodes] for name, one in fetched.items()},
        "latest": remote.fetch_workflow(name="flows.nested").id.version,
        "task": list(remote.fetch_task(name="flows.add").interface.inputs),
        "plan": [plan.workflow_id.name, sorted(plan.fixed_inputs.literals)],
        "tasks": sorted(each.id.name for each in remote.list_tasks_by_version(VERSION)),
        "projects": [each.id for each in remote.client.list_projects_paginated()[0]],
        "version": remote.client.get_control_plane_version(),
        "active before": remote.fetch_active_launchplan(name="fixed") is not None,
        "active after": _activated(plan),
    }


def _activated(plan):
    remote.activate_launchplan(plan.id)
    return remote.fetch_active_launchplan(name="fixed").id.version


def native():
    """What whimbrel's own client registered: read, launched as it was fetched, and once more."""
    workflow = remote.fetch_workflow(name="native.mapped", version="n1")
    task = remote.fetch_task(name="native.double", version="n1")
    plan = remote.fetch_launch_plan(name="native plan", version="n1")
    runs = [
        remote.execute(workflow, inputs={"xs": [1, 2]}, wait=True),
        remote.execute(task, inputs={"x": 4}, wait=True),
        remote.execute(plan, inputs={"title": "t"}, wait=True),
        remote.execute(remote.fetch_task(name="native.deep", version="n1"), inputs={"x": 5}, wait=True),
    ]
    ours = remote.sync(remote.fetch_execution(name="launched-over-rest"), sync_nodes=True)
    return {
        "nodes": [node.id for node in workflow.flyte_nodes],
        "inputs": list(task.interface.inputs),
        "doc": task.template.metadata.runtime.flavor,
        "plan": [plan.workflow_id.name, sorted(plan.fixed_inputs.literals), sorted(plan.default_inputs.parameters)],
        "outputs": [run.outputs["o0"] for run in runs],
        "ours": [ours.outputs["o0"], sorted(ours.node_executions), ours.spec.launch_plan.name],
        "active": remote.fetch_active_launchplan(name="native plan").id.version,
    }


def refusals():
    found = {}
    for what, ask in {
        "unknown": lambda: remote.fetch_workflow(name="flows.nothing", version=VERSION),
        "missing": lambda: remote.execute(remote.fetch_launch_plan(name="flows.branchy"), inputs={}),
    }.items():
        try:
            ask()
        except (FlyteEntityNotExistException, FlyteInvalidInputException) as error:
            found[what] = type(error).__name__
    return found


def gate():
    """An execution that waits for an answer before any task: answered, it goes on; another one is terminated."""
    plan = remote.fetch_launch_plan(name="flows.waiting")
    made = remote.execute(plan, inputs={"x": 1}, execution_name="a-gate")
    again = remote.execute(plan, inputs={"x": 1}, execution_name="a-gate")
    signals = [each.id.signal_id for each in _until(lambda: remote.list_signals("a-gate"))]
    nodes = sorted(remote.sync_execution(made, sync_nodes=True).node_executions)
    remote.set_signal("first", "a-gate", 41)
    went_on = _waited(made)
    other = remote.execute(plan, inputs={"x": 2}, execution_name="another-gate")
    remote.terminate(other, "not needed")
    ended = _until(lambda: remote.sync_execution(other).is_done)
    return {
        "adopted": again.id.name,
        "signals": signals,
        "nodes": nodes,
        "answered": went_on.outputs["o0"],
        "ended": ended,
        "aborted": remote.sync_execution(other).closure.phase,
        "recent": [each.id.name for each in remote.recent_executions(limit=2)],
    }


def _waited(execution):
    return remote.wait(execution, poll_interval=timedelta(seconds=0.2), timeout=timedelta(minutes=2))


def _run(name, launch=None, **inputs):
    done = _waited(
        remote.execute(launch or remote.fetch_workflow(name=f"flows.{name}", version=VERSION), inputs=inputs)
    )
    return {
        "phase": done.closure.phase,
        "outputs": {name: done.outputs.get(name, int) for name in done.outputs.literals} if not done.error else None,
        "error": done.error.message.splitlines()[-1].strip() if done.error else None,
        "nodes": _shape(done.node_executions),
    }


def _shape(nodes):
    """Phases of the attempts, or what is inside, by node."""
    return {
        id.rpartition("-0-")[2]: _shape(one.subworkflow_node_executions)
        if one.subworkflow_node_executions
        else [each.closure.phase for each in one.task_executions]
        for id, one in sorted(nodes.items())
    }


def runs(which):
    inputs = {"nested": 1, "branchy": 11, "failing": 4}
    match which:
        case "mapped":
            return _run("mapped", xs=[1, 2, 3])
        case "unfolding":
            return _run("unfolding", n=3)
        case "fixed":
            return _run("", remote.fetch_launch_plan(name="fixed"))
        case "task":
            return _run("", remote.fetch_task(name="flows.double", version=VERSION), x=21)
        case _:
            return _run(which, x=inputs[which])


def _until(ask):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError


if __name__ == "__main__":
    flow, *arguments = sys.argv[1:]
    print(json.dumps({flow: globals()[flow](*arguments)}))
