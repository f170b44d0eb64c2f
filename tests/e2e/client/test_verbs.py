"""The verbs of the command line against a server: output, JSON, exit codes, what is told of bad input."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell, wait_until
from tests.e2e.client import remote_flows
from tests.e2e.server.upping import Up, up

FLOWS = str(Path(remote_flows.__file__))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    with up(tmp_path_factory.mktemp("verbs") / "home") as started:
        yield started


@pytest.fixture
def shell(server: Up, tmp_path: Path) -> Shell:
    made = Shell(tmp_path)
    made.environment["WHIMBREL_URL"] = server.url
    made.environment["HOME"] = str(tmp_path)
    return made


def test_a_run_there_reads_like_one_here(shell: Shell) -> None:
    there = shell("run", "--remote", FLOWS, "chain", "--x", "5")
    here = shell("run", FLOWS, "chain", "--x", "5")
    assert there.out == here.out == "20\n"
    assert nodes_of(there.err) == nodes_of(here.err) == ["n0 double SUCCEEDED", "n1 double SUCCEEDED"]
    assert "doubling 5" in there.err
    said = shell("run", FLOWS, "together", "--x", "3", "--remote", "--json", "-q").json
    assert (said["phase"], said["outputs"]) == ("SUCCEEDED", {"o0": 10})


def nodes_of(told: str) -> list[str]:
    """What was told of nodes, without times."""
    lines = [line.removeprefix("whimbrel: ").partition("  ")[0] for line in told.splitlines()]
    return [line for line in lines if line.startswith("n")]


def test_a_failure_there(shell: Shell) -> None:
    failed = shell("run", "--remote", FLOWS, "fails", "--x", "1", code=1)
    assert failed.out == ""
    assert "ValueError: there is no 2" in failed.err
    assert "Traceback (most recent call last)" in failed.err
    run = next(word for line in failed.err.splitlines() if "FAILED at n1" in line for word in line.split()[2:3])
    assert f"whimbrel describe {run} --remote" in failed.err
    shown = shell("describe", run, "--remote").out
    assert "✗ n1 broken" in shown
    assert "✓ n0 double" in shown
    assert shell("describe", run[:12], "--remote", "--json").json["run"] == run
    assert shell("logs", run, "--remote").out == "n0 | doubling 1\n"
    assert shell("logs", run, "--remote", "--node", "n0", "-f", "--raw").out == "doubling 1\n"
    assert run in shell("runs", "--remote", "--phase", "failed").out
    written = Path(shell("deck", run, "--remote", "--output", shell.directory / "page.html").out.strip()).read_text()
    assert "there is no 2" in written
    assert "doubling 1" in written
    assert shell("watch", run, code=1).out == ""
    recovered = shell("recover", run, "--remote", "--json", code=1).json
    assert recovered["phase"] == "FAILED"
    assert recovered["run"] != run
    assert shell("logs", recovered["run"], "--remote").out == ""


def test_gates_there(shell: Shell) -> None:
    run = shell("run", "--remote", "--detach", FLOWS, "told").out.strip()
    wait_until(lambda: "rows" in shell("signal", run, "--remote").out)
    assert shell("signal", run, "--remote", "--json").json[0]["gate"] == "rows"
    wrong = shell("signal", run, "rows", "many", "--remote", code=2)
    assert "the gate 'rows': expected int" in wrong.err
    missing = shell("signal", run, "rows", "--remote", code=2)
    assert "takes a value, which is missing" in missing.err
    assert "has its answer" in shell("signal", run, "rows", "7", "--remote").out
    assert shell("watch", run, "-q").out == "14\n"
    run = shell("run", "--remote", "--detach", FLOWS, "asks", "--x", "2").out.strip()
    wait_until(lambda: "release" in shell("approve", run, "--remote").out)
    shell("reject", run, "release", "--remote", "--reason", "not today")
    rejected = shell("watch", run, code=1)
    assert "not today" in rejected.err


def test_ending_and_running_again(shell: Shell, tmp_path: Path) -> None:
    door = tmp_path / "door"
    run = shell("run", "--remote", "--detach", FLOWS, "waits", "--x", "2", "--door", door).out.strip()
    wait_until(Path(f"{door}.begun").exists)
    assert shell("abort", run, "--remote", "--reason", "enough", "--json").json["phase"] == "ABORTED"
    assert shell("watch", run, code=3).out == ""
    assert "has ended" in shell("abort", run, "--remote", code=2).err
    door.touch()
    assert shell("relaunch", run, "-q").out == "8\n"
    assert shell("relaunch", run, "--input", "x=5", "-q").out == "20\n"
    wrong = shell("relaunch", run, "--input", "x=five", code=2)
    assert "--input x: expected int" in wrong.err
    assert "there is no input 'y'" in shell("relaunch", run, "--input", "y=5", code=2).err


def test_forking_there(shell: Shell, tmp_path: Path) -> None:
    code = Path(FLOWS).read_text()
    flows = tmp_path / "fork_flows.py"
    flows.write_text(code)
    shell("register", flows, "--version", "one")
    run = shell("run", "--remote", "--json", "-q", flows, "waits", "--x", "2", "--door", flows).json["run"]
    flows.write_text(code.replace("    return 2 * x", "    return 3 * x").replace('    print("doubling", x)\n', ""))
    shell("register", flows, "--version", "two")
    said = shell("fork", run, "--remote", "--version", "two", "--dry-run").out
    assert said.splitlines()[-1] == "3 will run, 0 reused"
    lines = shell("fork", run, "--remote", "--version", "two", "--dry-run", "--json").json
    assert [line["verdict"] for line in lines] == ["run", "run", "run"]
    assert lines[0]["why"] == ["function fork_flows.double has changed"]
    assert shell("fork", run, "--remote", "--version", "two", "-y", "-q").out == "18\n"
    assert shell("fork", run, "--remote", "--input", "x=5", "--version", "two", "-y", "-q").out == "45\n"
    assert "0 will run, 3 reused" in shell("fork", run, "--remote", "--version", "one", "-y").err
    assert "register" in shell("fork", run, "--remote", "--code", flows, code=2).err
    assert "--input x: expected int" in shell("fork", run, "--remote", "--input", "x=five", code=2).err
    assert "nobody is there" in shell("fork", run, "--remote", "--version", "one", code=2).err
    assert "has no versions" in shell("fork", run, "--version", "one", code=2).err


def test_what_is_registered(shell: Shell) -> None:
    first = shell("register", FLOWS, "--version", "v1")
    assert "remote_flows.chain  new" in first.out
    assert "remote_flows.chain  there already" in shell("register", FLOWS, "--version", "v1").out
    assert {one["version"] for one in shell("register", FLOWS, "--version", "v1", "--json").json["entities"]} == {"v1"}
    assert "remote_flows.chain  v1" in shell("get", "workflows", "--text", "chain").out
    shell("register", FLOWS, "--version", "v2")
    rows = shell("get", "workflow", "remote_flows.chain", "--json").json
    assert [row["version"] for row in rows][:2] == ["v2", "v1"]
    detail = shell("get", "task", "remote_flows.double", "--version", "v1").out
    assert "inputs   x: int" in detail
    assert "outputs  o0: int" in detail
    assert "Twice as much." in detail
    assert shell("get", "tasks", "--json", "--limit", "1").json[0]["kind"] == "task"
    plan = shell("launchplan", "activate", "tens", "--version", "v1")
    assert plan.out == "launch plan tens, version v1: active\n"
    assert "tens" in shell("launchplan", "list", "--text", "ten").out
    assert shell("launchplan", "deactivate", "tens", "--json").json["state"] == "INACTIVE"
    assert "no schedules" in shell("get", "schedules").out


def test_projects_and_secrets(shell: Shell) -> None:
    assert shell("project", "create", "research", "--description", "what we try").out == "project research\n"
    assert "what we try" in shell("project", "list").out
    assert "research" in [row["id"] for row in shell("get", "projects", "--json").json]
    assert "research" in shell("project", "create", "research", code=2).err
    assert shell("run", FLOWS, "double", "--x", "1", "--remote", "--project", "research", "-q").out == "2\n"
    assert shell("runs", "--project", "research", "--json").json[0]["project"] == "research"
    secret = shell.directory / "secret"
    secret.write_text("a secret of some length")
    shell("secrets", "set", "db/password", "--remote", "--file", secret)
    listed = shell("secrets", "list", "--remote").out
    assert "db/password" in listed
    assert "some length" not in listed
    shell("secrets", "delete", "db/password", "--remote")
    assert "db/password" not in shell("secrets", "list", "--remote").out


@pytest.mark.parametrize(
    ("command", "code", "told"),
    [
        (("run", "--remote", FLOWS, "chain", "--x", "four"), 2, "--x: expected int, got 'four'"),
        (("run", "--remote", FLOWS, "double"), 2, "--x is missing"),
        (("run", "--remote", FLOWS, "chain", "--project", "nowhere"), 2, "there is no project 'nowhere'; create it"),
        (("run", "--remote", "--direct", FLOWS, "chain"), 2, "leave one of them out"),
        (("run", "--remote", "no_such.py", "chain"), 2, "there is no file 'no_such.py'"),
        (("register", "no_such.py"), 2, "there is no file 'no_such.py'"),
        (("get", "flowers"), 2, "there are no 'flowers' to get"),
        (("get", "task", "no.such", "--version", "latest"), 2, "no.such"),
        (("watch", "nosuchrun"), 2, "there is no run 'nosuchrun' at http://localhost"),
        (("describe", "nosuchrun", "--remote"), 2, "`whimbrel runs --remote` lists them"),
        (("logs", "nosuchrun", "--remote"), 2, "there is no run 'nosuchrun'"),
        (("launchplan", "activate", "no.such"), 2, "no.such"),
        (("backfill", "no.such", "--since", "2026-01-01"), 2, "no.such"),
        (("runs", "--url", "localhost:9"), 69, "there is no server at http://localhost:9"),
        (("runs", "--config", "no_such.yaml"), 2, "the configuration file 'no_such.yaml' cannot be read"),
        (("runs", "--url", "not an address"), 2, "is no address of a server"),
    ],
    ids=lambda value: " ".join(map(str, value)).replace(FLOWS, "FLOWS") if isinstance(value, tuple) else "",
)
def test_bad_input(shell: Shell, command: tuple[str, ...], code: int, told: str) -> None:
    said = shell(*command, code=code)
    assert said.out == ""
    assert told in said.err
    assert "Traceback" not in said.err


def test_code_that_fails_at_import_is_told_before_anything_is_sent(shell: Shell) -> None:
    (shell.directory / "broken_flow.py").write_text("import no_such_library\n")
    said = shell("register", "broken_flow.py", code=2)
    assert "no_such_library" in said.err
    (shell.directory / "wrong_flow.py").write_text(
        "from whimbrel import task, workflow\n\n@task\ndef t(x: int) -> int:\n    return x\n\n"
        "@workflow\ndef wf(x: str) -> int:\n    return t(x=x)\n"
    )
    wrong = shell("register", "wrong_flow.py", code=2)
    assert "wrong_flow.py:9" in wrong.err


def test_other_code_under_the_same_version_is_refused(shell: Shell) -> None:
    flow = shell.directory / "versioned.py"
    flow.write_text("from whimbrel import task\n\n@task\ndef t(x: int) -> int:\n    return x\n")
    shell("register", "versioned.py", "--version", "v1")
    flow.write_text("from whimbrel import task\n\n@task\ndef t(x: int) -> int:\n    return x + 1\n")
    said = shell("register", "versioned.py", "--version", "v1", code=2)
    assert "versioned.t" in said.err
    assert "v1" in said.err
    # Nothing of it was kept.
    assert len(shell("get", "task", "versioned.t", "--json").json) == 1
