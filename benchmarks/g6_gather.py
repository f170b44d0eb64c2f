"""G6: a gather of 1,000 durable steps, against DBOS, Prefect and Temporal, each in its own environment."""

from __future__ import annotations

import statistics
import sys
import tempfile
from pathlib import Path

import peers
import servers
from harness import ENVIRONMENTS, Table, subject, version

GOAL = 1 / 40


def measure() -> Table:
    """Seconds a step. Whimbrel is measured before and after each peer, since the machine's other load wanders."""
    table = Table("G6", "gather of 1,000 durable steps on SQLite, against durable peers on the same machine")
    rates: list[float] = []
    for name, their in (("DBOS", _dbos), ("Temporal", _temporal), ("Prefect", _prefect)):
        our = _whimbrel()
        with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory:
            release, figures = their(Path(directory))
        our += _whimbrel()
        rates += [1 / seconds for seconds in our]
        table.add("gather, a step", our, figures, than=f"{name} {release}", goal=GOAL)
    table.note(
        "rate",
        f"median {statistics.median(rates):,.0f} steps/s, {min(rates):,.0f} to {max(rates):,.0f} (goal: 10,000)",
    )
    table.note("width", "whimbrel, DBOS, Temporal: 1,000; Prefect: 200, to keep its part short")
    return table


def _whimbrel() -> list[float]:
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory:
        return subject(sys.executable, "durable_steps.py", "gather", directory)["step"]


def _dbos(directory: Path) -> tuple[str, list[float]]:
    python = peers.dbos()
    return version(python, "dbos"), subject(python, "dbos_steps.py", str(directory))["gather"]


def _temporal(directory: Path) -> tuple[str, list[float]]:
    python = peers.temporal()
    with servers.temporal(directory) as peer:
        times = subject(python, "temporal_activities.py", f"127.0.0.1:{peer.port}")["gather"]
    return version(python, "temporalio"), times


def _prefect(directory: Path) -> tuple[str, list[float]]:
    python = peers.prefect()
    with servers.prefect(directory) as peer:
        times = subject(python, "prefect_tasks.py", **peer.settings)["gather"]
    return version(python, "prefect"), times
