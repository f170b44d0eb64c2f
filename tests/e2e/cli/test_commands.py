"""Every command, through real processes: what goes where, and with which exit code it ends."""

from __future__ import annotations

import json
import shlex
import signal
import sqlite3
from pathlib import Path

import pytest

from tests.e2e.cli.shell import FLOWS, Shell, only, wait_until


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


# --- run ------------------------------------------------------------------------------------------------------------


def test_outputs_alone_are_on_stdout(shell: Shell) -> None:
    done = shell("run", FLOWS, "chain", "--x", "10")
    assert done.out == "13\n"
    assert "SUCCEEDED" in done.err
    assert len(shell.trace()) == 3


def test_what_tasks_print_is_on_stderr(shell: Shell) -> None:
    done = shell("run", "-q", FLOWS, "nothing")
    assert done == (0, "", "on stdout\n")


def test_eager_runs_and_takes_its_default(shell: Shell) -> None:
    assert shell("run", FLOWS, "fan").out == "210\n"
    described = shell("describe", "latest", "--json").json
    assert described["inputs"] == {"n": 20}
    assert len(described["nodes"]) == 21


def test_a_dotted_module_from_the_working_directory(shell: Shell) -> None:
    package = shell.directory / "pack"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "helpers.py").write_text("def double(x):\n    return 2 * x\n")
    (package / "flows.py").write_text(
        "from whimbrel import task\nfrom .helpers import double\n\n"
        "@task\ndef twice(x: int) -> int:\n    return double(x)\n"
    )
    assert shell("run", "pack.flows", "twice", "--x", "4").out == "8\n"
    assert shell("run", "pack/flows.py", "twice", "--x", "5").out == "10\n"


def test_every_kind_of_input(shell: Shell) -> None:
    rows = shell.directory / "rows.json"
    rows.write_text('[{"label": "a", "price": 1}]')
    done = shell(
        *("run", "-q", FLOWS, "everything", "--count", "3", "--ratio", "-1e3", "--dry-run", "--colour", "green"),
        *("--mode", "slow", "--since", "2024-05-17T12:30", "--every", "1h30m", "--rows", "@rows.json"),
        *("--limits", '{"cpu": 2}', "--label", "x y"),
    )
    assert done.out.strip() == (
        "(3, -1000.0, True, <Colour.GREEN: 'green'>, 'slow', datetime.datetime(2024, 5, 17, 12, 30), "
        "datetime.timedelta(seconds=5400), [Row(label='a', price=1.0, tags=[])], {'cpu': 2}, 'x y')"
    )


def test_an_inputs_file_and_options_over_it(shell: Shell) -> None:
    (shell.directory / "inputs.json").write_text('{"count": 1, "label": null, "every": 5, "dry_run": true}')
    arguments = (
        "run",
        "-q",
        FLOWS,
        "everything",
        "--inputs-file",
        "inputs.json",
        "--count",
        2,
        "--no-dry-run",
        "--label",
        "none",
    )
    assert shell(*arguments).out.startswith("(2, 0.5, False, <Colour.RED: 'red'>, 'fast', ")
    assert shell(*arguments).out.rstrip().endswith("datetime.timedelta(seconds=5), None, None, None)")


def test_several_outputs_are_an_object(shell: Shell) -> None:
    rows = json.dumps([{"label": "a", "price": 1.5}, {"label": "b", "price": 2}])
    assert shell("run", FLOWS, "report", "--rows", rows).json == {"total": 3.5, "labels": ["a", "b"]}


def test_large_values_come_back_whole(shell: Shell) -> None:
    assert shell("run", "-q", FLOWS, "letters", "--size", 50_000).out == "x" * 50_000 + "\n"
    assert shell("resume", "latest").out == "x" * 50_000 + "\n"


def test_json_says_run_phase_and_outputs(shell: Shell) -> None:
    said = shell("run", FLOWS, "chain", "--x", 1, "--json", "--run-id", "mine").json
    assert said == {"run": "mine", "phase": "SUCCEEDED", "outputs": {"o0": 4}}
    failed = shell("run", "--json", FLOWS, "fails", "--x", 1, code=1).json
    assert only(failed, "phase", "outputs") == {"phase": "FAILED", "outputs": None}
    assert failed["failure"]["type"] == "builtins:ValueError"


def test_inline_and_direct(shell: Shell) -> None:
    assert shell("run", FLOWS, "chain", "--x", 1, "--executor", "inline").out == "4\n"
    before = shell("runs", "--json").json
    assert shell("run", FLOWS, "chain", "--x", 1, "--direct").out == "4\n"
    assert shell("run", FLOWS, "fan", "--n", 3, "--direct", "--json").json["outputs"] == {"o0": 6}
    assert shell("runs", "--json").json == before


def test_an_input_may_be_called_like_an_option(shell: Shell) -> None:
    (shell.directory / "named.py").write_text(
        "from whimbrel import task\n\n"
        "@task\ndef f(json: int, home: str, help: bool = False, workers: int = 0, q: int = 0) -> str:\n"
        "    return f'{json} {home} {help} {workers} {q}'\n"
    )
    arguments = ("named.py", "f", "--json", 1, "--home", "sweet home", "--help", "--workers", 5, "--q", 6)
    assert shell("run", *arguments).out == "1 sweet home True 5 6\n"
    said = shell("run", "--json", "--home", "elsewhere", *arguments, "--verbose").json
    assert said["outputs"] == {"o0": "1 sweet home True 5 6"}
    assert (shell.directory / "elsewhere").is_dir()


def test_inline_tasks_print_on_stderr_too(shell: Shell) -> None:
    assert shell("run", "-q", FLOWS, "nothing", "--executor", "inline") == (0, "", "on stdout\n")
    assert shell("run", "-q", FLOWS, "nothing", "--direct") == (0, "", "on stdout\n")
    assert shell("run", "-q", FLOWS, "nothing", "--task-output", "stdout") == (0, "on stdout\n", "")


def test_a_home_elsewhere(shell: Shell) -> None:
    shell("run", "--home", "elsewhere", FLOWS, "chain", "--x", 1)
    shell("run", FLOWS, "chain", "--x", 1, WHIMBREL_HOME="elsewhere")
    assert len(shell("runs", "--home", "elsewhere", "--json").json) == 2
    assert not (shell.directory / ".whimbrel").exists()


def test_an_environment_for_the_tasks(shell: Shell) -> None:
    flow = shell.directory / "env.py"
    flow.write_text(
        "import os\nfrom whimbrel import task\n\n@task\ndef look() -> str:\n    return os.environ['LOOK']\n"
    )
    assert shell("run", "env.py", "look", "--env", "LOOK=here=there").out == "here=there\n"


def test_help_lists_the_inputs(shell: Shell) -> None:
    told = shell("run", FLOWS, "everything", "--help").out
    assert "--count" in told
    assert "How many there are." in told
    assert "[required]" in told
    assert "[red|green]" in told
    assert "[default: 0.5]" in told
    assert "--dry-run" in told
    assert "fan (eager" in shell("run", FLOWS, "--help").out


def test_the_cache_and_why(shell: Shell) -> None:
    for x in (3, 3, 4):
        shell("run", FLOWS, "cached", "--x", x)
    assert len(shell.trace()) == 2
    newest, middle, _ = (entry["run"] for entry in shell("runs", "--json").json)
    hit = shell("describe", middle, "--json").json["nodes"][0]
    assert hit["cached"]
    assert hit["cache_reason"].startswith("hit: node n0 of run ")
    assert "cache miss: never run with these inputs: x differs" in shell("describe", newest).out
    shell("run", FLOWS, "cached", "--x", 3, "--overwrite-cache")
    assert len(shell.trace()) == 3


def test_branches_and_brackets(shell: Shell) -> None:
    assert shell("run", FLOWS, "branching", "--x", 1).out == "4\n"
    assert shell("run", FLOWS, "branching", "--x", 101).out == "1101\n"
    assert shell("run", FLOWS, "bracketed", "--x", 1).out == "4\n"


# --- failing --------------------------------------------------------------------------------------------------------


def test_a_failed_run_says_where_and_why(shell: Shell) -> None:
    done = shell("run", FLOWS, "fails", "--x", 3, code=1)
    assert done.out == ""
    assert "at n1 (flows.broken): ValueError: no 4 today" in done.err
    assert 'raise ValueError(f"no {x} today")' in done.err
    assert "about to break" in done.err
    assert "site-packages/whimbrel" not in done.err
    assert "src/whimbrel" not in done.err
    run = shell("runs", "--json").json[0]["run"]
    assert f"whimbrel describe {run}" in done.err
    assert f"whimbrel logs {run}" in done.err
    told = shell("describe", run)
    assert "ValueError: no 4 today" in told.out
    assert "about to break" in shell("logs", run, "--node", "n1").out


def test_a_failure_inside_an_eager_body_names_the_call(shell: Shell) -> None:
    done = shell("run", FLOWS, "fails_inside", "--x", 3, code=1)
    assert "at n0/1 (flows.broken): ValueError: no 3 today" in done.err


def test_retries_are_shown(shell: Shell) -> None:
    assert shell("run", FLOWS, "retried", "--x", 3).out == "3\n"
    told = shell("describe", "latest").out
    assert "2 attempts" in told
    assert "RuntimeError: not yet" in told


# --- looking --------------------------------------------------------------------------------------------------------


def test_runs_are_listed(shell: Shell) -> None:
    shell("run", FLOWS, "chain", "--x", 1, "--run-id", "first")
    shell("run", FLOWS, "fails", "--x", 1, "--run-id", "second", code=1)
    listed = shell("runs").out.splitlines()
    assert [line.split()[0] for line in listed] == ["second", "first"]
    assert "flows.fails" in listed[0]
    assert [entry["run"] for entry in shell("runs", "--phase", "failed", "--json").json] == ["second"]
    assert len(shell("runs", "--limit", 1).out.splitlines()) == 1
    assert shell("describe", "fir", "--json").json["run"] == "first"


def test_describe_needs_no_user_code(shell: Shell) -> None:
    flow = shell.directory / "gone.py"
    flow.write_text(
        "from dataclasses import dataclass\nfrom whimbrel import task\n\n@dataclass\nclass P:\n    x: int\n\n"
        "@task\ndef make(x: int) -> P:\n    return P(x)\n"
    )
    assert shell("run", "gone.py", "make", "--x", 4).json == {"x": 4}
    flow.unlink()
    assert 'outputs  o0={"x": 4}' in shell("describe", "latest").out
    assert shell("resume", "latest").json == {"x": 4}


def test_long_rows_are_folded(shell: Shell) -> None:
    shell("run", FLOWS, "fan", "--n", 40)
    assert "… 37 more add, all SUCCEEDED" in shell("describe", "latest").out
    assert len(shell("describe", "latest", "--all").out.splitlines()) > 40
    assert any("RUNNING -> SUCCEEDED" in line for line in shell("describe", "latest", "--story").out.splitlines())


def test_logs_of_one_node_and_as_json(shell: Shell) -> None:
    shell("run", FLOWS, "fails", "--x", 3, code=1)
    assert shell("logs", "latest").out == "n1 | about to break\n"
    assert shell("logs", "latest", "--raw").out == "about to break\n"
    assert shell("logs", "latest", "--node", "n0").out == ""
    said = json.loads(shell("logs", "latest", "--json").out)
    assert only(said, "node", "attempt", "stream", "text") == {
        "node": "n1",
        "attempt": 1,
        "stream": "stdout",
        "text": "about to break",
    }


def test_logs_follow_until_the_end(shell: Shell) -> None:
    with shell.started("run", FLOWS, "gated", "--x", 1) as running:
        wait_until(shell.trace, running)
        with shell.started("logs", "latest", "-f") as following:
            assert following.stdout is not None
            assert following.stdout.readline() == "n1 | waiting\n"
            shell.release()
            assert shell.finish(running).out == "3\n"
            assert shell.finish(following).code == 0


# --- parking and resuming -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_parks_and_resume_finishes(shell: Shell, number: signal.Signals, code: int) -> None:
    with shell.started("run", FLOWS, "gated", "--x", 1, "--home", "a home") as running:
        wait_until(lambda: len(shell.trace()) == 2, running)
        running.send_signal(number)
        done = shell.finish(running)
    assert done.code == code
    assert done.out == ""
    command = shlex.split(done.err.splitlines()[-1])
    assert command[:2] == ["whimbrel", "resume"]
    assert "nobody is driving it" in shell("runs", "--home", "a home").out
    shell.release()
    assert shell(*command[1:]).out == "3\n"
    # The first task had finished, the second had not.
    assert [line.split()[0] for line in shell.trace()] == ["n0", "n1", "n1", "n2"]


def test_a_second_signal_ends_at_once(shell: Shell) -> None:
    with shell.started("run", FLOWS, "gated", "--x", 1, "--executor", "inline") as running:
        wait_until(lambda: len(shell.trace()) == 2, running)
        running.send_signal(signal.SIGINT)
        running.send_signal(signal.SIGINT)
        assert shell.finish(running).code == 130
    shell.release()
    assert shell("resume", "latest").out == "3\n"


def test_a_finished_run_is_not_run_again(shell: Shell) -> None:
    shell("run", FLOWS, "chain", "--x", 1)
    again = shell("resume", "latest")
    assert again.out == "4\n"
    assert "has succeeded already" in again.err
    assert len(shell.trace()) == 3
    shell("run", FLOWS, "fails", "--x", 1, code=1)
    assert "has ended (FAILED" in shell("resume", "latest", code=2).err


# --- abort ----------------------------------------------------------------------------------------------------------


def test_abort_of_a_run_that_another_process_drives(shell: Shell) -> None:
    with shell.started("run", FLOWS, "gated", "--x", 1) as running:
        wait_until(lambda: len(shell.trace()) == 2, running)
        assert "ABORTED" in shell("abort", "latest", "--reason", "wrong month").out
        done = shell.finish(running)
    assert done.code == 3
    assert "wrong month" in done.err
    assert "wrong month" in shell("describe", "latest").out
    assert "has ended already" in shell("abort", "latest", code=2).err


def test_abort_of_a_run_that_nobody_drives(shell: Shell) -> None:
    with shell.started("run", FLOWS, "gated", "--x", 1) as running:
        wait_until(lambda: len(shell.trace()) == 2, running)
        running.kill()
    assert shell("abort", "latest", "--json").json["phase"] == "ABORTED"
    assert "has ended (ABORTED" in shell("resume", "latest", code=2).err
    assert len(shell.trace()) == 2


# --- check, compile, doctor -----------------------------------------------------------------------------------------

WRONG = """
from whimbrel import task, workflow, eager, create_node

class Odd: ...

@task
def number() -> int:
    return 1

@task
def text(s: str) -> str:
    return s

@task
def pair() -> tuple[int, str]:
    return 1, "a"

@workflow
def mismatch() -> str:
    return text(s=number())

@workflow
def missing() -> str:
    return text()

@workflow
def unknown() -> str:
    return text(s="a", t="b")

@workflow
def as_bool() -> str:
    if number():
        return text(s="a")
    return text(s="b")

@workflow
def in_fstring() -> str:
    n = number()
    return text(s=f"{n}")

@workflow
def cycle() -> str:
    a = create_node(text, s="a")
    b = create_node(text, s="b")
    a >> b
    b >> a
    return a.o0

@task
def odd(x: Odd) -> int:
    return 1

@eager
async def wrong_eager(x: int) -> str:
    return await text(s=1, q=2)

def outer():
    @task
    def nested(x: int) -> int:
        return x
    return nested

made = {"t": outer()}

@workflow
def uses_nested(x: int) -> int:
    return made["t"](x=x)

@workflow
def count_mismatch() -> tuple[int, str, int]:
    return pair()
"""


def test_check_lists_ten_wrong_programs_at_once(shell: Shell) -> None:
    assert "no problems" in shell("check", FLOWS).err
    (shell.directory / "wrong.py").write_text(WRONG)
    lines = WRONG.splitlines()
    blamed = [
        "text(s=number())",
        "text()",
        't="b"',
        "if number():",
        'f"{n}"',
        'a = create_node(text, s="a")',
        "def odd",
        "q=2",
        "def nested",
        "def count_mismatch",
    ]
    numbers = [next(number for number, line in enumerate(lines, 1) if part in line) for part in blamed]
    done = shell("check", "wrong.py", code=1)
    assert "wrong.py: 10 problems" in done.err
    for number in numbers:
        assert f"wrong.py:{number}: " in done.out
    problems = shell("check", "wrong.py", "--json", code=1).json["problems"]
    assert [problem["line"] for problem in problems] == sorted(numbers)
    assert all(problem["message"] and problem["remedy"] for problem in problems if "Odd" not in problem["message"])


def test_check_of_a_file_that_does_not_load(shell: Shell) -> None:
    (shell.directory / "syntax.py").write_text("def f(:\n")
    assert "syntax.py:1: the file cannot be imported: SyntaxError" in shell("check", "syntax.py", code=1).out
    (shell.directory / "raises.py").write_text("\n\n1 / 0\n")
    assert "raises.py:3: the file cannot be imported: ZeroDivisionError" in shell("check", "raises.py", code=1).out
    (shell.directory / "empty.py").touch()
    assert "nothing to check" in shell("check", "empty.py", code=1).out


def test_compile(shell: Shell) -> None:
    told = shell("compile", FLOWS, "branching").out
    assert "n0 = task flows.is_large(x=x)" in told
    assert "if n0.o0 == true" in told
    assert "workflow flows.chain(x: int) -> o0: int" in told
    drawn = shell("compile", FLOWS, "branching", "--format", "mermaid").out
    assert drawn.startswith("flowchart TD\n")
    assert "subgraph" in drawn
    program = json.loads(shell("compile", FLOWS, "branching", "--format", "json").out)
    assert set(program["workflows"]) == {"flows.branching", "flows.chain"}


def test_compile_to_flytes_messages(shell: Shell) -> None:
    told = shell("compile", FLOWS, "branching", "--format", "flyteidl", "--version", "v7").out
    assert told.startswith("# task flows.is_large\ntemplate {\n")
    assert 'version: "v7"' in told
    listed = json.loads(shell("compile", FLOWS, "branching", "--format", "flyteidl-json").out)
    assert [one["name"] for one in listed if one["kind"] == "workflow"] == ["flows.chain", "flows.branching"]
    shell("compile", FLOWS, "branching", "--format", "flyteidl", "--output", "messages")
    names = [path.name for path in sorted((shell.directory / "messages").iterdir())]
    assert "flows.is_large_1.pb" in names[0]
    assert len(names) == len(listed)
    assert names[-1].endswith("_3.pb")
    refused = shell("compile", FLOWS, "branching", "--output", "messages", code=2).err
    assert "--format flyteidl" in refused


def test_doctor(shell: Shell) -> None:
    assert shell("doctor", "--json").json["ok"]
    shell("run", FLOWS, "chain", "--x", 1)
    found = {finding["name"]: finding for finding in shell("doctor", "--json").json["findings"]}
    assert found["home"]["ok"]
    assert found["worker"]["ok"]
    database = shell.directory / ".whimbrel" / "whimbrel.db"
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM events WHERE seq = 2")
    connection.close()
    assert "should have" in shell("doctor", code=1).out


def test_version_and_help(shell: Shell) -> None:
    assert shell("--version").out.startswith("whimbrel ")
    told = shell("--help").out
    assert "Exit codes" in told
    for command in ("run", "resume", "runs", "describe", "logs", "abort", "check", "compile", "doctor"):
        assert f"\n  {command} " in told
        assert "Example:" in shell(command, "--help").out
