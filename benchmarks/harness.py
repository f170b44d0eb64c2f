"""What every benchmark shares: peers in environments of their own, repeated runs, one JSON line a figure, and the
table.

A figure is a ratio between two subjects that ran in turn, in the same minutes, on the same machine. A subject is a
script in ``subjects/``; it warms up, repeats, and prints one JSON object: ``{"figure": [seconds, ...]}``.
"""

from __future__ import annotations

import http.client
import json
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).resolve().parent
ENVIRONMENTS = HERE / ".environments"
ENVIRONMENTS.mkdir(exist_ok=True)
REPETITIONS = 5


def peer(name: str, *requirements: str) -> Path:
    """The interpreter of an environment that holds ``requirements``; installed when it is not there yet."""
    home = ENVIRONMENTS / name
    python = home / "bin" / "python"
    stamp = home / "requirements.txt"
    wanted = "\n".join(requirements)
    if not (stamp.is_file() and stamp.read_text() == wanted):
        uv = Path(sys.executable).parent / "uv"
        subprocess.run([str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(home)], check=True)
        subprocess.run(
            [str(uv), "pip", "install", "--quiet", "--compile-bytecode", "--python", str(python), *requirements],
            check=True,
        )
        stamp.write_text(wanted)
    return python


def environment(**more: str) -> dict[str, str]:
    """The environment of a subject. Byte code is kept, as it is on a user's machine."""
    ours = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**ours, "PYTHONWARNINGS": "ignore", **more}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Serving(NamedTuple):
    """A server that runs: the process that leads its session, and the seconds from its start to its being ready."""

    pid: int
    seconds: float

    def processes(self) -> list[Path]:
        """The directories in /proc of it and of all that it has started, those in sessions of their own included."""
        parents: dict[int, int] = {}
        found = {self.pid}
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with suppress(OSError):
                    parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                    if os.getsid(int(entry.name)) == self.pid:
                        found.add(int(entry.name))
        while more := {pid for pid, parent in parents.items() if parent in found} - found:
            found |= more
        return [Path("/proc", str(pid)) for pid in sorted(found)]

    def memory(self) -> float:
        """MiB of all its processes now; pages that several share are counted once (PSS)."""
        kibibytes = 0
        for process in self.processes():
            # One that has just ended has none.
            with suppress(OSError):
                lines = (process / "smaps_rollup").read_text().splitlines()
                kibibytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return kibibytes / 1024

    def resident(self) -> float:
        """MiB of the first process alone (RSS)."""
        status = Path("/proc", str(self.pid), "status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in status if line.startswith("VmRSS:")) / 1024


@contextmanager
def server(command: list[str], ready: Callable[[], bool], **variables: str) -> Iterator[Serving]:
    """A server on loopback, stopped at the end. ``ready`` is asked every 10 ms."""
    with tempfile.TemporaryFile() as log:
        begin = time.perf_counter()
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment(**variables), start_new_session=True
        )
        try:
            while not ready():
                if process.poll() is not None or time.perf_counter() > begin + 180:
                    log.seek(0)
                    raise SystemExit(f"{command[0]} did not start:\n{log.read().decode(errors='replace')}")
                time.sleep(0.01)
            yield Serving(process.pid, time.perf_counter() - begin)
        finally:
            for sign in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                    break
            # Some leave processes behind that ignored the first signal.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def version(python: Path | str, distribution: str) -> str:
    """The installed version of a distribution."""
    code = f"from importlib.metadata import version; print(version({distribution!r}))"
    return subprocess.run([str(python), "-c", code], check=True, capture_output=True, text=True).stdout.strip()


def subject(python: Path | str, script: str, *args: str, **variables: str) -> dict[str, list[float]]:
    """Run a subject and read its figures. What it printed goes to our stderr if it fails."""
    done = subprocess.run(
        [str(python), str(HERE / "subjects" / script), *args],
        capture_output=True,
        text=True,
        check=False,
        env=environment(**variables),
    )
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    # Temporal's library aborts the interpreter at its exit, after the work is done.
    if not lines or (done.returncode and done.returncode != -signal.SIGABRT):
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(f"{script} ended with {done.returncode}")
    figures: dict[str, list[float]] = json.loads(lines[-1])
    return figures


def figures_of(script: str, *args: str) -> dict[str, dict[str, Any]]:
    """The figures of a script that prints a JSON line for each, by name."""
    done = subprocess.run(
        [sys.executable, str(HERE / script), *args], capture_output=True, text=True, check=False, env=environment()
    )
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(f"{script} ended with {done.returncode}")
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return {row.get("figure") or row["name"]: row for row in rows if "median" in row}


def healthy(url: str) -> bool:
    """Whether ``url`` answers 200."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False


class Table:
    """The rows of one gate."""

    def __init__(self, gate: str, title: str) -> None:
        self.gate = gate
        self.title = title
        self.rows: list[dict[str, Any]] = []

    def add(
        self, what: str, ours: list[float], theirs: list[float], *, than: str, goal: float, unit: str = "s"
    ) -> None:
        """A figure: our times against theirs, as the ratio of the medians. ``goal`` is the largest ratio that meets
        the gate."""
        our, their = statistics.median(ours), statistics.median(theirs)
        ratio = our / their if their else float("nan")
        row = {
            "gate": self.gate,
            "what": what,
            "ours": our,
            "spread": [min(ours), max(ours)],
            "than": than,
            "theirs": their,
            "their_spread": [min(theirs), max(theirs)],
            "ratio": round(ratio, 4),
            "goal": goal,
            "met": ratio <= goal,
            "unit": unit,
        }
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def note(self, what: str, text: str) -> None:
        """Something measured that is not a ratio."""
        row = {"gate": self.gate, "what": what, "note": text}
        self.rows.append(row)
        print(json.dumps(row), flush=True)

    def markdown(self) -> str:
        """The table as it stands in RESULTS.md."""
        lines = [
            f"## {self.gate}: {self.title}",
            "",
            "| what | whimbrel | against | its figure | ratio | goal | met |",
            "|---|---|---|---|---|---|---|",
        ]
        notes = []
        for row in self.rows:
            if "note" in row:
                notes.append(f"* {row['what']}: {row['note']}")
                continue
            ours, theirs = (_with_spread(row[who], row[spread], row["unit"]) for who, spread in _SIDES)
            met = "yes" if row["met"] else "**no**"
            cells = (row["what"], ours, row["than"], theirs, f"{row['ratio']:.3g}", f"≤ {row['goal']:.3g}", met)
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join([*lines, "", *notes, *([""] if notes else [])])


_SIDES = (("ours", "spread"), ("theirs", "their_spread"))


def _with_spread(median: float, spread: list[float], unit: str) -> str:
    def said(figure: float) -> str:
        return quantity(figure) if unit == "s" else f"{figure:.3g} {unit}"

    return f"{said(median)} ({said(spread[0])} to {said(spread[1])})"


def quantity(seconds: float) -> str:
    """A time as a person reads it."""
    for limit, factor, unit in ((1e-3, 1e6, "µs"), (1.0, 1e3, "ms")):
        if abs(seconds) < limit:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds:.3g} s"


def machine() -> str:
    """One line on where this ran."""
    model = "unknown processor"
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                model = line.partition(":")[2].strip()
                break
    return (
        f"{model}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, Python {platform.python_version()}"
    )
