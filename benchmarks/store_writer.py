"""The bare store against its physical limit, the raw commit. One line of JSON per figure.

    python benchmarks/store_writer.py [--directory DIR] [--repetitions N]

Sequential: append one event, wait, append the next, beside raw `BEGIN IMMEDIATE; INSERT; COMMIT` with WAL and
`synchronous=FULL` on the same disk, taking turns so that both see the same machine. Group: 1,000 appends at once, to
one run and to 1,000 runs. Goals: sequential at most 1.5 raw commits; at least 20,000 appends/s in groups.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from whimbrel.model.attempt import Succeeded
from whimbrel.model.codec import encode
from whimbrel.model.literals import IntLiteral
from whimbrel.model.run import AttemptId, Phase, RunSummary
from whimbrel.stores.home import open_home
from whimbrel.stores.sql.store import SqlStore

SEQUENTIAL = 1000
TOGETHER = 1000

EVENT = Succeeded(AttemptId("r" * 12, "n0/chain_a.1:3", 1), {"o0": IntLiteral(42)}, 1_700_000_000.123)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--directory", default=None, help="on the disk to measure (default: the temporary directory)")
    parser.add_argument("--repetitions", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.directory) as directory:
        home = Path(directory)
        opening(home / "opened", options.repetitions)
        store = SqlStore.open(home / "whimbrel.db")
        try:
            asyncio.run(appending(home, store, options.repetitions))
        finally:
            store.close()


def opening(path: Path, repetitions: int) -> None:
    open_home(path, exclusive=True).close()
    taken = []
    for _ in range(repetitions):
        start = time.perf_counter()
        home = open_home(path, exclusive=True)
        taken.append(time.perf_counter() - start)
        home.close()
    tell("open a home", "ms", [seconds * 1e3 for seconds in taken])


async def appending(home: Path, store: SqlStore, repetitions: int) -> None:
    await store.create(RunSummary("one", "m.t", Phase.RUNNING, 1.0, epoch=1), [])
    for n in range(TOGETHER):
        await store.create(RunSummary(f"run{n}", "m.t", Phase.RUNNING, 1.0, epoch=1), [])
    raw = RawWriter(home / "raw.db")
    raw.commits(SEQUENTIAL)
    raw_times, times, ratios, one_run, many_runs = [], [], [], [], []
    seq = 1
    for turn in range(repetitions):
        start = time.perf_counter()
        raw.commits(SEQUENTIAL)
        middle = time.perf_counter()
        for _ in range(SEQUENTIAL):
            await store.append("one", 1, seq, [EVENT])
            seq += 1
        end = time.perf_counter()
        raw_times.append((middle - start) / SEQUENTIAL * 1e3)
        times.append((end - middle) / SEQUENTIAL * 1e3)
        ratios.append(times[-1] / raw_times[-1])

        start = time.perf_counter()
        await asyncio.gather(*[store.append("one", 1, seq + n, [EVENT]) for n in range(TOGETHER)])
        seq += TOGETHER
        middle = time.perf_counter()
        await asyncio.gather(*[store.append(f"run{n}", 1, turn + 1, [EVENT]) for n in range(TOGETHER)])
        end = time.perf_counter()
        one_run.append(TOGETHER / (middle - start))
        many_runs.append(TOGETHER / (end - middle))
    raw.close()
    tell("raw WAL+FULL commit", "ms", raw_times)
    tell("sequential append", "ms", times)
    tell("sequential append / raw commit", "ratio", ratios, goal="<= 1.5")
    tell("1,000 appends at once, one run", "appends/s", one_run, goal=">= 20000")
    tell("1,000 appends at once, 1,000 runs", "appends/s", many_runs, goal=">= 20000")
    start = time.perf_counter()
    events = await store.events("one")
    tell("read an event log", "events/s", [len(events) / (time.perf_counter() - start)])


class RawWriter:
    def __init__(self, path: Path) -> None:
        self.connection = sqlite3.connect(path, isolation_level=None)
        self.connection.execute("PRAGMA journal_mode = WAL")
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute(
            "CREATE TABLE t (run TEXT, seq INTEGER, payload BLOB, PRIMARY KEY (run, seq)) WITHOUT ROWID"
        )
        self.seq = 0

    def commits(self, count: int) -> None:
        execute, payload = self.connection.execute, encode(EVENT)
        for _ in range(count):
            self.seq += 1
            execute("BEGIN IMMEDIATE")
            execute("INSERT INTO t VALUES ('one', ?, ?)", (self.seq, payload))
            execute("COMMIT")

    def close(self) -> None:
        self.connection.close()


def tell(figure: str, unit: str, samples: Sequence[float], goal: str = "") -> None:
    row = {
        "benchmark": "store_writer",
        "figure": figure,
        "unit": unit,
        "median": round(statistics.median(samples), 3),
        "min": round(min(samples), 3),
        "max": round(max(samples), 3),
        "n": len(samples),
    }
    print(json.dumps(row | ({"goal": goal} if goal else {})))


if __name__ == "__main__":
    main()
