"""The limitations that the seed document lists for eager workflows, and what replaces them: one test a row, through the
engine, over SQLite, with worker processes.

Not here, because they need what is not there yet: dynamic workflows, map tasks, launch plans and references inside
an eager workflow; data sets that are read on touch (lists and dataclasses are decoded when they are awaited); the
console's tree (``describe`` shows it); children pinned by project, domain and version; eager workflows on a server
without a client secret. docs/guide/eager.md names them too.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.engine.run import Run
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.literals import RefLiteral
from whimbrel.model.run import Phase
from whimbrel.runtime.loading import load_module, locate
from whimbrel.runtime.values import read_literals
from whimbrel.stores.home import open_home

PROGRAMS = Path(__file__).with_name("programs.py")
SCRIPT = str(Path(sys.executable).with_name("whimbrel"))
LIMIT = 60.0


@pytest.fixture(scope="module")
def programs() -> ModuleType:
    where = locate(PROGRAMS)
    return load_module(where.module, where.root)


def execute(home_folder: Path, entity: Any, /, **inputs: Any) -> tuple[Any, Run]:
    """What the entity gives when it runs in worker processes, and the run."""

    async def main() -> tuple[Any, Run]:
        with open_home(home_folder / "home", exclusive=True) as home:
            plane = ControlPlane(
                store=home.store,
                executor=ProcessExecutor(blobs=home.blobs.location, workers=2),
                clock=SystemClock(),
                ids=RandomIds(),
                owner="tests",
            )
            await plane.start()
            try:
                literals = entity.signature.encode_inputs(entity.signature.bind((), inputs))
                run = await plane.launch(entity.program(), entity.name, literals)
                result = await asyncio.wait_for(plane.wait(run), LIMIT)
            finally:
                await plane.close()
            assert result.phase is Phase.SUCCEEDED, result.failure
            value = entity.signature.decode_outputs(read_literals(result.outputs, home.blobs))
            return value, Run.replay(await home.store.events(run))

    return asyncio.run(main())


class Shell:
    """The command line, in a directory of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *arguments: str, code: int = 0) -> str:
        done = subprocess.run(
            [SCRIPT, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=LIMIT,
        )
        assert done.returncode == code, (done.stdout, done.stderr)
        return done.stdout

    @contextmanager
    def started(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        process = subprocess.Popen(
            [SCRIPT, *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def trace(self) -> list[str]:
        file = self.folder / "trace"
        return file.read_text().splitlines() if file.exists() else []

    def nodes(self) -> dict[str, dict[str, Any]]:
        """What ``describe`` shows, by path."""
        found: dict[str, dict[str, Any]] = {}

        def add(nodes: list[dict[str, Any]]) -> None:
            for node in nodes:
                found[node["path"]] = node
                add(node.get("children", []))

        add(json.loads(self("describe", "latest", "--json"))["nodes"])
        return found


def wait_until(condition: Callable[[], object]) -> None:
    until = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.01)


# "Context managers will only work on locally executed functions within the eager workflow."
def test_context_managers_reach_children(programs: ModuleType, tmp_path: Path) -> None:
    seen, _ = execute(tmp_path, programs.in_context, folder=str(tmp_path))
    assert seen == ["acme, elsewhere: True", "acme, elsewhere: True", "3"]
    assert (tmp_path / "trace").read_text() == "try\n" * 3


# "All exceptions will be caught and raised as an EagerException."
def test_exceptions_are_of_their_class_and_eager_exceptions(programs: ModuleType, tmp_path: Path) -> None:
    seen, _ = execute(tmp_path, programs.catches)
    assert seen == ["pear", "0", "True", "looked everywhere", "True", "True"]


# "All outputs are materialized ... fully downloaded into the pod running the eager workflow."
def test_large_values_are_kept_once_and_named_from_then_on(programs: ModuleType, tmp_path: Path) -> None:
    total, run = execute(tmp_path, programs.passes_on, n=20_000)
    assert total == sum(range(100_000, 120_000))
    made, added = run.nodes["n0/1"], run.nodes["n0/2"]
    assert isinstance(made.outputs["o0"], RefLiteral)
    # What was made is what is passed on: the same blob, of which there is one.
    assert added.inputs["values"] == made.outputs["o0"]
    blobs = [file for file in (tmp_path / "home" / "blobs").rglob("*") if file.is_file()]
    assert len(blobs) == 1
    assert blobs[0].stat().st_size > 50_000


def test_files_are_handed_on_by_reference(programs: ModuleType, tmp_path: Path) -> None:
    seen, run = execute(tmp_path, programs.hands_on, size=10_000)
    assert seen == ["all is well\n", "downloaded by the body: False"]
    assert run.nodes["n0/2"].inputs["report"] == run.nodes["n0/1"].outputs["o0"]


# "Entities must be registered under the same project and domain; the latest version is executed."
def test_children_have_the_version_of_their_parent(tmp_path: Path) -> None:
    file = tmp_path / "programs.py"
    file.write_text(PROGRAMS.read_text())
    elsewhere = tmp_path / "newer"
    elsewhere.mkdir()
    # Nothing is registered, and what else is called so does not matter.
    (elsewhere / "programs.py").write_text(PROGRAMS.read_text().replace("of the parent", "newer"))
    shell = Shell(tmp_path)
    assert json.loads(shell("run", str(file), "versions")) == ["of the parent", "of the parent"]
    assert json.loads(shell("run", str(elsewhere / "programs.py"), "versions")) == ["newer", "newer"]


# "The tasks and subworkflows invoked within it won't show up ... only a deck at the end of execution."
def test_children_are_seen_while_they_run(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started("run", str(PROGRAMS), "two_wait", "--folder", str(tmp_path)) as process:
        wait_until(lambda: len(shell.trace()) == 3)
        wait_until(lambda: [node["phase"] for node in shell.nodes().values()].count("RUNNING") == 4)
        nodes = shell.nodes()
        assert {path: node["phase"] for path, node in nodes.items()} == {
            "n0": "RUNNING",
            "n0/1": "SUCCEEDED",
            "n0/2": "RUNNING",
            "n0/2/1": "RUNNING",
            "n0/3": "RUNNING",
        }
        (tmp_path / "go").touch()
        assert process.wait(LIMIT) == 0
    assert {node["phase"] for node in shell.nodes().values()} == {"SUCCEEDED"}


# "At the end of execution you'll be able to use Flyte Decks" - and an abort took them away.
def test_an_abort_keeps_everything_visible(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started("run", str(PROGRAMS), "two_wait", "--folder", str(tmp_path)) as process:
        wait_until(lambda: len(shell.trace()) == 3)
        shell("abort", "latest", "--reason", "that will do")
        assert process.wait(LIMIT) == 3
    nodes = shell.nodes()
    assert {path: node["phase"] for path, node in nodes.items()} == {
        "n0": "ABORTED",
        "n0/1": "SUCCEEDED",
        "n0/2": "ABORTED",
        "n0/2/1": "ABORTED",
        "n0/3": "ABORTED",
    }
    assert "that will do" in shell("describe", "latest")
    assert shell("logs", "latest").count("waiting") == 2


# "You lose the compile-time type safety."
def test_arguments_are_checked_before_anything_is_launched(programs: ModuleType, tmp_path: Path) -> None:
    seen, run = execute(tmp_path, programs.wrong_argument, folder=str(tmp_path))
    assert [line.partition(":")[0] for line in seen] == ["ValueMismatch", "CallMismatch", "CallMismatch"]
    assert "x" in seen[0]
    assert list(run.nodes) == ["n0"]
    assert not (tmp_path / "trace").exists()


# "Executions cannot be recovered."
def test_a_killed_run_carries_on(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started("run", str(PROGRAMS), "two_wait", "--folder", str(tmp_path)) as process:
        wait_until(lambda: len(shell.trace()) == 3)
        os.kill(process.pid, signal.SIGKILL)
        process.wait(LIMIT)
    (tmp_path / "go").touch()
    assert shell("resume", "latest") == "6\n"
    assert sorted(shell.trace()) == ["quick 1", "waits 2", "waits 2", "waits 3", "waits 3"]
