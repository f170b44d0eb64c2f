"""G6: a gather of 1,000 durable steps, against DBOS, Prefect and Temporal, each in its own environment."""

from __future__ import annotations

import statistics
import sys
import tempfile
import urllib.error
import urllib.request
from pathlib import Path

import peers
from harness import ENVIRONMENTS, Table, answers, free_port, server, subject, version

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
    python, port = peers.temporal(), free_port()
    command = [str(python.with_name("temporal")), "server", "start-dev", "--headless", "--ip", "127.0.0.1"]
    command += ["--port", str(port), "--db-filename", str(directory / "temporal.db"), "--log-level", "error"]
    with server(command, lambda: answers(port)):
        times = subject(python, "temporal_activities.py", f"127.0.0.1:{port}")["gather"]
    return version(python, "temporalio"), times


def _prefect(directory: Path) -> tuple[str, list[float]]:
    python, port = peers.prefect(), free_port()
    settings = {
        "PREFECT_HOME": str(directory),
        "PREFECT_API_URL": f"http://127.0.0.1:{port}/api",
        "PREFECT_LOGGING_LEVEL": "ERROR",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    command = [str(python.with_name("prefect")), "server", "start", "--host", "127.0.0.1", "--port", str(port)]

    def healthy() -> bool:
        try:
            with urllib.request.urlopen(f"{settings['PREFECT_API_URL']}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, OSError):
            return False

    with server([*command, "--no-ui"], healthy, **settings):
        times = subject(python, "prefect_tasks.py", **settings)["gather"]
    return version(python, "prefect"), times
