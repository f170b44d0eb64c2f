"""kill -9 of a process that writes: what it was told is durable is there, whole, and the home opens again."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
from pathlib import Path

from tests.unit.stores.samples import event
from whimbrel.stores.home import open_home

KILLS = 8


def write_until_killed(home: Path, lines: int) -> dict[str, int]:
    """Kill a process that has told of so many writes. Returns the last seq that it told, by run."""
    command = [sys.executable, "-m", "tests.integration.stores.appending", str(home)]
    told: dict[str, int] = {}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for _ in range(lines):
            line = process.stdout.readline()
            assert line.endswith("\n"), "the process ended by itself"
            told[line.split()[0]] = int(line.split()[1])
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            # What it had told before it died, and we had not read. The last line may be cut.
            if line.endswith("\n"):
                told[line.split()[0]] = int(line.split()[1])
    assert process.returncode == -signal.SIGKILL
    return told


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    home = tmp_path / "home"
    chance = random.Random(20)
    for kill in range(KILLS):
        told = write_until_killed(home, chance.choice([1, 2, 5, 20, 100, 300]))
        with open_home(home, exclusive=True) as reopened:
            store = reopened.store
            assert store.check_integrity() == []
            for run, last in told.items():
                found = asyncio.run(store.events(run))
                assert len(found) >= last, f"kill {kill}: run {run} lost what it was told is durable"
                for seq, there in enumerate(found, 1):
                    assert there.attempt.path == f"n{seq}"  # type: ignore[union-attr]
                # Each append has its blob, by which its events say which append they came with.
                blobs = dict.fromkeys(there.worker for there in found[1:])  # type: ignore[union-attr]
                for blob in blobs:
                    first = blob.rpartition("/")[2]
                    assert reopened.blobs.get(blob) == first.encode() * 100
                    # All of an append or nothing: it has 1 + first % 7 events.
                    group = [there for there in found if there.worker == blob]  # type: ignore[union-attr]
                    assert len(group) == 1 + int(first) % 7
                # A chunk goes to the disk no later than the append after it. Twice, if the append was lost.
                texts = [int(line.text) for line in asyncio.run(store.logs(run))]
                assert texts == sorted(texts)
                assert {int(blob.rpartition("/")[2]) for blob in blobs} <= set(texts)
                assert found[0] == event(1)
