"""The command line as a person has it: real processes, a directory of their own, exit codes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

SCRIPT = str(Path(sys.executable).with_name("whimbrel"))
FLOWS = Path(__file__).with_name("flows.py")

LIMIT = 60.0
"""Seconds after which something hangs. Everything here takes less than ten."""


class Result(NamedTuple):
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Shell:
    """Runs commands in ``directory``; ``notes`` is where the tasks of flows.py leave traces."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.notes = directory / "notes"
        self.notes.mkdir()
        self.environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("WHIMBREL_")},
            "FLOW_NOTES": str(self.notes),
            "COLUMNS": "200",
        }

    def __call__(
        self, *arguments: object, code: int | None = 0, setup: Callable[[], None] | None = None, **environment: str
    ) -> Result:
        """Run a command to its end; it must end with ``code`` unless that is ``None``."""
        done = subprocess.run(
            [SCRIPT, *map(str, arguments)],
            cwd=self.directory,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            preexec_fn=setup,
        )
        result = Result(done.returncode, done.stdout, done.stderr)
        assert code is None or result.code == code, result
        return result

    @contextmanager
    def started(
        self, *arguments: object, stdout: int = subprocess.PIPE, **environment: str
    ) -> Iterator[subprocess.Popen[str]]:
        """A command that runs beside the test, and ends with the block."""
        process = subprocess.Popen(
            [SCRIPT, *map(str, arguments)],
            cwd=self.directory,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def finish(self, process: subprocess.Popen[str]) -> Result:
        """Wait for the end of a started command."""
        out, err = process.communicate(timeout=LIMIT)
        return Result(process.returncode, out or "", err)

    # --- traces ------------------------------------------------------------------------------------------------------

    def trace(self) -> list[str]:
        """The lines that tasks have appended, in order."""
        file = self.notes / "trace"
        return file.read_text().splitlines() if file.exists() else []

    def release(self) -> None:
        """Let the tasks that wait go on."""
        (self.notes / "released").touch()

    def hold(self) -> None:
        """Let tasks wait again."""
        (self.notes / "released").unlink(missing_ok=True)


def wait_until(condition: Callable[[], object], process: subprocess.Popen[str] | None = None) -> None:
    """Poll until ``condition`` holds; fail when ``process`` ends before, or nothing happens for ``LIMIT``."""
    until = time.monotonic() + LIMIT
    while not condition():
        if process is not None and process.poll() is not None and not condition():
            raise AssertionError(f"it ended too early, with {process.returncode}: {process.communicate()}")
        assert time.monotonic() < until, "nothing happened"
        time.sleep(0.01)


def wait_until_quiet(shell: Shell) -> None:
    """Workers end with the process that started them; until they have, a task may still leave its trace."""
    marker = f"FLOW_NOTES={shell.notes}".encode()

    def nobody_left() -> bool:
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                try:
                    environment = (entry / "environ").read_bytes()
                    state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                except OSError:
                    continue
                if marker in environment.split(b"\0") and state != "Z":
                    return False
        return True

    wait_until(nobody_left)


def only(items: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """Some of the items."""
    return {name: items[name] for name in names}
