"""What real flytekit registered, on our engine: a home with SQLite, and each task a process of its own."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from flyteidl.admin import launch_plan_pb2, task_pb2, workflow_pb2

from tests.integration.differential.environment import flytekit_python
from whimbrel.authoring.secret_sources import GivenSecrets
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.engine.run import Run
from whimbrel.executors.commands import CommandExecutor
from whimbrel.model.literals import Literals
from whimbrel.model.program import START, Graph, Node, Program, PromiseBinding, TaskTarget
from whimbrel.stores.home import Home, open_home
from whimbrel.wire.flyte.reading import decode_program

HERE = Path(__file__).parent
PATIENCE = 120.0
"""Seconds after which a test has failed; nothing waits for it to pass."""


def registered(messages: Path) -> Program:
    """Everything in ``flytekit_programs``, as its messages say it."""
    python = flytekit_python()
    if not messages.exists():
        subprocess.run([python, HERE / "serialize.py", messages], check=True, cwd=HERE, capture_output=True)
    said = json.loads(messages.read_text())

    def read(kind: str, shape: Any) -> list[Any]:
        return [shape.FromString(base64.b64decode(each)) for each in said[kind]]

    tasks = [each.template for each in read("tasks", task_pb2.TaskSpec)]
    workflows = [each.template for each in read("workflows", workflow_pb2.WorkflowSpec)]
    program, _ = decode_program(tasks, workflows, read("plans", launch_plan_pb2.LaunchPlan))
    return program


def entity(program: Program, name: str) -> tuple[Program, str]:
    """A program and the workflow in it that runs ``name``; for a task one of a single node."""
    whole = f"flytekit_programs.{name}"
    if whole in program.workflows:
        return program, whole
    interface = program.tasks[whole].interface
    node = Node("n0", TaskTarget(whole), {each: PromiseBinding(START, each) for each in interface.inputs})
    graph = Graph(f"only.{name}", interface, (node,), {each: PromiseBinding("n0", each) for each in interface.outputs})
    return program.merged(Program(workflows={graph.name: graph})), graph.name


@asynccontextmanager
async def engine(home: Home, **options: Any) -> AsyncIterator[ControlPlane]:
    """A control plane over ``home``."""
    settings = {
        "directory": home.path / "commands",
        "blobs": home.blobs,
        "workers": 2,
        "images": {"registry.example/flytekit:*": str(flytekit_python().parent.parent)},
        "secrets": GivenSecrets({"db/password": "hunter22"}),
    }
    executor = CommandExecutor(**(settings | options))
    plane = ControlPlane(store=home.store, executor=executor, clock=SystemClock(), ids=RandomIds(), owner="tests")
    await plane.start()
    try:
        yield plane
    finally:
        await plane.close()


async def story(home: Home, run: str) -> Run:
    """The run as its events tell it."""
    return Run.replay(await home.store.events(run))


def main(messages: str, home: str, name: str, inputs: str, run_id: str) -> None:
    """Run something in a process that a test kills."""
    import asyncio

    from whimbrel.model.literals import StrLiteral

    async def drive() -> None:
        program, workflow = entity(registered(Path(messages)), name)
        given: Literals = {key: StrLiteral(value) for key, value in json.loads(inputs).items()}
        with open_home(home, exclusive=True) as opened:
            async with engine(opened) as plane:
                await plane.launch(program, workflow, given, run_id=run_id)
                await plane.wait(run_id)

    asyncio.run(drive())


if __name__ == "__main__":
    main(*sys.argv[1:])
