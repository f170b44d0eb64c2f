"""Runs that wait for people, and the commands that answer them."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell, wait_until
from whimbrel.errors import EntityNotFound
from whimbrel.stores.home import open_home

FLOWS = Path(__file__).with_name("gate_flows.py")


def begin(name: str, *more: object) -> tuple[object, ...]:
    return ("run", "--park-after", 0, "--run-id", "r", FLOWS, name, "--x", 3, *more)


def parked(shell: Shell) -> bool:
    """Whether the run has left memory."""
    try:
        with open_home(shell.directory / ".whimbrel", exclusive=False) as home:
            return bool(asyncio.run(home.store.parked()))
    except EntityNotFound:
        return False


@pytest.mark.parametrize("name", ["release", "careful"])
def test_a_run_waits_and_two_people_answer(tmp_path: Path, name: str) -> None:
    shell = Shell(tmp_path)
    with shell.started(*begin(name)) as process:
        wait_until(lambda: parked(shell), process)
        told = shell("approve", "r").out
        assert "release waits for an approval of value=6" in told
        assert "whimbrel approve r release" in told
        assert "waits for an answer: release" in shell("runs").out
        assert "whimbrel approve r release" in shell("describe", "latest").out
        done = shell("approve", "r", "release", "--by", "ann")
        assert done.out == "run r: the gate 'release' has its answer\n"
        wait_until(lambda: "rows" in shell("approve", "r").out, process)
        assert "rows waits for int" in shell("signal", "r").out
        assert shell("signal", "r", "rows", "40", "--json").json == {"run": "r", "gate": "rows", "taken": True}
        end = shell.finish(process)
    assert end.out == "6 in 40 rows\n"
    assert "whimbrel approve r release" in end.err
    assert shell.trace() == ["prepare", "publish"]
    assert "approved by ann" in shell("describe", "r", "--story").out


def test_a_rejection_fails_the_run_and_an_eager_body_may_catch_it(tmp_path: Path) -> None:
    for name, code in (("release", 1), ("careful", 0)):
        directory = tmp_path / name
        directory.mkdir()
        shell = Shell(directory)
        with shell.started(*begin(name)) as process:
            wait_until(lambda shell=shell: parked(shell), process)  # type: ignore[misc]  # a loop's own variable
            shell("reject", "r", "release", "--by", "ann", "--reason", "too dear")
            end = shell.finish(process)
        assert end.code == code
        assert "the gate 'release' was rejected by ann: too dear" in (end.err if code else end.out)


def test_killed_at_a_gate_it_is_answered_and_carries_on_later(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started(*begin("careful")) as process:
        wait_until(lambda: parked(shell), process)
        process.kill()
        process.wait()
    kept = shell("approve", "r", "release").out
    assert kept == "run r: the answer is kept; nobody is driving the run: whimbrel resume r\n"
    twice = shell("reject", "r", "release", code=2)
    assert "the gate 'release' is over: it is SUCCEEDED" in twice.err
    with shell.started("resume", "r") as process:
        wait_until(lambda: "rows" in shell("signal", "r").out, process)
        shell("signal", "r", "rows", "40")
        assert shell.finish(process).out == "6 in 40 rows\n"
    assert shell.trace() == ["prepare", "publish"]


def test_answers_that_do_not_fit_are_refused_before_they_are_sent(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started(*begin("release")) as process:
        wait_until(lambda: parked(shell), process)
        assert "takes int: expected int" in shell("signal", "r", "rows", "many", code=2).err
        assert "takes int: a value is missing. For example:" in shell("signal", "r", "rows", code=2).err
        assert "use `whimbrel signal`" in shell("approve", "r", "rows", code=2).err
        assert "knows no gate 'rose'; its gates are release, rows" in shell("approve", "r", "rose", code=2).err
        early = shell("signal", "r", "rows", "40")
        assert early.out == "run r: the gate 'rows' has its answer\n"
        assert "is over: it is SUCCEEDED" in shell("signal", "r", "rows", "41", code=2).err
        shell("approve", "r", "release")
        assert shell.finish(process).out == "6 in 40 rows\n"
    assert "it waits for no answer" in shell("approve", "r", "release", code=2).err
    assert "there is no run" in shell("approve", "nothere", code=2).err


def test_a_sleep_goes_on_while_nobody_drives(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started(*begin("nap", "--seconds", 1.5)) as process:
        wait_until(lambda: parked(shell), process)
        until = time.monotonic() + 1.5
        process.kill()
        process.wait()
    assert "sleeps until 20" in shell("describe", "r").out
    wait_until(lambda: time.monotonic() > until)
    assert shell("resume", "r").out == "6\n"


def test_ctrl_c_says_what_it_waits_for(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started(*begin("release")) as process:
        wait_until(lambda: parked(shell), process)
        process.send_signal(2)
        left = shell.finish(process)
    assert left.code == 130
    assert "whimbrel resume r\n" in left.err
    assert left.err.rstrip().splitlines()[-2].strip().startswith("n1 release waits for an approval of value=6")
