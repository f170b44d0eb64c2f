"""Servers as people have them: `whimbrel up` in a process of its own, on a free port, stopped by whoever started it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

SCRIPT = str(Path(sys.executable).with_name("whimbrel"))
FLOWS = Path(__file__).with_name("flow_programs.py")
LIMIT = 60.0
"""Seconds after which something hangs."""


class Up:
    """A server that runs."""

    def __init__(self, home: Path, *options: str) -> None:
        begun = time.perf_counter()
        self.errors = home.parent / f"{home.name}.stderr"
        with self.errors.open("ab") as errors:
            self.process = subprocess.Popen(
                [SCRIPT, "up", "--port", "0", "--home", str(home), *options],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env={key: value for key, value in os.environ.items() if not key.startswith("WHIMBREL_")},
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline()
        self.seconds = time.perf_counter() - begun
        assert said.startswith("whimbrel is ready at http://localhost:"), said + self.errors.read_text()
        self.url = said.split()[-1]
        self.port = int(self.url.rpartition(":")[2])
        self.http = httpx.Client(base_url=self.url, timeout=LIMIT)

    def get(self, path: str, **parameters: Any) -> Any:
        """The JSON at ``path`` of REST."""
        answer = self.http.get(f"/api/v1{path}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal, and give the exit code."""
        self.process.send_signal(number)
        return self.left()

    def left(self) -> int:
        code = self.process.wait(LIMIT)
        self.http.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


@contextmanager
def up(home: Path, *options: str) -> Iterator[Up]:
    """A server on the home, until the end of the block."""
    server = Up(home, *options)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.kill()
        server.left()


def run(home: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """`whimbrel run` of a program, under way."""
    return subprocess.Popen(
        [SCRIPT, "run", "--home", str(home), "--quiet", str(FLOWS), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def until(condition: Callable[[], Any]) -> Any:
    """What ``condition`` gives once it gives something."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError("it has not come to that")


def killed_in_the_middle(home: Path, door: Path) -> None:
    """Leave a run in the home whose second task has begun when its process was killed."""
    running = run(home, "waits", "--x", "2", "--door", str(door))
    begun = Path(f"{door}.begun")
    try:
        until(begun.exists)
    finally:
        running.kill()
        running.wait(LIMIT)
    begun.unlink()


def leave_at_the_gate(home: Path) -> None:
    """Leave a run in the home that waits for somebody, and that nobody drives."""
    running = run(home, "asks", "--x", "2")

    def waits() -> bool:
        said = subprocess.run(
            [SCRIPT, "approve", "latest", "--json", "--home", str(home)], capture_output=True, text=True, timeout=LIMIT
        )
        return '"gate"' in said.stdout

    try:
        until(waits)
    finally:
        running.kill()
        running.wait(LIMIT)
