"""SIGKILL at random moments, of the command, of workers and of driver hosts; the history checker judges what is left.

``make chaos KILLS=2000`` kills more often; SEED=n begins elsewhere. What chance decides is drawn from the seed, but
when processes get anywhere is the machine's affair: the same seed is the same program, not the same moments.
"""

from __future__ import annotations

import faulthandler
import os
import shutil
import subprocess
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.chaos.history import violations
from tests.e2e.chaos.killing import SCRIPT, Patient
from whimbrel.engine.run import Run
from whimbrel.model.literals import IntLiteral
from whimbrel.model.run import Phase

KILLS = int(os.environ.get("KILLS", "200"))
SEED = int(os.environ.get("SEED", "1"))
LANES = 2
"""Runs at a time, each in a home of its own: one waits for a process to start while the other works."""

LIVES = 12
"""Kills of one run, after which it is left alone."""


def expected(file: Path) -> int:
    """What the program gives as plain Python, without an engine."""
    plain = {key: value for key, value in os.environ.items() if key != "CHAOS_TRACE"}
    command = [SCRIPT, "run", "--direct", str(file), "main", "--x", "5"]
    return int(subprocess.run(command, cwd=file.parent, env=plain, capture_output=True, check=True).stdout)


def torture(folder: Path, seed: int) -> Counter[str]:
    """Kill one run again and again until it has ended, and judge its history; the kills, by kind."""
    patient = Patient(folder, seed)
    while patient.summary()[0] not in ("SUCCEEDED", "FAILED"):
        process = patient.begin()
        if sum(patient.kills.values()) < LIVES:
            patient.kill_sometime(process)
        else:
            assert process.wait(60) == 0, (folder / "stderr").read_text()
    history = patient.history()
    told = f"seed {seed}, {dict(patient.kills)}, in {folder}"
    assert violations(history) == [], told
    run = Run.replay(history.events)
    run.check_invariants()
    assert run.phase is Phase.SUCCEEDED, (run.failure, told)
    assert run.outputs == {"o0": IntLiteral(expected(patient.file))}, told
    shutil.rmtree(folder)
    return patient.kills


@pytest.mark.slow
def test_kills_at_random_moments(tmp_path: Path) -> None:
    # Long on purpose: pytest need not show where it stands after two minutes. Nothing here waits without a limit.
    faulthandler.cancel_dump_traceback_later()
    kills: Counter[str] = Counter()
    seeds = count(SEED * 1_000_000)
    lock = threading.Lock()

    def lane() -> None:
        while True:
            with lock:
                if sum(kills.values()) >= KILLS:
                    return
                seed = next(seeds)
            died = torture(tmp_path / str(seed), seed)
            with lock:
                kills.update(died)

    with ThreadPoolExecutor(LANES) as pool:
        for done in [pool.submit(lane) for _ in range(LANES)]:
            done.result()
    print(dict(kills))
    assert sum(kills.values()) >= KILLS
    # Every way to die was met.
    ways = {"at any time", "after a step", "after a commit", "stopped, then killed", "worker", "driver"}
    assert set(kills) == ways
