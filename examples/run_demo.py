"""The demonstration, through the real command line: two workflows, what ran, and a kill that loses nothing.

    .venv/bin/python examples/run_demo.py

Everything it keeps is in a temporary home. Exits 0 when all went as it should.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SCRIPT = Path(sys.executable).with_name("whimbrel")
COMMAND = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "whimbrel.cli.main"]
LIMIT = 60.0


def title(text: str) -> None:
    """A heading."""
    print(f"\n=== {text}", flush=True)


def whimbrel(*arguments: str, code: int = 0) -> str:
    """Run a command, show it and what it says; its stdout."""
    print(f"\n$ whimbrel {shlex.join(arguments)}", flush=True)
    done = subprocess.run([*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, timeout=LIMIT)
    print(done.stdout, end="", flush=True)
    if done.returncode != code:
        sys.exit(f"that should have ended with {code}, and ended with {done.returncode}")
    return done.stdout


def look(run: str) -> dict[str, Any]:
    """A run as `describe --json` has it; empty while there is none."""
    done = subprocess.run(
        [*COMMAND, "describe", run, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=LIMIT
    )
    return json.loads(done.stdout) if done.returncode == 0 else {}


def finished(run: str) -> dict[str, int]:
    """The tasks that have succeeded, and in how many attempts."""
    nodes = look(run).get("nodes", [])
    return {
        node["path"]: len(node["attempts"]) for node in nodes if node["kind"] == "task" and node["phase"] == "SUCCEEDED"
    }


def kill_and_resume() -> None:
    """Kill a run with SIGKILL in its middle, and carry on."""
    arguments = [
        "run",
        "examples/calibration.py",
        "calibrate",
        "--sensors",
        "6",
        "--pause",
        "0.3",
        "--run-id",
        "killed",
    ]
    print(f"\n$ whimbrel {shlex.join(arguments)} &", flush=True)
    victim = subprocess.Popen([*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + LIMIT
        while len(finished("killed")) < 4 and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        print(f"$ kill -9 {victim.pid}", flush=True)
        victim.kill()
        victim.wait()
    before = finished("killed")
    output = whimbrel("resume", "killed")
    after = finished("killed")
    whimbrel("describe", "killed")
    again = [path for path, attempts in before.items() if after.get(path) != attempts]
    if again:
        sys.exit(f"these had finished, and ran again: {', '.join(again)}")
    rest = len(after) - len(before)
    print(f"\n{len(before)} tasks had finished when it was killed: none of them ran again, only the other {rest} did.")
    if set(json.loads(output)) != {f"sensor {sensor}" for sensor in (0, 1, 2, 4, 5)}:
        sys.exit("the result is not the one that it should be")


def main() -> None:
    """All of it."""
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="whimbrel-demo-") as scratch:
        os.environ["WHIMBREL_HOME"] = str(Path(scratch, "home"))
        title("An eager workflow: loops, conditions and exceptions decide what runs")
        whimbrel("run", "examples/calibration.py", "calibrate", "--sensors", "5")
        whimbrel("describe", "latest")
        title("A static workflow, with a decorator that puts one task before it and one behind")
        whimbrel("compile", "examples/ledger.py", "close_day")
        whimbrel("run", "examples/ledger.py", "close_day", "--day", "2024-05-17")
        whimbrel("describe", "latest")
        title("kill -9, and carry on")
        kill_and_resume()
        title("What is kept")
        whimbrel("runs")
    print(f"\nall as it should be, in {time.monotonic() - begin:.1f} s")


if __name__ == "__main__":
    main()
