"""Homes between processes: one owner, readers beside it, and a lock that dies with its holder."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.stores.samples import event, summary
from whimbrel.errors import HomeLocked
from whimbrel.stores.home import open_home

# An owner that makes a run, perhaps leaves a child behind, and waits to be killed.
OWNER = """
import asyncio, os, signal, subprocess, sys
from tests.unit.stores.samples import event, summary
from whimbrel.stores.home import open_home

home = open_home(sys.argv[1], exclusive=True)
asyncio.run(home.store.create(summary("r"), [event(1)]))
child = 0
if sys.argv[2] == "exec":
    child = subprocess.Popen(["sleep", "600"]).pid
if sys.argv[2] == "fork":
    forked, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(tell, b".")
        signal.pause()
    os.read(forked, 1)
print(child, flush=True)
sys.stdin.read()
"""


@contextmanager
def owner(home: Path, leaves: str = "nothing") -> Iterator[tuple[subprocess.Popen[str], int]]:
    command = [sys.executable, "-c", OWNER, str(home), leaves]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    try:
        yield process, child
    finally:
        process.kill()
        if child:
            os.kill(child, signal.SIGKILL)
        # The child has the other end of the pipe: only now can it be read to its end.
        process.communicate()


def test_a_second_owner_is_told_who_the_first_is(tmp_path: Path) -> None:
    with owner(tmp_path / "home") as (process, _):
        with pytest.raises(HomeLocked, match=rf"home is in use by process {process.pid} \(-c .*--home"):
            open_home(tmp_path / "home", exclusive=True)


def test_readers_look_beside_a_running_owner(tmp_path: Path) -> None:
    with owner(tmp_path / "home"), open_home(tmp_path / "home", exclusive=False) as home:
        assert not home.owned
        assert asyncio.run(home.store.events("r")) == [event(1)]
        assert asyncio.run(home.store.summaries()) == [summary("r")]
        asyncio.run(home.store.send("r", "abort", "enough", 1.0))


@pytest.mark.parametrize("leaves", ["nothing", "exec", "fork"])
def test_the_lock_dies_with_its_holder(tmp_path: Path, leaves: str) -> None:
    with owner(tmp_path / "home", leaves) as (process, child):
        process.kill()
        process.wait()
        if child:
            os.kill(child, 0)  # It lives on, and holds nothing.
        with open_home(tmp_path / "home", exclusive=True) as home:
            assert asyncio.run(home.store.events("r")) == [event(1)]
