"""Workflow files written for flytekit run unchanged: as scripts, by `union run`, `pyflyte run` and `whimbrel run`.

The programs here are our own. The listings of the documentation that we follow are not ours to keep: they are run from
where they are, beside the checkout or at ``WHIMBREL_LISTINGS``, if they are there.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

PROGRAMS = Path(__file__).with_name("programs")
BESIDE = Path(__file__).resolve().parents[4] / "shared" / "seeds" / "listings"
LISTINGS = Path(os.environ.get("WHIMBREL_LISTINGS", BESIDE))

LIMIT = 60
"""Seconds after which something hangs. Everything here takes less than ten."""


class Command(NamedTuple):
    """An entity of a file, its inputs, and what must come out on stdout, by `union run`."""

    file: Path
    name: str
    inputs: tuple[str, ...]
    out: str


SCRIPTS = [
    (PROGRAMS / "bracketed.py", "good morning\ngood night\n2.5 kg\n"),
    (PROGRAMS / "awaiting.py", "625\n1\nValueError: 7 is refused\n"),
    (PROGRAMS / "mixing.py", "9\n6\n"),
]
COMMANDS = [
    Command(PROGRAMS / "bracketed.py", "weigh", ("--amount", "5"), "good morning\ngood night\n2.5 kg\n"),
    Command(PROGRAMS / "bracketed.py", "describe", ("--amount", "5", "--unit", "g"), "5 g\n"),
    Command(PROGRAMS / "awaiting.py", "tower", ("--n", "3"), "625\n"),
    Command(PROGRAMS / "awaiting.py", "careful", ("--n", "7"), "ValueError: 7 is refused\n"),
    Command(PROGRAMS / "awaiting.py", "insistent", ("--n", "4"), "4\n"),
    Command(PROGRAMS / "mixing.py", "mixed", ("--n", "2"), "9\n"),
    Command(PROGRAMS / "mixing.py", "only_awaited", ("--n", "3"), "6\n"),
]
PRINTED = {"good morning", "good night", "initializing external service", "finish external service"}
"""What tasks print; by `whimbrel run` it goes to stderr."""

_EXPECTED = {
    "decorated.py": "initializing external service\nfinish external service\n81.0\n",
    "eager_listings.py": "Result: 12\n"
    + "".join(
        f"ok {name} {x} {value}\n"
        for name, x, value in [
            ("simple_eager_workflow", 5, 12),
            ("simple_eager_workflow", -5, -1),
            ("another_eager_workflow", 5, 10),
            ("eager_workflow_with_conditionals", 5, 12),
            ("eager_workflow_with_conditionals", 150, 100),
            ("eager_workflow_with_conditionals", -5, -1),
            ("eager_workflow_with_for_loop", 10, 110),
            ("eager_workflow_with_static_subworkflow", 1, 4),
            ("nested_eager_workflow", 1, 4),
            ("eager_workflow_with_exception", 0, -1),
            ("eager_workflow_with_exception", 2, 2),
        ]
    ),
    "eager_remote.py": "",
}
_RUNS = [
    ("decorated.py", "wf", 10, _EXPECTED["decorated.py"]),
    ("eager_listings.py", "simple_eager_workflow", 5, "12\n"),
    ("eager_listings.py", "eager_workflow_with_conditionals", 150, "100\n"),
    ("eager_listings.py", "eager_workflow_with_for_loop", 10, "110\n"),
    ("eager_listings.py", "eager_workflow_with_static_subworkflow", 1, "4\n"),
    ("eager_listings.py", "nested_eager_workflow", 1, "4\n"),
    ("eager_listings.py", "eager_workflow_with_exception", 0, "-1\n"),
    ("eager_remote.py", "eager_workflow_remote", 4, "10\n"),
    ("eager_remote.py", "eager_workflow_sandbox", -7, "-1\n"),
]
SCRIPTS += [(LISTINGS / name, out) for name, out in _EXPECTED.items() if (LISTINGS / name).is_file()]
COMMANDS += [
    Command(LISTINGS / file, name, ("--x", str(x)), out) for file, name, x, out in _RUNS if (LISTINGS / file).is_file()
]


def run(
    program: str, *arguments: object, directory: Path, code: int = 0, stderr: int = subprocess.PIPE
) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("WHIMBREL_", "FLYTE"))}
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), *map(str, arguments)],
        cwd=directory,
        # No byte code beside files that are not ours.
        env={**kept, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        timeout=LIMIT,
    )
    assert done.returncode == code, done
    return done


@pytest.mark.parametrize(("file", "out"), SCRIPTS, ids=lambda value: value.name if isinstance(value, Path) else "")
def test_a_file_runs_as_a_script(file: Path, out: str, tmp_path: Path) -> None:
    done = run("python", file, directory=tmp_path)
    assert done.stdout == out
    assert done.stderr == ""
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: f"{command.file.name}-{command.name}")
def test_a_file_runs_by_union(command: Command, tmp_path: Path) -> None:
    done = run("union", "run", command.file, command.name, *command.inputs, directory=tmp_path)
    assert done.stdout == command.out


@pytest.mark.parametrize(
    "command",
    [command for command in COMMANDS if command.file.name in ("bracketed.py", "decorated.py", "eager_listings.py")],
    ids=lambda command: f"{command.file.name}-{command.name}",
)
def test_a_file_runs_by_whimbrel(command: Command, tmp_path: Path) -> None:
    done = run("whimbrel", "run", command.file, command.name, *command.inputs, directory=tmp_path)
    lines = command.out.splitlines()
    assert done.stdout.splitlines() == [line for line in lines if line not in PRINTED]
    assert [line for line in done.stderr.splitlines() if line in PRINTED] == [line for line in lines if line in PRINTED]


def test_what_tasks_print_and_outputs_come_in_order_down_one_pipe(tmp_path: Path) -> None:
    command = COMMANDS[0]
    done = run(
        "pyflyte", "run", command.file, command.name, *command.inputs, directory=tmp_path, stderr=subprocess.STDOUT
    )
    assert done.stdout == command.out


def test_the_documented_command_line_with_the_options_of_clusters(tmp_path: Path) -> None:
    options = ("--project", "p", "--domain", "development", "--image", "registry.example/image:1")
    done = run(
        *("union", "--config", "config.yaml", "run", *options, PROGRAMS / "awaiting.py", "tower", "--n", "3"),
        directory=tmp_path,
    )
    assert done.stdout == "625\n"


def test_options_of_pyflyte_reach_the_run(tmp_path: Path) -> None:
    file = PROGRAMS / "bracketed.py"
    run("pyflyte", "run", "--name", "weighing", "--home", "kept", file, "weigh", "--amount", "5", directory=tmp_path)
    assert (tmp_path / "kept").is_dir()
    assert not (tmp_path / ".whimbrel").exists()
    described = run("whimbrel", "describe", "--home", "kept", "weighing", directory=tmp_path)
    assert "SUCCEEDED" in described.stdout


def test_a_direct_run_keeps_nothing(tmp_path: Path) -> None:
    done = run("pyflyte", "run", "--direct", PROGRAMS / "mixing.py", "mixed", "--n", "2", directory=tmp_path)
    assert done.stdout == "9\n"
    assert not (tmp_path / ".whimbrel").exists()


def test_progress_is_shown_when_asked_for(tmp_path: Path) -> None:
    file = PROGRAMS / "bracketed.py"
    quiet = run("pyflyte", "run", file, "weigh", "--amount", "5", directory=tmp_path)
    told = run("pyflyte", "-v", "run", file, "weigh", "--amount", "5", directory=tmp_path)
    assert quiet.stderr == ""
    assert "SUCCEEDED" in told.stderr
    assert told.stdout == quiet.stdout


CACHED = """
from flytekit import Cache, task, workflow

@task(cache=Cache(version="1"))
def kept(x: int) -> int:
    print("computed")
    return x

@workflow
def wf(x: int) -> int:
    return kept(x=x)
"""


def test_the_local_cache_can_be_cleared(tmp_path: Path) -> None:
    (tmp_path / "caching.py").write_text(CACHED)
    command = ("pyflyte", "run", "--executor", "inline", "caching.py", "wf", "--x", "1")
    assert run(*command, directory=tmp_path).stdout == "computed\n1\n"
    assert run(*command, directory=tmp_path).stdout == "1\n"
    cleared = run("pyflyte", "local-cache", "clear", directory=tmp_path)
    assert cleared.stdout == "cleared 1 kept output of .whimbrel\n"
    assert run(*command, directory=tmp_path).stdout == "computed\n1\n"


def test_a_wrong_input_is_told(tmp_path: Path) -> None:
    done = run("union", "run", PROGRAMS / "bracketed.py", "weigh", "--amount", "much", directory=tmp_path, code=2)
    assert "--amount" in done.stderr
    done = run("union", "run", PROGRAMS / "bracketed.py", "wiegh", directory=tmp_path, code=2)
    assert "did you mean 'weigh'" in done.stderr


@pytest.mark.parametrize("name", ["flytekit", "union"])
def test_the_real_distribution_beside_ours_is_refused(name: str, tmp_path: Path) -> None:
    (tmp_path / f"{name}-1.16.3.dist-info").mkdir()
    done = run("python", "-c", f"import {name}", directory=tmp_path, code=1)
    assert f"holds {name} 1.16.3 beside whimbrel-flytekit" in done.stderr


def test_importing_flytekit_reads_and_starts_nothing(tmp_path: Path) -> None:
    look = (
        "import sys, threading, flytekit, union; "
        "dear = {'asyncio', 'click', 'importlib.metadata', 'rich', 'sqlalchemy', 'tomllib', 'yaml'}; "
        "print(sorted(dear & set(sys.modules)), threading.active_count())"
    )
    assert run("python", "-c", look, directory=tmp_path).stdout == "[] 1\n"
