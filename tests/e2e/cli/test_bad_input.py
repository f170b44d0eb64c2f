"""What goes wrong from outside: each ends with one clear message, a documented exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import resource
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.cli.shell import FLOWS, Result, Shell, wait_until


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def message(done: Result) -> str:
    """What stderr says, once it is clear that nothing of ours shows."""
    assert done.out == ""
    assert "Traceback" not in done.err
    return done.err


# --- what is written ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no/such.py", "wf"), "there is no file"),
        (("no_such_module", "wf"), "no module 'no_such_module'"),
        ((FLOWS,), "say what to run"),
        ((FLOWS, "chian", "--x", "1"), "did you mean 'chain'?"),
        ((FLOWS, "Row"), "'Row' in"),
        ((FLOWS, "chain", "--y", "1"), "there is no input 'y'; it takes x"),
        ((FLOWS, "everything", "--cuont", "1"), "did you mean 'count'?"),
        ((FLOWS, "chain"), "--x is missing: it takes int. Write it like: --x 3"),
        ((FLOWS, "chain", "--x"), "requires an argument"),
        ((FLOWS, "chain", "1"), "unexpected extra argument (1); inputs are options"),
        ((FLOWS, "chain", "--x", "three"), "--x: expected int, got 'three'. Write it like: --x 3"),
        ((FLOWS, "everything", "--count", "1", "--every", "soon"), "--every: expected timedelta, got 'soon'"),
        ((FLOWS, "everything", "--count", "1", "--colour", "blue"), "--colour: expected one of red, green, got 'blue'"),
        (
            (FLOWS, "everything", "--count", "1", "--rows", '[{"label": "a"}]'),
            "expected float, got nothing at $[0].price",
        ),
        ((FLOWS, "everything", "--count", "1", "--rows", "[1,"), "as JSON, got '[1,'"),
        ((FLOWS, "everything", "--count", "1", "--limits", "@none.json"), "'none.json', which cannot be read"),
        ((FLOWS, "everything", "--inputs-file", "none.json"), "'none.json' cannot be read"),
        ((FLOWS, "chain", "--x", "1", "--env", "K"), "write it like --env NAME=value"),
        ((FLOWS, "chain", "--x", "1", "--run-id", "No!"), "write a lower-case letter"),
        ((FLOWS, "chain", "--x", "1", "--executor", "cloud"), "'cloud' is not one of"),
        (("--no-such-option", FLOWS, "chain"), "No such option"),
    ],
)
def test_bad_words_are_refused_before_anything_happens(shell: Shell, arguments: tuple[object, ...], said: str) -> None:
    assert said in message(shell("run", *arguments, code=2))
    assert not (shell.directory / ".whimbrel").exists()


def test_all_bad_inputs_are_told_at_once(shell: Shell) -> None:
    (shell.directory / "inputs.json").write_text('{"cuont": 1, "ratio": "x"}')
    said = message(shell("run", FLOWS, "everything", "--inputs-file", "inputs.json", "--dry-run=maybe", code=2))
    assert "inputs.json: there is no input 'cuont'; did you mean 'count'?" in said
    assert "inputs.json, input 'ratio': expected float, got 'x'" in said
    assert "--dry-run: expected bool, got 'maybe'" in said or "--dry_run: expected bool, got 'maybe'" in said
    assert "--count is missing" in said


def test_a_program_that_does_not_compile_is_not_run(shell: Shell) -> None:
    (shell.directory / "wrong.py").write_text(
        "from whimbrel import task, workflow\n\n@task\ndef f(x: int) -> int:\n    return x\n\n"
        "@workflow\ndef wf(s: str) -> int:\n    return f(x=s)\n"
    )
    assert "wrong.py:9: " in message(shell("run", "wrong.py", "wf", "--s", "a", code=2))


def test_a_file_that_raises_shows_the_users_line_only(shell: Shell) -> None:
    (shell.directory / "raises.py").write_text("import json\n\njson.loads('{')\n")
    done = shell("run", "raises.py", "wf", code=2)
    assert 'raises.py", line 3' in done.err
    assert "raises.py cannot be loaded; importing it raised JSONDecodeError" in done.err
    assert "importlib" not in done.err
    assert "whimbrel/cli" not in done.err
    (shell.directory / "exits.py").write_text("raise SystemExit(0)\n")
    assert "importing it raised SystemExit" in shell("run", "exits.py", "wf", code=2).err


@pytest.mark.parametrize("command", [("describe", "x"), ("logs", "x"), ("resume", "x"), ("abort", "x"), ("runs",)])
def test_no_home_yet(shell: Shell, command: tuple[str, ...]) -> None:
    assert "there is no home in" in message(shell(*command, code=2))


@pytest.mark.parametrize("command", ["describe", "logs", "resume", "abort"])
def test_runs_that_are_not_there(shell: Shell, command: str) -> None:
    for run_id in ("abc1", "abc2"):
        shell("run", "-q", FLOWS, "chain", "--x", 1, "--run-id", run_id)
    assert "there is no run 'xyz'" in message(shell(command, "xyz", code=2))
    assert "is the beginning of 2 runs (abc2, abc1)" in message(shell(command, "abc", code=2))
    if command == "logs":
        assert "has no node 'n9'; it has n0, n1, n2" in message(shell("logs", "abc1", "--node", "n9", code=2))


def test_a_run_id_that_is_taken(shell: Shell) -> None:
    shell("run", FLOWS, "chain", "--x", 1, "--run-id", "mine")
    said = message(shell("run", FLOWS, "chain", "--x", 1, "--run-id", "mine", code=2))
    assert "there is a run of this id already (flows.chain, SUCCEEDED)" in said
    assert len(shell.trace()) == 3


def test_unknown_commands(shell: Shell) -> None:
    assert "No such command" in message(shell("rnu", code=2))


def test_a_reader_that_goes_away(shell: Shell) -> None:
    read, write = os.pipe()
    with shell.started("run", "-q", FLOWS, "letters", "--size", 10, stdout=write) as running:
        os.close(write)
        os.close(read)
        done = shell.finish(running)
    assert done.code == 141
    assert "Traceback" not in done.err


# --- homes ----------------------------------------------------------------------------------------------------------


def test_a_home_that_another_process_owns(shell: Shell) -> None:
    with shell.started("run", FLOWS, "gated", "--x", 1) as running:
        wait_until(lambda: len(shell.trace()) == 2, running)
        said = message(shell("run", FLOWS, "chain", "--x", 1, code=75))
        assert f"is in use by process {running.pid}" in said
        assert "is in use by" in message(shell("resume", "latest", code=75))
        assert "in use by process" in shell("describe", "latest").out
        shell.release()
        assert shell.finish(running).out == "3\n"
    assert shell("run", FLOWS, "chain", "--x", 1).out == "4\n"


@pytest.mark.parametrize("command", [("run", FLOWS, "chain", "--x", "1"), ("runs",), ("describe", "latest")])
def test_a_damaged_home(shell: Shell, command: tuple[object, ...]) -> None:
    shell("run", FLOWS, "chain", "--x", 1)
    database = shell.directory / ".whimbrel" / "whimbrel.db"
    database.write_bytes(b"this is no database" * 500)
    said = message(shell(*command, code=74))
    assert "whimbrel.db is damaged" in said
    assert database.read_bytes() == b"this is no database" * 500


def test_a_home_of_a_newer_whimbrel(shell: Shell) -> None:
    shell("run", FLOWS, "chain", "--x", 1)
    with sqlite3.connect(shell.directory / ".whimbrel" / "whimbrel.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'r9999'")
    connection.close()
    for command in (("run", FLOWS, "chain", "--x", "1"), ("describe", "latest"), ("doctor",)):
        done = shell(*command, code=None)
        assert done.code == (1 if command[0] == "doctor" else 74)
        assert "written by a newer whimbrel" in done.out + done.err
        assert "Traceback" not in done.err


def test_a_home_that_is_a_file(shell: Shell) -> None:
    (shell.directory / "file").touch()
    assert "file" in message(shell("run", "--home", "file", FLOWS, "chain", "--x", 1, code=None))


def test_a_full_disk_loses_nothing(shell: Shell) -> None:
    (shell.directory / "big.py").write_text(
        "from flows import note\nfrom whimbrel import task, workflow\n\n"
        "@task\ndef grow(text: str) -> str:\n    note()\n    return text[:9000] + '.'\n\n"
        "@workflow\ndef wf(text: str) -> str:\n" + "    text = grow(text=text)\n" * 60 + "    return text\n"
    )

    def little_space() -> None:
        # No file may grow beyond this; the system answers writes as it does on a full disk.
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, 600_000))

    arguments = ("run", "big.py", "wf", "--text", "x" * 9000, "--run-id", "big")
    environment = {"PYTHONPATH": str(FLOWS.parent)}
    done = shell(*arguments, code=74, setup=little_space, **environment)
    assert done.out == ""
    assert "Free some space, then resume" in done.err
    assert "whimbrel resume big" in done.err
    assert "Traceback" not in done.err
    finished = {
        node["path"] for node in shell("describe", "big", "--json").json["nodes"] if node["phase"] == "SUCCEEDED"
    }
    assert 0 < len(finished) < 60
    before = len(shell.trace())
    assert shell("resume", "big", **environment).out == "x" * 9000 + ".\n"
    assert not finished.intersection(line.split()[0] for line in shell.trace()[before:])


# --- workers --------------------------------------------------------------------------------------------------------


def test_a_worker_that_dies_at_import(shell: Shell) -> None:
    (shell.directory / "dies.py").write_text(
        "import os, sys\nfrom whimbrel import task\n\n"
        "if 'worker' in sys.argv[0]:\n    print('cannot live here', file=sys.stderr, flush=True)\n    os._exit(7)\n\n"
        "@task\ndef f(x: int) -> int:\n    return x\n"
    )
    done = shell("run", "dies.py", "f", "--x", 1, code=1)
    assert done.out == ""
    assert "exited with code 7" in done.err
    assert "cannot live here" in done.err


def test_a_module_that_only_raises_in_workers(shell: Shell) -> None:
    (shell.directory / "raises.py").write_text(
        "import sys\nfrom whimbrel import task\n\nif 'worker' in sys.argv[0]:\n    raise RuntimeError('not here')\n\n"
        "@task\ndef f(x: int) -> int:\n    return x\n"
    )
    done = shell("run", "raises.py", "f", "--x", 1, "--json", code=1)
    failure = json.loads(done.out)["failure"]
    assert failure["type"] == "builtins:RuntimeError"
    assert 'raises.py", line 5' in done.err
