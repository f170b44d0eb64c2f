"""G10: a map and a gather of 10,000 calls through worker processes, and a map of 100,000 items in the engine alone.

Does an item cost the same in a wide run as in a narrow one, and how much memory does a wide run take?
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from harness import ENVIRONMENTS, HERE, Table, environment, subject

NARROW, WIDE = 2_500, 10_000
ENGINE_NARROW, ENGINE_WIDE = 10_000, 100_000
ROUNDS = 3
FLOWS = HERE / "subjects" / "wide_flows.py"
SCRIPT = Path(sys.executable).with_name("whimbrel")


def measure() -> Table:
    """Seconds an item, wide against narrow, in turn; then the peak memory."""
    table = Table("G10", "wide runs: an item of a wide one, against an item of a narrow one")
    for flow, noun in (("mapped", "map"), ("gathered", "eager gather")):
        narrow, wide, peaks = [], [], []
        for _ in range(ROUNDS):
            narrow.append(_ran(flow, NARROW)[0] / NARROW)
            seconds, peak = _ran(flow, WIDE)
            wide.append(seconds / WIDE)
            peaks.append(peak)
        table.add(f"{noun} of {WIDE:,} through workers, an item", wide, narrow, than=f"one of {NARROW:,}", goal=1.25)
        rate = 1 / statistics.median(wide)
        table.note(f"{noun} of {WIDE:,}", f"{rate:,.0f} items/s; the command's peak is {max(peaks):,.0f} MiB")
    few = subject(sys.executable, "wide_engine.py", str(ENGINE_NARROW))
    many = subject(sys.executable, "wide_engine.py", str(ENGINE_WIDE))
    table.add(
        f"map of {ENGINE_WIDE:,} in the engine alone, an item",
        many["item"],
        few["item"],
        than=f"one of {ENGINE_NARROW:,}",
        goal=1.25,
    )
    table.note(f"engine, {ENGINE_WIDE:,} items", f"{many['peak'][0]:,.0f} MiB at most, its log included")
    return table


def _ran(flow: str, n: int) -> tuple[float, float]:
    """Seconds from the command's start to its end, and the most memory that it took itself, in MiB."""
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as home:
        begin = time.perf_counter()
        process = subprocess.Popen(
            [str(SCRIPT), "run", str(FLOWS), flow, "--n", str(n), "--quiet"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment(WHIMBREL_HOME=home),
        )
        assert process.stdout is not None
        said = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seconds = time.perf_counter() - begin
    if process.returncode or int(said) != n * (n - 1) // 2:
        raise SystemExit(f"{flow} of {n} ended with {process.returncode} and said {said!r}")
    return seconds, usage.ru_maxrss / 1024
