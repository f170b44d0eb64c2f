"""G7: attempts through warm worker processes, durable, against a bare ``ProcessPoolExecutor`` and raw commits; and the
executor alone."""

from __future__ import annotations

import statistics
import sys
import tempfile
from typing import Any

from harness import ENVIRONMENTS, Table, figures_of, subject

COMMITS = 2


def measure() -> Table:
    """First what a step of an eager body takes, the disk included; then ``worker_round_trip.py``: no engine, no
    store."""
    table = Table("G7", "an attempt through warm workers, no-op task")
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory:
        durable = subject(sys.executable, "durable_workers.py", directory)
    limits = [pool + COMMITS * commit for pool, commit in zip(durable["pool"], durable["commit"], strict=True)]
    table.add(
        "durable eager step, one after the other", durable["step"], limits, than="bare pool + two raw commits", goal=1
    )
    table.add(
        "durable eager steps, all at once, a step",
        durable["gathered"],
        durable["pool, many"],
        than="bare ProcessPoolExecutor",
        goal=1,
    )
    rates = [1 / seconds for seconds in durable["gathered"]]
    table.note("durable rate", f"median {statistics.median(rates):,.0f} steps/s")
    figures = figures_of("worker_round_trip.py")
    for name, row in figures.items():
        if name.startswith("processes: rate"):
            pool = figures[f"ProcessPoolExecutor{name.removeprefix('processes')}"]
            table.add("the executor alone, a task", _seconds(row), _seconds(pool), than="ProcessPoolExecutor", goal=1)
        table.note(name, f"median {row['median']:g} {row['unit']}, {row['least']:g} to {row['most']:g}")
    return table


def _seconds(row: dict[str, Any]) -> list[float]:
    """Seconds a task: least, median and most."""
    return [1 / row["most"], 1 / row["median"], 1 / row["least"]]
