"""Tasks that real flytekit registered, run on our engine as the command lines that they are."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.integration.commands.engine import PATIENCE, engine, entity, registered, story
from tests.integration.differential.environment import ROOT
from whimbrel.engine.run import Run
from whimbrel.model.attempt import DeckUpdate
from whimbrel.model.failure import Fault
from whimbrel.model.literals import (
    BlobLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    NoneLiteral,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.model.program import Program
from whimbrel.model.run import Phase
from whimbrel.stores.home import Home, open_home


class Ended(NamedTuple):
    """A run that is over, and what can be asked of it."""

    phase: Phase
    outputs: dict[str, Any]
    run: Run
    logs: str
    decks: list[tuple[DeckUpdate, str]]
    home: Path

    def failure(self) -> Any:
        """Why it failed."""
        (found,) = [node.failure for node in self.run.nodes.values() if node.phase is Phase.FAILED and node.attempts]
        return found


def literal(value: Any) -> Literal:
    match value:
        case int():
            return IntLiteral(value)
        case list():
            return ListLiteral(tuple(literal(each) for each in value))
        case _:
            return StrLiteral(str(value))


def plain(value: Literal) -> Any:
    match value:
        case ListLiteral(items=items):
            return [plain(each) for each in items]
        case UnionLiteral(value=inner):
            return plain(inner)
        case NoneLiteral():
            return None
        case BlobLiteral(uri=uri):
            return Path(uri)
        case IntLiteral(value=number):
            return number
        case StrLiteral(value=text):
            return text
        case _:
            raise AssertionError(value)


@pytest.fixture(scope="module")
def messages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("registered") / "messages.json"


@pytest.fixture(scope="module")
def program(messages: Path) -> Program:
    return registered(messages)


async def ended(home: Home, run_id: str, phase: Phase, outputs: Any) -> Ended:
    logs = "".join(line.text for line in await home.store.logs(run_id))
    found = {name: plain(each) for name, each in outputs.items()}
    decks = [(deck, deck.html or home.blobs.get(deck.uri).decode()) for deck in await home.store.decks(run_id)]
    return Ended(phase, found, await story(home, run_id), logs, decks, home.path)


def run(program: Program, where: Path, name: str, **inputs: Any) -> Ended:
    async def drive() -> Ended:
        with open_home(where / "home", exclusive=True) as home:
            async with engine(home) as plane:
                given = {key: literal(value) for key, value in inputs.items()}
                run_id = await plane.launch(*entity(program, name), given)
                result = await asyncio.wait_for(plane.wait(run_id), PATIENCE)
            return await ended(home, run_id, result.phase, result.outputs)

    return asyncio.run(drive())


def given(program: Program, where: Path, name: str, **inputs: Any) -> Any:
    """What ``name`` gives, where it gives one thing."""
    end = run(program, where, name, **inputs)
    assert end.phase is Phase.SUCCEEDED, [node.failure for node in end.run.nodes.values()]
    return end.outputs["o0"]


def process_in(folder: Path) -> int:
    """The process of the task ``slow``, once it runs."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if (folder / "pid").exists() and (said := (folder / "pid").read_text()):
            return int(said.split()[-1])
        time.sleep(0.02)
    raise AssertionError("the task has not begun")


def processes_below(directory: Path) -> list[str]:
    """Those that say that they belong to an attempt in ``directory``: a task may not have come to its own code."""
    found = []
    for process in Path("/proc").iterdir():
        try:
            said = (process / "environ").read_bytes() if process.name.isdigit() else b""
        except OSError:
            continue
        if f"WHIMBREL_COMMAND={directory}".encode() in said:
            found.append(process.name)
    return found


def test_a_task(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "double", x=21)
    assert (end.phase, end.outputs) == (Phase.SUCCEEDED, {"o0": 42})
    assert "doubling 21\n" in end.logs
    assert list((end.home / "commands" / "attempts").glob("*/*/*")) == []


def test_several_outputs(program: Program, tmp_path: Path) -> None:
    assert run(program, tmp_path, "pair", n=2).outputs == {"first": 2, "rest": ["x", "x"]}


def test_a_workflow_of_three(program: Program, tmp_path: Path) -> None:
    assert given(program, tmp_path, "three", x=1) == 22


def test_a_workflow_in_a_workflow(program: Program, tmp_path: Path) -> None:
    assert given(program, tmp_path, "outer", x=1) == 44


@pytest.mark.parametrize(("x", "expected"), [(6, 12), (5, 105)])
def test_a_conditional(program: Program, tmp_path: Path, x: int, expected: int) -> None:
    assert given(program, tmp_path, "chosen", x=x) == expected


def test_what_is_recoverable_is_tried_again(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "flaky", folder=tmp_path)
    assert end.outputs == {"o0": 3}
    node = end.run.nodes["n0"]
    assert (node.user_retries, node.system_retries) == (2, 0)
    first = node.attempts[0].failure
    assert first is not None
    assert (first.fault, first.recoverable, first.message) == (Fault.USER, True, "not yet: 1")


def test_a_users_exception_is_told_as_it_is(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "broken", folder=tmp_path)
    assert end.phase is Phase.FAILED
    failure = end.failure()
    assert (failure.type, failure.message, failure.fault) == ("builtins:ValueError", "nothing good", Fault.USER)
    assert 'raise ValueError("nothing good")' in failure.traceback
    # It is not recoverable: flytekit says so, and the retries that the task has are for those that are.
    assert (tmp_path / "tries").read_text() == "x"


def test_an_exception_of_ones_own_class(program: Program, tmp_path: Path) -> None:
    failure = run(program, tmp_path, "odd", x=3).failure()
    assert (failure.type, failure.message) == ("flytekit_programs:Odd", "3 is odd:\nvery odd")


def test_a_dynamic_task_unfolds(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "spreading", n=3)
    assert end.outputs == {"o0": [0, 2, 4]}
    assert sorted(path for path in end.run.nodes if "dn" in path) == ["n0/dn0", "n0/dn1", "n0/dn2"]


def test_a_dynamic_task_that_calls_nothing(program: Program, tmp_path: Path) -> None:
    assert given(program, tmp_path, "nothing_to_do", n=3) == 3


def test_a_map(program: Program, tmp_path: Path) -> None:
    assert given(program, tmp_path, "mapped", xs=[5, 6, 7]) == [105, 1106, 2107]


def test_a_map_of_which_some_may_fail(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "mostly", xs=[1, 2, 3])
    assert (end.phase, end.outputs) == (Phase.SUCCEEDED, {"o0": 2})
    assert [node.failure.message for node in end.run.nodes.values() if node.failure] == ["two is not wanted"]


def test_a_map_fails_with_its_item(program: Program, tmp_path: Path) -> None:
    assert run(program, tmp_path, "mapped", xs=[2]).failure().message == "two is not wanted"


def test_files_go_in_and_out_as_plain_paths(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "files", text="quiet")
    path = end.outputs["o0"]
    assert path.read_text() == "QUIET"
    assert path.is_relative_to(end.home / "commands" / "raw")


def test_a_deck(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "decked", x=4)
    ((deck, html),) = end.decks
    assert deck.attempt.path == "n0"
    assert "<p>seen 4</p>" in html


def test_secrets_are_handed_over_and_masked(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "secretive")
    assert end.outputs == {"o0": 8}
    assert "it is ***\n" in end.logs
    assert "hunter22" not in end.logs


def test_a_task_knows_where_it_runs(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "context")
    assert end.outputs == {"o0": ["project", "development", end.run.id, "flytekit_programs.context", "v1"]}


def test_an_abort_ends_its_processes(program: Program, tmp_path: Path) -> None:
    async def drive() -> tuple[Phase, int]:
        with open_home(tmp_path / "home", exclusive=True) as home:
            async with engine(home) as plane:
                inputs: Any = {"folder": StrLiteral(str(tmp_path)), "x": IntLiteral(1)}
                run_id = await plane.launch(*entity(program, "slow"), inputs)
                pid = await asyncio.to_thread(process_in, tmp_path)
                await plane.abort(run_id, "enough")
                return (await asyncio.wait_for(plane.wait(run_id), PATIENCE)).phase, pid

    phase, pid = asyncio.run(drive())
    assert phase is Phase.ABORTED
    assert not Path(f"/proc/{pid}").exists()


def test_a_task_that_takes_too_long_is_ended(program: Program, tmp_path: Path) -> None:
    end = run(program, tmp_path, "endless", folder=tmp_path)
    assert end.phase is Phase.FAILED
    assert [node.phase for node in end.run.nodes.values()] == [Phase.TIMED_OUT]
    assert processes_below(tmp_path) == []


def test_a_killed_engine_is_resumed(program: Program, messages: Path, tmp_path: Path) -> None:
    inputs = json.dumps({"folder": str(tmp_path)})
    where = str(tmp_path / "home")
    command = [sys.executable, "-m", "tests.integration.commands.engine", messages, where, "slowly", inputs, "r1"]
    first = subprocess.Popen(command, cwd=ROOT)
    orphan = process_in(tmp_path)
    first.kill()
    first.wait()
    os.kill(orphan, 0)  # it is still there

    async def drive() -> Ended:
        with open_home(where, exclusive=True) as home:
            async with engine(home) as plane:
                assert not _alive(orphan)
                (tmp_path / "go").touch()
                await plane.resume("r1")
                result = await asyncio.wait_for(plane.wait("r1"), PATIENCE)
            return await ended(home, "r1", result.phase, result.outputs)

    end = asyncio.run(drive())
    assert end.outputs == {"o0": 18}
    attempts = {node.entity.rpartition(".")[2]: len(node.attempts) for node in end.run.nodes.values()}
    assert (attempts["double"], attempts["slow"]) == (1, 2)


def _alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_an_image_without_flytekit_is_told(program: Program, tmp_path: Path) -> None:
    async def drive() -> Any:
        with open_home(tmp_path / "home", exclusive=True) as home:
            async with engine(home, images={}, prefix=str(tmp_path)) as plane:
                os.environ["PATH"], before = "/nowhere", os.environ["PATH"]
                try:
                    run_id = await plane.launch(*entity(program, "double"), {"x": IntLiteral(1)})
                    return await asyncio.wait_for(plane.wait(run_id), PATIENCE)
                finally:
                    os.environ["PATH"] = before

    result = asyncio.run(drive())
    assert result.phase is Phase.FAILED
    assert "'pyflyte-execute' cannot be run in" in result.failure.message
    assert "registry.example/flytekit:v1" in result.failure.message


def test_signals_are_losses(program: Program, tmp_path: Path) -> None:
    async def drive() -> Ended:
        with open_home(tmp_path / "home", exclusive=True) as home:
            async with engine(home) as plane:
                inputs: Any = {"folder": StrLiteral(str(tmp_path)), "x": IntLiteral(1)}
                run_id = await plane.launch(*entity(program, "slow"), inputs)
                os.kill(await asyncio.to_thread(process_in, tmp_path), signal.SIGKILL)
                (tmp_path / "go").touch()
                result = await asyncio.wait_for(plane.wait(run_id), PATIENCE)
            return await ended(home, run_id, result.phase, result.outputs)

    end = asyncio.run(drive())
    assert end.outputs == {"o0": 1}
    assert (end.run.nodes["n0"].user_retries, end.run.nodes["n0"].system_retries) == (0, 1)
