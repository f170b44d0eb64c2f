"""What every benchmark shares: peers in environments of their own, repeated runs, one JSON line a figure, and the
table.

A figure is a ratio between two subjects that ran in turn, in the same minutes, on the same machine. A subject is a
script in ``subjects/``; it warms up, repeats, and prints one JSON object: ``{"figure": [seconds, ...]}``.
"""

from __future__ import annotations

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
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

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


@contextmanager
def server(command: list[str], ready: Callable[[], bool], **variables: str) -> Iterator[None]:
    """A server that a peer needs, on loopback, stopped at the end."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, env=environment(**variables), start_new_session=True
        )
        try:
            deadline = time.monotonic() + 90
            while not ready():
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"{command[0]} did not start:\n{log.read().decode(errors='replace')}")
                time.sleep(0.2)
            yield
        finally:
            for sign in (signal.SIGTERM, signal.SIGKILL):
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, sign)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(10)
                    break


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


def answers(port: int) -> bool:
    """Whether somebody accepts connections on a port of this machine."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
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
            ours = f"{quantity(row['ours'])} ({quantity(row['spread'][0])} to {quantity(row['spread'][1])})"
            theirs = (
                f"{quantity(row['theirs'])} ({quantity(row['their_spread'][0])} to {quantity(row['their_spread'][1])})"
            )
            met = "yes" if row["met"] else "**no**"
            cells = (row["what"], ours, row["than"], theirs, f"{row['ratio']:.3g}", f"≤ {row['goal']:.3g}", met)
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join([*lines, "", *notes, *([""] if notes else [])])


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
