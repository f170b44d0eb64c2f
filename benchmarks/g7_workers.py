"""G7: an attempt through warm worker processes, against a bare ``ProcessPoolExecutor``."""

from __future__ import annotations

from typing import Any

from harness import Table, figures_of


def measure() -> Table:
    """The executor alone: no engine, no store. All figures come from one run of ``worker_round_trip.py``."""
    table = Table("G7", "an attempt through warm workers, no-op task")
    figures = figures_of("worker_round_trip.py")
    for name, row in figures.items():
        if name.startswith("processes: rate"):
            pool = figures[f"ProcessPoolExecutor{name.removeprefix('processes')}"]
            table.add("throughput, a task", _seconds(row), _seconds(pool), than="bare ProcessPoolExecutor", goal=1)
        table.note(name, f"median {row['median']:g} {row['unit']}, {row['least']:g} to {row['most']:g}")
    return table


def _seconds(row: dict[str, Any]) -> list[float]:
    """Seconds a task: least, median and most."""
    return [1 / row["most"], 1 / row["median"], 1 / row["least"]]
