"""`kill -9` of the command at many random moments: what was kept is never run again, and the result is right."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.cli.flows import DURABLE
from tests.e2e.cli.shell import FLOWS, Shell, wait_until, wait_until_quiet
from whimbrel.errors import EntityNotFound
from whimbrel.model.attempt import Succeeded
from whimbrel.model.events import Event
from whimbrel.stores.home import open_home

BUDGET = 25.0
"""Seconds of killing. A round takes one or two; every round is killed several times."""
FEWEST_KILLS = 12
SEED = 20240517
LONGEST_LIFE = 0.6
"""Seconds after which a process is killed at the latest; a whole run takes about this long."""


def events_of(home: Path, run: str) -> list[Event]:
    """What is on disk, beside nobody."""
    try:
        with open_home(home, exclusive=False) as opened:
            return asyncio.run(opened.store.events(run))
    except EntityNotFound:
        return []


def finished(events: list[Event]) -> set[str]:
    return {event.attempt.path for event in events if isinstance(event, Succeeded)}


def executions(shell: Shell) -> Counter[str]:
    return Counter(line.split()[0] for line in shell.trace())


def live_and_die(shell: Shell, life: float, *arguments: object) -> str | None:
    """Let a command live for ``life`` seconds; its output if it ends by itself before."""
    with shell.started(*arguments) as process:
        try:
            process.wait(life)
        except Exception:
            process.kill()
            process.wait()
            return None
        done = shell.finish(process)
        assert done.code == 0, done
        return done.out


def test_kill_at_random_moments(tmp_path: Path) -> None:
    chance = random.Random(SEED)
    until = time.monotonic() + BUDGET
    kills = 0
    rounds = 0
    while time.monotonic() < until or kills < FEWEST_KILLS:
        rounds += 1
        directory = tmp_path / f"round{rounds}"
        directory.mkdir()
        shell = Shell(directory)
        home = directory / ".whimbrel"
        run = f"k{rounds}"
        output: str | None = None
        lives = 0
        kept: Counter[str] = Counter()
        while output is None:
            started = bool(events_of(home, run))
            arguments = ("resume", run) if started else ("run", FLOWS, "durable", "--x", "5", "--run-id", run)
            # The first kills come early; then processes live longer and longer, so that every round ends.
            output = live_and_die(shell, chance.uniform(0.15, LONGEST_LIFE) + 0.1 * lives, *arguments)
            lives += 1  # on a busy machine a life may be too short to get anywhere: they grow until the round ends
            told = (rounds, kills, SEED)
            count = executions(shell)
            for path, times in kept.items():
                assert count[path] == times, f"{path} had finished, and ran again; round, kills, seed: {told}"
            if output is None:
                kills += 1
                wait_until_quiet(shell)
                count = executions(shell)
            kept = Counter({path: count[path] for path in finished(events_of(home, run)) if path in count})
        assert output == f"{5 + DURABLE}\n", told
        tasks = [path for path in finished(events_of(home, run)) if path != "n0"]
        assert len(tasks) == 1 + 3 + 8 + 4
        assert set(executions(shell)) == set(tasks)
    assert kills >= FEWEST_KILLS


def children(process: int) -> list[int]:
    """The workers of a command: task workers and driver hosts."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process and fields[0] != "Z":
                found.append(int(entry.name))
    return sorted(found)


@pytest.mark.parametrize("seed", range(4))
def test_workers_killed_at_random_moments(tmp_path: Path, seed: int) -> None:
    chance = random.Random(SEED + seed)
    shell = Shell(tmp_path)
    with shell.started("run", FLOWS, "durable", "--x", "5", "--run-id", "w") as running:
        # Two, of the three that the system retries of any one node allow.
        for _ in range(2):
            progress = len(shell.trace()) + chance.randrange(1, 6)
            wait_until(lambda goal=progress: len(shell.trace()) >= goal or running.poll() is not None)  # type: ignore[misc]
            for victim in chance.sample(children(running.pid), k=1) if children(running.pid) else []:
                os.kill(victim, signal.SIGKILL)
        done = shell.finish(running)
    assert (done.code, done.out) == (0, f"{5 + DURABLE}\n"), done
    lines = Counter(shell.trace())
    assert set(lines.values()) == {1}, "an attempt ran twice"
    succeeded = [event.attempt for event in events_of(tmp_path / ".whimbrel", "w") if isinstance(event, Succeeded)]
    ends = {attempt.path: attempt.number for attempt in succeeded}
    assert len(ends) == len(succeeded) == 1 + 1 + 3 + 8 + 4
    for path, number in (line.split() for line in lines):
        assert int(number) <= ends[path], f"{path} had finished, and ran again"


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    with shell.started("run", FLOWS, "killed_worker", "--x", "4") as running:
        done = shell.finish(running)
    assert done.out == "5\n"
    nodes = shell("describe", "latest", "--json").json["nodes"]
    assert [attempt["failure"] is not None for attempt in nodes[0]["attempts"]] == [True, False]
    assert "SIGKILL" in shell("describe", "latest").out
