"""Run by real flytekit's interpreter against a server: every flow of ``FLOWS``, the result of each as a line of JSON.

What takes long is launched first and waited for last.
"""

import contextlib
import io
import json
import os
import sys
import time
import traceback
import urllib.request
from datetime import timedelta
from pathlib import Path

import flows

from flytekit import FlyteFile
from flytekit.configuration import Config, ImageConfig, PlatformConfig, SerializationSettings
from flytekit.exceptions.user import FlyteEntityNotExistException, FlyteInvalidInputException
from flytekit.models.core.identifier import WorkflowExecutionIdentifier
from flytekit.remote import FlyteRemote

VERSION = "v1"
PROJECT, DOMAIN = "flytesnacks", "development"
address = os.environ.get("FLYTE_PLATFORM_URL")
config = Config(platform=PlatformConfig(endpoint=address, insecure=True)) if address else Config.for_sandbox()
remote = FlyteRemote(config, default_project=PROJECT, default_domain=DOMAIN)
folder = Path(sys.argv[1])
images = ImageConfig.auto(img_name="none:latest")

# --- what is registered ---------------------------------------------------------------------------------------------


def fetch_by_version():
    names = ("nested", "mapped", "branchy", "unfolding", "gated", "planned")
    return {
        name: [node.id for node in remote.fetch_workflow(name=f"flows.{name}", version=VERSION).flyte_nodes]
        for name in names
    }


def fetch_latest():
    """Not the first that was registered: `pyflyte run` has given it versions since."""
    return remote.fetch_workflow(name="flows.nested").id.version != VERSION


def fetch_task():
    return sorted(remote.fetch_task(name="flows.add", version=VERSION).interface.inputs)


def lists():
    listed = remote.client.list_workflow_ids_paginated(PROJECT, DOMAIN, limit=3)
    following = remote.client.list_workflow_ids_paginated(PROJECT, DOMAIN, limit=100, token=listed[1])
    return {
        "tasks": sorted(each.id.name for each in remote.list_tasks_by_version(VERSION)),
        "projects": [each.id for each in remote.client.list_projects_paginated()[0]],
        "version": remote.client.get_control_plane_version(),
        "first": [each.name for each in listed[0]],
        "repeated": len({each.name for each in listed[0]} & {each.name for each in following[0]}),
    }


def activate():
    plan = remote.fetch_launch_plan(name="fixed", version=VERSION)
    before = remote.fetch_active_launchplan(name="fixed")
    remote.activate_launchplan(plan.id)
    return {
        "of": [plan.workflow_id.name, sorted(plan.fixed_inputs.literals)],
        "before": before is not None,
        "after": remote.fetch_active_launchplan(name="fixed").id.version,
    }


def register():
    """A workflow of this process, with its code; ``_launch_all`` has done it before."""
    return _register().id.version


def _register():
    settings = SerializationSettings(image_config=images, project=PROJECT, domain=DOMAIN, version="v2")
    return remote.fast_register_workflow(flows.branchy, settings, version="v2")


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
        "missing": lambda: remote.execute(remote.fetch_launch_plan(name="flows.branchy", version=VERSION), inputs={}),
    }.items():
        try:
            ask()
        except (FlyteEntityNotExistException, FlyteInvalidInputException) as error:
            found[what] = type(error).__name__
    return found


# --- what pyflyte has run -------------------------------------------------------------------------------------------


def synced(name):
    done = remote.sync_execution(remote.fetch_execution(name=name), sync_nodes=True)
    return _told(done)


def deck():
    done = remote.sync_execution(remote.fetch_execution(name="run-file"), sync_nodes=True)
    node = done.node_executions["n0"]
    link = remote.client.get_download_artifact_signed_url(node_id="n0", project=PROJECT, domain=DOMAIN, name="run-file")
    return {
        "shown": "it says SAY IT" in _read(node.closure.deck_uri) and "it says SAY IT" in _read(link.signed_url[0]),
        "nodes": sorted(done.node_executions),
    }


def download():
    done = remote.sync_execution(remote.fetch_execution(name="run-file"))
    file = done.outputs.get("o0", FlyteFile)
    location = remote.client.get_download_signed_url(native_url=done.outputs.literals["o0"].scalar.blob.uri)
    remote.download(done.outputs, str(folder / "downloaded"), recursive=True)
    found = [path for path in (folder / "downloaded").rglob("*") if path.is_file() and path.read_text() == "SAY IT"]
    return {"opened": Path(file.download()).read_text(), "linked": _read(location.signed_url), "files": len(found)}


def eager_children():
    """What an eager workflow has called are executions, with its label; it shows what they are."""
    done = remote.sync_execution(remote.fetch_execution(name="run-eager"), sync_nodes=True)
    labelled = [each for each in _all() if each.spec.labels.values.get("eager-exec") == "run-eager"]
    shown = _read(done.node_executions["n0"].closure.deck_uri)
    return {
        "called": sorted(each.spec.launch_plan.name for each in labelled),
        "phases": sorted(each.closure.phase for each in labelled),
        "shown": all(each.id.name in shown for each in labelled),
    }


def logs():
    done = remote.sync_execution(remote.fetch_execution(name="run-task"), sync_nodes=True)
    (log,) = done.node_executions["n0"].task_executions[0].closure.logs
    return json.loads(_read(log.uri)) is not None


def metrics():
    id = WorkflowExecutionIdentifier(PROJECT, DOMAIN, "run-workflow")
    return _spans(remote.client.get_execution_metrics(id=id, depth=10))


def _spans(span):
    """Nodes and operations by name, with what is inside."""
    name = span.operation_id or (span.node_id and span.node_id.node_id) or "other"
    return {name: [_spans(each) for each in span.spans]}


def recent():
    first = remote.recent_executions(limit=2)
    return {"two": len(first), "children": any(each.id.name.startswith("planned-") for each in _all())}


def _all():
    return remote.recent_executions(limit=100)


def upload():
    path = folder / "sent.txt"
    path.write_text("sent")
    _, uri = remote.upload_file(path)
    _, again = remote.upload_file(path)
    return {"same": uri == again, "text": Path(uri).read_text()}


# --- what is launched here ------------------------------------------------------------------------------------------


def _plan(name):
    return remote.fetch_launch_plan(name=name, version=VERSION)


def _launch_all():
    """Everything that takes a while, so that it runs while the rest is asked."""
    where = str(folder)
    remote.execute(_plan("flows.planned"), inputs={"x": 5}, execution_name="planned")
    remote.execute(_plan("flows.plans_that_wait"), inputs={"folder": where}, execution_name="plan-waits")
    remote.execute(_plan("flows.mended"), inputs={"folder": where}, execution_name="mended")
    remote.execute(_plan("flows.stuck"), inputs={"folder": where}, execution_name="stuck")
    remote.execute(_plan("flows.waiting"), inputs={"x": 1}, execution_name="a-gate")
    remote.execute(_plan("flows.waiting"), inputs={"x": 2}, execution_name="another-gate")
    remote.execute(_register(), inputs={"x": 11}, execution_name="local")


def execute():
    return _told(_waited("local"))


def launch_plan_node():
    done = _waited("planned")
    (child,) = done.node_executions["n0"].workflow_executions
    known = remote.fetch_execution(name=child.id.name)
    listed = [each.id.name for each in _all() if each.spec.metadata.parent_node_execution]
    return {
        "told": _told(done),
        "child": _told(child),
        "plan": known.spec.launch_plan.name,
        "of": known.spec.metadata.parent_node_execution.execution_id.name,
        "listed": child.id.name in listed,
    }


def terminate_child():
    outer = remote.fetch_execution(name="plan-waits")
    _until(lambda: (folder / "begun-2").exists())
    (child,) = remote.sync_execution(outer, sync_nodes=True).node_executions["n0"].workflow_executions
    remote.terminate(child, "the child is not needed")
    outer = _waited("plan-waits")
    child = remote.fetch_execution(name=child.id.name)
    return {"child": child.closure.phase, "outer": outer.closure.phase, "why": "not needed" in outer.error.message}


def adopt():
    return remote.execute(_plan("flows.waiting"), inputs={"x": 1}, execution_name="a-gate").id.name


def gates():
    made = remote.fetch_execution(name="a-gate")
    signals = [each.id.signal_id for each in _until(lambda: remote.list_signals("a-gate"))]
    nodes = sorted(remote.sync_execution(made, sync_nodes=True).node_executions)
    remote.set_signal("first", "a-gate", 41)
    return {"signals": signals, "nodes": nodes, "answered": _waited("a-gate").outputs["o0"]}


def terminate():
    other = remote.fetch_execution(name="another-gate")
    remote.terminate(other, "not needed")
    ended = _until(lambda: remote.sync_execution(other).is_done)
    now = remote.sync_execution(other)
    return {"ended": ended, "phase": now.closure.phase, "why": now.closure.abort_metadata.cause}


def terminate_eager():
    """What an eager workflow has called ends with it; what it has shown stays."""
    _until(lambda: (folder / "begun-7").exists())
    called = [each for each in _all() if each.spec.launch_plan.name == "flows.patient"]
    remote.terminate(remote.fetch_execution(name="stuck"), "enough")
    done = _waited("stuck")
    ended = _until(lambda: [each for each in called if remote.sync_execution(each).closure.phase == 7])
    return {
        "called": len(called),
        "ended": len(ended),
        "phase": done.closure.phase,
        "deck": "http" in done.node_executions["n0"].closure.deck_uri,
        "labels": sorted(called[0].spec.labels.values),
    }


def relaunch():
    id = WorkflowExecutionIdentifier(PROJECT, DOMAIN, "run-task")
    return _told(_waited(remote.client.relaunch_execution(id, name="run-again").name))


def recover():
    before = _told(_waited("mended"))
    (folder / "mended").touch()
    id = WorkflowExecutionIdentifier(PROJECT, DOMAIN, "mended")
    return [before, _told(_waited(remote.client.recover_execution(id, name="recovered").name))]


# --- tools ----------------------------------------------------------------------------------------------------------


def _waited(name):
    made = remote.fetch_execution(name=name)
    return remote.wait(made, poll_interval=timedelta(seconds=0.2), timeout=timedelta(minutes=3))


def _told(done):
    names = done.outputs.literals if not done.error and done.outputs else {}
    return {
        "phase": done.closure.phase,
        "outputs": {name: done.outputs.get(name, int) for name in names} if done.closure.phase == 4 else None,
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


def _read(url):
    with urllib.request.urlopen(url, timeout=30) as answer:
        return answer.read().decode()


def _until(ask):
    end = time.monotonic() + 120
    while time.monotonic() < end:
        found = ask()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError


FLOWS = {
    **{
        each.__name__: each
        for each in (
            *(terminate_child, terminate_eager, relaunch, adopt, gates, terminate),
            *(fetch_by_version, fetch_latest, fetch_task, lists, activate, register, refusals, upload),
            *(deck, eager_children, download, logs, metrics, launch_plan_node, execute, recover, recent, native),
        )
    },
    "sync workflow": lambda: synced("run-workflow"),
    "sync task": lambda: synced("run-task"),
    "sync map": lambda: synced("run-map"),
    "sync dynamic": lambda: synced("run-dynamic"),
    "sync eager": lambda: synced("run-eager"),
}


def main():
    _launch_all()
    for name, flow in FLOWS.items():
        said, began = io.StringIO(), time.monotonic()
        with contextlib.redirect_stdout(said):
            try:
                found = flow()
            except Exception:
                found = {"raised": traceback.format_exc()}
        print(json.dumps({"flow": name, "found": found, "seconds": round(time.monotonic() - began, 1)}), flush=True)


if __name__ == "__main__":
    main()
