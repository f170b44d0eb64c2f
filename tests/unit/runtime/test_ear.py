"""Exactly one thread listens at a time, and what is said is heard by one of them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from whimbrel.runtime.ear import Ear


class Line:
    """A channel of single bytes."""

    def __init__(self) -> None:
        self.far, self.near = socket.socketpair()
        self.pending = False
        self.heard: list[tuple[str, bytes]] = []
        self.news = threading.Event()

    def fileno(self) -> int:
        return self.near.fileno()

    def hear(self) -> None:
        self.heard.append((threading.current_thread().name, self.near.recv(1)))
        self.news.set()


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    with made.far, made.near:
        yield made


def test_the_listener_hears_while_a_task_runs_and_only_then(line: Line) -> None:
    ear = Ear(line)
    stop = threading.Event()

    def listen() -> None:
        while not stop.is_set():
            ear.borrow(line.hear)

    listener = threading.Thread(target=listen, name="listener", daemon=True)
    listener.start()
    for _ in range(3):
        line.news.clear()
        ear.lend()
        line.far.send(b"b")
        assert line.news.wait(10), "heard while the task runs"
        ear.take_back()
        line.far.send(b"i")
        line.hear()
    stop.set()
    ear.lend()
    ear.take_back()
    listener.join(10)
    assert not listener.is_alive()
    ear.close()
    assert [name for name, _ in line.heard] == ["listener", "MainThread"] * 3


def test_short_tasks_keep_the_ear(line: Line) -> None:
    ear = Ear(line)
    for _ in range(1000):
        ear.lend()
        ear.take_back()
        line.far.send(b"x")
        line.hear()
    assert {name for name, _ in line.heard} == {"MainThread"}
    ear.close()
