"""Aborts, time-outs and cancellations with real processes: the body cleans up, with durable calls, and that survives
a kill."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell, wait_until, wait_until_quiet

FLOWS = Path(__file__).with_name("flows.py")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def lines(shell: Shell) -> list[str]:
    trace = shell.notes / "trace"
    return trace.read_text().splitlines() if trace.exists() else []


def phases(shell: Shell) -> dict[str, str]:
    described = shell("describe", "latest", "--json").json
    return {node["path"]: node["phase"] for node in described["nodes"]}


def test_an_aborted_body_cleans_up_with_durable_calls(shell: Shell) -> None:
    with shell.started("run", FLOWS, "cleaning", "--x", 1) as running:
        wait_until(lambda: "work begins" in lines(shell), running)
        assert "ABORTED" in shell("abort", "latest", "--reason", "wrong month").out
        done = shell.finish(running)
    assert done.code == 3
    assert "wrong month" in done.err
    assert sorted(lines(shell)) == ["close A", "open a", "work begins", "work ends"]
    assert phases(shell) == {"n0": "ABORTED", "n0/1": "SUCCEEDED", "n0/2": "ABORTED", "n0/3": "SUCCEEDED"}


def test_an_abort_of_a_run_that_nobody_drives_cleans_up_too(shell: Shell) -> None:
    with shell.started("run", FLOWS, "cleaning", "--x", 1) as running:
        wait_until(lambda: "work begins" in lines(shell), running)
        # Its row rides a later commit: it is on disk once others see it.
        wait_until(lambda: phases(shell).get("n0/2") == "RUNNING", running)
        running.kill()
    wait_until_quiet(shell)
    assert shell("abort", "latest", "--json").json["phase"] == "ABORTED"
    assert lines(shell).count("close A") == 1
    assert lines(shell).count("work begins") == 1, "what was aborted was not begun again"


def test_a_second_abort_does_not_wait(shell: Shell) -> None:
    with shell.started("run", FLOWS, "cleaning_slowly", "--x", 1) as running:
        wait_until(lambda: "work begins" in lines(shell), running)
        with shell.started("abort", "latest"):
            wait_until(lambda: "closing A" in lines(shell), running)
            assert "ABORTED" in shell("abort", "latest").out
        assert shell.finish(running).code == 3
    assert "close A" not in lines(shell)
    assert phases(shell)["n0/3"] == "ABORTED"


def test_clean_up_goes_on_after_everything_was_killed(shell: Shell) -> None:
    with shell.started("run", FLOWS, "cleaning_slowly", "--x", 1) as running:
        wait_until(lambda: "work begins" in lines(shell), running)
        with shell.started("abort", "latest"):
            wait_until(lambda: "closing A" in lines(shell), running)
            running.kill()
            running.wait()
    wait_until_quiet(shell)
    assert shell("describe", "latest", "--json").json["phase"] == "ABORTING"
    (shell.notes / "close").touch()
    assert shell("resume", "latest", code=3).code == 3
    # A new driver runs the body's own clean-up again, while the call that was under way is run again too.
    assert [line for line in lines(shell) if line.startswith("close ")] == ["close A", "close z"]
    assert lines(shell).count("open a") == lines(shell).count("work begins") == 1
    assert phases(shell) == {
        "n0": "ABORTED",
        "n0/1": "SUCCEEDED",
        "n0/2": "ABORTED",
        "n0/3": "SUCCEEDED",
        "n0/4": "SUCCEEDED",
    }


def test_a_body_that_runs_out_of_time_cleans_up(shell: Shell) -> None:
    done = shell("run", FLOWS, "out_of_time", "--x", 1, code=None)
    assert done.code != 0
    assert "timeout of 1 s" in done.err
    assert sorted(lines(shell)) == ["close A", "open a", "work begins", "work ends"]
    assert phases(shell) == {"n0": "TIMED_OUT", "n0/1": "SUCCEEDED", "n0/2": "ABORTED", "n0/3": "SUCCEEDED"}


def test_a_cancelled_branch_stops_the_function_in_its_worker(shell: Shell) -> None:
    assert shell("run", "--workers", 4, FLOWS, "branch_cancelled", "--x", 1).out == "stopped\n"
    assert {"work ends", "async work ends"} < set(lines(shell))
