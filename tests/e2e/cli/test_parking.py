"""A parked run and the command line: it says so, may be killed meanwhile, and carries on."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from tests.e2e.cli.shell import Shell, wait_until
from whimbrel.errors import EntityNotFound
from whimbrel.stores.home import open_home

NAPPING = Path(__file__).parents[2] / "integration" / "parking" / "napping.py"


def begin(directory: Path, seconds: float) -> tuple[object, ...]:
    inputs = ("--x", 1, "--seconds", seconds, "--folder", directory)
    return ("run", "--park-after", 0.1, "--run-id", "nap", NAPPING, "naps", *inputs)


def parked(directory: Path) -> bool:
    try:
        with open_home(directory / ".whimbrel", exclusive=False) as home:
            return bool(asyncio.run(home.store.parked()))
    except EntityNotFound:
        return False


def test_it_waits_and_says_that_it_is_parked(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    done = shell(*begin(tmp_path, 0.7))
    assert done.out == "3\n"
    assert "n0 naps parked, wakes in " in done.err
    assert shell("describe", "nap").out.count("parked") == 1


def test_killed_while_parked_its_time_passes_all_the_same(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started(*begin(tmp_path, 1.5)) as process:
        wait_until(lambda: parked(tmp_path), process)
        until = time.monotonic() + 1.5
        process.kill()
        process.wait()
    assert "woken" not in (tmp_path / "log").read_text()
    told = shell("describe", "nap").out
    assert "parked until 20" in told
    wait_until(lambda: time.monotonic() > until)
    began = time.monotonic()
    assert shell("resume", "nap").out == "3\n"
    assert time.monotonic() - began < 20.0
    lines = (tmp_path / "log").read_text().splitlines()
    assert [line.split()[0] for line in lines].count("add_one") == 2
    assert "woken" in [line.split()[0] for line in lines]


def test_ctrl_c_leaves_it_parked_and_an_abort_ends_it(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started(*begin(tmp_path, 10_000)) as process:
        wait_until(lambda: parked(tmp_path), process)
        process.send_signal(2)
        left = shell.finish(process)
    assert left.code == 130
    assert "is parked. Carry on with" in left.err
    assert parked(tmp_path)
    assert "ABORTED" in shell("abort", "nap").out
    assert not parked(tmp_path)
    assert "woken" in (tmp_path / "log").read_text()
