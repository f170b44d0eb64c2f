"""G8: a workflow of three steps, submitted to a running server, until the client has seen its end.

Each peer in an environment of its own, on SQLite, by the way that it offers for this. Where a peer can also run the
same steps in the client's process, with its server or store behind it, that is measured too: nothing of it can be
quicker.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import peers
import servers
from harness import ENVIRONMENTS, HERE, Table, environment, subject, version

GOAL = 1 / 20
LIMIT = 0.015
ROUNDS = 60


def measure() -> Table:
    """Seconds a run. Whimbrel is measured before and after each peer, since the machine's other load wanders."""
    table = Table("G8", "three steps, submitted to a running server, until the client sees the end")
    everything: dict[str, list[float]] = {"static": [], "eager": [], "static, by Remote": []}
    for their in (_temporal, _prefect, _dagster, _airflow):
        before = _whimbrel()
        with tempfile.TemporaryDirectory(dir=ENVIRONMENTS, ignore_cleanup_errors=True) as directory:
            than, figures = their(Path(directory))
        after = _whimbrel()
        for kind, times in everything.items():
            times += before[kind] + after[kind]
        for how, times in figures.items():
            table.add("a run", before["static"] + after["static"], times, than=f"{than}, {how}", goal=GOAL)
    static = [statistics.median(everything["static"])]
    table.add("a run, median of all", static, [LIMIT], than="15 ms", goal=1)
    for kind, times in everything.items():
        cuts = statistics.quantiles(times, n=100)
        table.note(
            kind,
            f"median {cuts[49] * 1e3:.1f} ms, p95 {cuts[94] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms of {len(times)}",
        )
    table.note(
        "what is measured",
        "CreateExecution over gRPC until `end` on the run's event stream, told when it is on disk (by Remote: execute "
        "and wait, over REST, outputs included); "
        "registered by `whimbrel register`, tasks in the server's warm workers. Temporal: execute_workflow with its "
        "long poll, activities in the client's process. Prefect: run_deployment. Dagster and Airflow: their APIs, "
        "the state asked for every 20 ms. 'called': in the client's process, its server or store behind it",
    )
    return table


def _whimbrel() -> dict[str, list[float]]:
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory:
        with servers.whimbrel(Path(directory, "home")) as peer:
            register = [str(servers.WHIMBREL), "register", str(HERE / "subjects" / "three_steps.py"), "--version", "v1"]
            url = f"http://127.0.0.1:{peer.port}"
            subprocess.run([*register, "--url", url], check=True, env=environment(), stdout=subprocess.DEVNULL)
            return subject(sys.executable, "server_runs.py", str(peer.port), str(ROUNDS))


def _temporal(directory: Path) -> tuple[str, dict[str, list[float]]]:
    python = peers.temporal()
    with servers.temporal(directory) as peer:
        figures = subject(python, "temporal_three.py", f"127.0.0.1:{peer.port}", "30")
    return f"Temporal {version(python, 'temporalio')}", figures


def _prefect(directory: Path) -> tuple[str, dict[str, list[float]]]:
    python = peers.prefect()
    with servers.prefect(directory) as peer:
        figures = subject(python, "prefect_three.py", "5", **peer.settings)
    return f"Prefect {version(python, 'prefect')}", figures


def _dagster(directory: Path) -> tuple[str, dict[str, list[float]]]:
    python = peers.dagster()
    with servers.dagster(directory) as peer:
        figures = subject(python, "dagster_runs.py", str(peer.port), "4", **peer.settings)
    return f"Dagster {version(python, 'dagster')}", figures


def _airflow(directory: Path) -> tuple[str, dict[str, list[float]]]:
    python = peers.airflow()
    with servers.airflow(directory) as peer:
        figures = subject(python, "airflow_runs.py", str(peer.port), "4")
    return f"Airflow {version(python, 'apache-airflow')}", figures
