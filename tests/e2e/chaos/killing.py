"""A run in processes of its own, and the ways to end them."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path

from tests.e2e.chaos.generator import write_program
from tests.e2e.chaos.history import History, Line, Mark, read_lines
from whimbrel.model.codec import decoder
from whimbrel.model.events import Event

SCRIPT = str(Path(sys.executable).with_name("whimbrel"))
LIMIT = 60.0
"""Seconds after which something hangs."""

_decode = decoder(Event).decode


class Patient:
    """One run of a random program, in a directory of its own. ``chance`` decides when and what is killed."""

    def __init__(self, folder: Path, seed: int, *, length: int = 9) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self.seed = seed
        self.run = "chaos"
        self.chance = random.Random(seed)
        self.file = write_program(folder, seed, length)
        self.trace = folder / "trace"
        self.database = folder / ".whimbrel" / "whimbrel.db"
        self.marks: list[Mark] = []
        self.owners: list[int] = []
        self.kills: Counter[str] = Counter()
        self.child_kills = 0
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("WHIMBREL_")},
            "CHAOS_TRACE": str(self.trace),
        }

    # --- what is on disk ------------------------------------------------------------------------------------------

    def log(self) -> list[tuple[int, bytes]]:
        """The rows of the run's event log; none before there is a run."""
        if not self.database.exists():
            return []
        with closing(sqlite3.connect(self.database, timeout=LIMIT)) as connection:
            rows = connection.execute("SELECT seq, payload FROM events WHERE run = ? ORDER BY seq", (self.run,))
            return [(seq, bytes(payload)) for seq, payload in rows]

    def summary(self) -> tuple[str, int]:
        """Phase and epoch; ("", 0) before there is a run."""
        if not self.database.exists():
            return "", 0
        with closing(sqlite3.connect(self.database, timeout=LIMIT)) as connection:
            row = connection.execute("SELECT phase, epoch FROM runs WHERE id = ?", (self.run,)).fetchone()
            return (row[0], row[1]) if row is not None else ("", 0)

    def lines(self) -> list[Line]:
        """The trace so far."""
        return read_lines(self.trace.read_text()) if self.trace.exists() else []

    def mark(self) -> None:
        """Remember what is on disk now. In this order: a line that is read afterwards may be older, never newer."""
        log = tuple(payload for _, payload in self.log())
        self.marks.append(Mark(log, len(self.lines())))

    def history(self) -> History:
        """What there is to judge."""
        log = self.log()
        events = [_decode(payload) for _, payload in log]
        return History(log, events, self.lines(), self.marks, self.owners, self.summary()[1])

    # --- processes ------------------------------------------------------------------------------------------------

    def begin(self, *, workers: int = 2) -> subprocess.Popen[bytes]:
        """Start the command that starts the run, or resumes it."""
        if self.summary()[0]:
            arguments = ["resume", "--workers", str(workers), self.run]
        else:
            # Whoever was killed before there was a run owned nothing.
            self.owners.clear()
            arguments = ["run", "--workers", str(workers), "--run-id", self.run, str(self.file), "main", "--x", "5"]
        with (self.folder / "stderr").open("ab") as stderr:
            process = subprocess.Popen(
                [SCRIPT, *arguments],
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
            )
        self.owners.append(process.pid)
        return process

    def kill_sometime(self, process: subprocess.Popen[bytes]) -> None:
        """Kill the process, or some of its workers and then perhaps it, at a moment that chance finds."""
        while process.poll() is None:
            way = self.chance.choice(self._ways())
            victim = way(process)
            if victim:
                self.kills[victim] += 1
                if victim not in ("worker", "driver"):
                    break
        process.wait(LIMIT)
        wait_until(lambda: not processes_with(f"CHAOS_TRACE={self.trace}"))

    def _ways(self) -> list[Callable[[subprocess.Popen[bytes]], str]]:
        ways = [self._after_a_while, self._after_some_lines, self._after_a_commit, self._stopped_first]
        # A node has three system retries: one that is hit each time must still get through.
        return ways if self.child_kills >= 3 else [*ways, self._worker, self._driver]

    def _after_a_while(self, process: subprocess.Popen[bytes]) -> str:
        time.sleep(self.chance.uniform(0.05, 0.8))
        return self._kill(process, "at any time")

    def _after_some_lines(self, process: subprocess.Popen[bytes]) -> str:
        self.until_lines(process, self.chance.randrange(1, 30))
        return self._kill(process, "after a step")

    def _after_a_commit(self, process: subprocess.Popen[bytes]) -> str:
        log = self.database.with_name(f"{self.database.name}-wal")
        for _ in range(self.chance.randrange(1, 60)):
            before = _written(log)
            while _written(log) == before and process.poll() is None:
                time.sleep(0.0001)
        return self._kill(process, "after a commit", mark=False)

    def _stopped_first(self, process: subprocess.Popen[bytes]) -> str:
        self.until_lines(process, self.chance.randrange(1, 20))
        victims = [process.pid, *children(process.pid)]
        stopped = self.chance.choice(victims)
        with suppress(ProcessLookupError):
            os.kill(stopped, signal.SIGSTOP)
        time.sleep(self.chance.uniform(0.0, 0.05))
        # If it is a worker that stands still, its owner goes on for a moment.
        return self._kill(process, "stopped, then killed", stopped=stopped)

    def _worker(self, process: subprocess.Popen[bytes]) -> str:
        self.until_lines(process, self.chance.randrange(1, 20))
        driver = self._last_driver()
        return self._kill_child([pid for pid in children(process.pid) if pid != driver], "worker")

    def _driver(self, process: subprocess.Popen[bytes]) -> str:
        self.until_lines(process, self.chance.randrange(1, 20))
        driver = self._last_driver()
        return self._kill_child([pid for pid in children(process.pid) if pid == driver], "driver")

    def _kill_child(self, victims: list[int], name: str) -> str:
        if not victims:
            return ""
        self.child_kills += 1
        os.kill(self.chance.choice(victims), signal.SIGKILL)
        return name

    def _kill(self, process: subprocess.Popen[bytes], name: str, *, mark: bool = True, stopped: int = 0) -> str:
        if mark and self.chance.random() < 0.5:
            self.mark()
        if process.poll() is not None:
            return ""
        self.kill(process, stopped=stopped)
        # Looking folds the write-ahead log into the database; the next owner must sometimes do that itself.
        if self.chance.random() < 0.5:
            self.mark()
        return name

    def kill(self, process: subprocess.Popen[bytes], *, stopped: int = 0) -> None:
        """Kill the command, and wait until its workers have gone too. ``stopped`` is one that stands still."""
        process.kill()
        process.wait(LIMIT)
        if stopped and stopped in processes_with(f"CHAOS_TRACE={self.trace}"):
            # A worker that was stopped before it could tie itself to its owner: it must end as soon as it can.
            with suppress(ProcessLookupError):
                os.kill(stopped, signal.SIGCONT)
        wait_until(lambda: not processes_with(f"CHAOS_TRACE={self.trace}"))

    def until_lines(self, process: subprocess.Popen[bytes], more: int) -> None:
        """Wait until the trace has about so many lines more, or the process has ended."""
        goal = _size(self.trace) + more * 24
        while _size(self.trace) < goal and process.poll() is None:
            time.sleep(0.001)

    def _last_driver(self) -> int:
        return next((line.pid for line in reversed(self.lines()) if line.what == "body"), 0)


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def _written(file: Path) -> tuple[int, int]:
    try:
        stat = file.stat()
    except FileNotFoundError:
        return (0, 0)
    return (stat.st_size, stat.st_mtime_ns)


def wait_until(condition: Callable[[], object]) -> None:
    """Poll until ``condition`` holds; fail after ``LIMIT``."""
    until = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.005)


def children(process: int) -> list[int]:
    """The processes that ``process`` has started and that have not ended."""
    found = []
    for task in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(OSError):
            found += [int(pid) for pid in task.read_text().split()]
    return sorted(found)


def processes_with(setting: str) -> list[int]:
    """The processes with this setting in the environment that they were started with."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                if state != "Z" and setting.encode() in (entry / "environ").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found
