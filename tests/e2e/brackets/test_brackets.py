"""Setup and teardown with real processes: the order of what they do, whatever happens in between."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell, wait_until, wait_until_quiet

from .test_cleanup import FLOWS, lines, phases

BOTH = ("work begins", "async work begins")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def brackets(shell: Shell) -> list[str]:
    """Only what setups and teardowns said."""
    return [line for line in lines(shell) if line.startswith(("open", "close"))]


def in_order(shell: Shell) -> None:
    """Everything between the brackets is between the brackets."""
    said = lines(shell)
    opened = max(said.index(line) for line in said if line.startswith("open"))
    closed = min(said.index(line) for line in said if line.startswith("close"))
    inside = [line for line in said if "work" in line]
    assert inside
    assert said[opened + 1 : closed] == [line for line in said[opened + 1 : closed] if "work" in line or "body" in line]
    assert [line for line in said[opened + 1 : closed] if "work" in line] == inside


@pytest.mark.parametrize("flow", ["bracketed", "bracketed_eager"])
def test_success(shell: Shell, flow: str) -> None:
    (shell.notes / "work").touch()
    assert shell("run", "--workers", 4, FLOWS, flow, "--x", 1).out == "4\n"
    assert brackets(shell) == ["open a", "open b", "close b: None", "close a: None"]
    in_order(shell)


@pytest.mark.parametrize("flow", ["bracketed", "bracketed_eager"])
def test_failure(shell: Shell, flow: str) -> None:
    (shell.notes / "work").touch()
    (shell.notes / "fail").touch()
    done = shell("run", "--workers", 4, FLOWS, flow, "--x", 1, code=None)
    assert done.code == 1
    assert "ValueError: the work failed" in done.err
    told = "ValueError: the work failed"
    assert brackets(shell) == ["open a", "open b", f"close b: {told}", f"close a: {told}"]


@pytest.mark.parametrize("flow", ["bracketed", "bracketed_eager"])
def test_abort(shell: Shell, flow: str) -> None:
    with shell.started("run", "--workers", 4, FLOWS, flow, "--x", 1) as running:
        wait_until(lambda: set(BOTH) <= set(lines(shell)), running)
        assert "ABORTED" in shell("abort", "latest", "--reason", "wrong month").out
        assert shell.finish(running).code == 3
    told = "abort: wrong month"
    assert brackets(shell) == ["open a", "open b", f"close b: {told}", f"close a: {told}"]
    assert "work ends" in lines(shell)
    assert "async work ends" in lines(shell)
    in_order(shell)


@pytest.mark.parametrize("flow", ["bracket_out_of_time", "static_out_of_time"])
def test_time_out(shell: Shell, flow: str) -> None:
    assert shell("run", FLOWS, flow, "--x", 1, code=None).code == 1
    opened, closed = brackets(shell)
    assert opened == "open a"
    assert closed.startswith("close a: timeout: ")


@pytest.mark.parametrize("flow", ["closing_slowly", "closing_slowly_eager"])
@pytest.mark.parametrize("aborted", [False, True])
def test_kill_of_everything_in_the_teardown(shell: Shell, flow: str, aborted: bool) -> None:
    with shell.started("run", FLOWS, flow, "--x", 1) as running:
        wait_until(lambda: "work begins" in lines(shell), running)
        if aborted:
            with shell.started("abort", "latest"):
                wait_until(lambda: "closing a" in lines(shell), running)
                running.kill()
                running.wait()
        else:
            (shell.notes / "work").touch()
            wait_until(lambda: "closing a" in lines(shell), running)
            running.kill()
            running.wait()
    wait_until_quiet(shell)
    (shell.notes / "close").touch()
    done = shell("resume", "latest", code=None)
    assert done.code == (3 if aborted else 0)
    told = "abort: aborted by hand" if aborted else "None"
    assert brackets(shell) == ["open a", f"close a: {told}"]
    assert lines(shell).count("work begins") == 1


@pytest.mark.parametrize("flow", ["bracketed", "bracketed_eager"])
def test_kill_of_everything_in_the_body(shell: Shell, flow: str) -> None:
    with shell.started("run", "--workers", 4, FLOWS, flow, "--x", 1) as running:
        wait_until(lambda: set(BOTH) <= set(lines(shell)), running)
        running.kill()
        running.wait()
    wait_until_quiet(shell)
    (shell.notes / "work").touch()
    assert shell("resume", "--workers", 4, "latest").out == "4\n"
    assert brackets(shell) == ["open a", "open b", "close b: None", "close a: None"]
    assert set(phases(shell).values()) == {"SUCCEEDED"}
