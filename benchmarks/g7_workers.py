"""G7: an attempt through warm worker processes, against a bare ``ProcessPoolExecutor``."""

from __future__ import annotations

from harness import Table, figures_of


def measure() -> Table:
    """The executor alone: no engine, no store. Both figures come from one run of ``worker_round_trip.py``."""
    table = Table("G7", "an attempt through warm workers, no-op task")
    for name, row in figures_of("worker_round_trip.py").items():
        table.note(name, f"median {row['median']:g} {row['unit']}, {row['least']:g} to {row['most']:g}")
    return table
