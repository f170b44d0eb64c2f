"""A worker process by itself, spoken to in frames."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from whimbrel.model.attempt import Frame, Heartbeat, Hello, Instruction, Shutdown
from whimbrel.runtime.frames import Splitter, encode_frame

PATIENCE = 60.0


class Process:
    """A worker, its connection and its lifeline."""

    def __init__(self, blobs: Path) -> None:
        self.connection, theirs = socket.socketpair()
        self.connection.settimeout(PATIENCE)
        hold, self.lifeline = os.pipe()
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-P", "-m", "whimbrel.cli.worker", "--blobs", str(blobs)),
                *("--fd", str(theirs.fileno()), "--lifeline", str(hold)),
            ],
            pass_fds=(theirs.fileno(), hold),
            start_new_session=True,
            stderr=subprocess.PIPE,
            text=True,
        )
        theirs.close()
        os.close(hold)
        self._splitter = Splitter(Frame)
        self._heard: list[Frame] = []

    def hear(self) -> Frame:
        """The next frame."""
        while not self._heard:
            self._heard = self._splitter.feed(self.connection.recv(65536))
        return self._heard.pop(0)

    def say(self, instruction: Instruction) -> None:
        """Send an instruction."""
        self.connection.sendall(encode_frame(instruction))

    def end(self) -> int:
        """Wait for the end; the exit code."""
        return self.process.wait(PATIENCE)


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Process]:
    made = Process(tmp_path)
    try:
        yield made
    finally:
        made.process.kill()
        made.process.communicate()
        made.connection.close()
        try:
            os.close(made.lifeline)
        except OSError:
            # The test closed it.
            pass


def test_a_worker_says_hello_and_then_that_it_lives(worker: Process) -> None:
    assert worker.hear() == Hello(worker.process.pid)
    assert isinstance(worker.hear(), Heartbeat)


def test_a_worker_leaves_when_told(worker: Process) -> None:
    worker.hear()
    worker.say(Shutdown())
    assert worker.end() == 0


def test_a_worker_does_not_outlive_its_connection(worker: Process) -> None:
    worker.hear()
    worker.connection.close()
    assert worker.end() == -signal.SIGKILL


@pytest.mark.parametrize("ready", [True, False])
def test_a_worker_does_not_outlive_its_lifeline(worker: Process, ready: bool) -> None:
    if ready:
        worker.hear()
    os.close(worker.lifeline)
    assert worker.end() == -signal.SIGKILL


def test_an_idle_worker_ends_by_the_signal_that_it_gets(worker: Process) -> None:
    worker.hear()
    worker.process.send_signal(signal.SIGTERM)
    assert worker.end() == -signal.SIGTERM


def test_a_worker_that_hears_nonsense_says_so_and_ends(worker: Process) -> None:
    worker.hear()
    worker.connection.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert worker.end() != 0
    assert worker.process.stderr is not None
    assert "out of step" in worker.process.stderr.read()
