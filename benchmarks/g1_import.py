"""G1: what importing costs, over an interpreter that does nothing."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from pathlib import Path

import peers
from harness import REPETITIONS, Table, environment, version


def _once(python: Path | str, code: str) -> tuple[float, float]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begin = time.perf_counter()
    subprocess.run([str(python), "-c", code], check=True, env=environment())
    wall = time.perf_counter() - begin
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def measure() -> Table:
    """Processor time of ``import whimbrel`` and of ``import flytekit``, each less that of ``pass`` in the same
    environment."""
    theirs = peers.flytekit()
    table = Table("G1", f"import (flytekit {version(theirs, 'flytekit')})")
    ours_cpu: list[float] = []
    theirs_cpu: list[float] = []
    ours_wall: list[float] = []
    theirs_wall: list[float] = []
    for repetition in range(REPETITIONS + 1):
        base = _once(sys.executable, "pass")
        our = _once(sys.executable, "import whimbrel")
        their_base = _once(theirs, "pass")
        their = _once(theirs, "import flytekit")
        # The first time is a warm-up: it leaves byte code behind.
        if repetition:
            ours_cpu.append(our[0] - base[0])
            theirs_cpu.append(their[0] - their_base[0])
            ours_wall.append(our[1] - base[1])
            theirs_wall.append(their[1] - their_base[1])
    table.add("import, processor time", ours_cpu, theirs_cpu, than="flytekit", goal=1 / 10)
    table.add("import, wall time", ours_wall, theirs_wall, than="flytekit", goal=1 / 10)
    return table
