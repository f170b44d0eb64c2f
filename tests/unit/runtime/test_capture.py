"""What is printed has an owner: the thread's, else the caller's, else nobody."""

from __future__ import annotations

import io
import sys
import threading
from collections.abc import Callable

import pytest

from whimbrel.runtime.capture import PIECE, Capture, LineBuffer, PipeText


def test_a_character_cut_in_two_is_put_together() -> None:
    pipe = PipeText()
    data = "né\n".encode()
    assert pipe.feed(data[:2]) + pipe.feed(data[2:]) == "né\n"


def test_what_is_not_utf8_shows_as_such() -> None:
    pipe = PipeText()
    assert pipe.feed(b"a\xff") == "a�"
    assert pipe.feed(b"\xc3") == ""
    assert pipe.feed(b"", final=True) == "�"
    assert pipe.feed(b"next") == "next"


def test_lines_are_whole_and_pieces_are_bounded() -> None:
    heard: list[tuple[str, str]] = []
    buffer = LineBuffer(lambda stream, text: heard.append((stream, text)))
    buffer.write("stdout", "one\ntw")
    buffer.write("stderr", "err")
    buffer.write("stdout", "o\nthree")
    assert heard == [("stdout", "one\n"), ("stdout", "two\n")]
    buffer.flush("stdout")
    assert heard[-1] == ("stdout", "three")
    buffer.write("stdout", "x" * (2 * PIECE + 1))
    assert [len(text) for _, text in heard[3:]] == [PIECE, PIECE, 1]
    buffer.close()
    assert heard[-1] == ("stderr", "err")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[], io.StringIO]:
    """Puts a stream in place of stdout; inside the test, because pytest puts its own there between set-up and test."""

    def replace() -> io.StringIO:
        stream = io.StringIO()
        monkeypatch.setattr(sys, "stdout", stream)
        return stream

    return replace


def test_threads_are_told_apart_and_the_rest_passes(stand_in: Callable[[], io.StringIO]) -> None:
    real = stand_in()
    heard: dict[str, list[str]] = {"a": [], "b": []}
    capture = Capture()
    capture.install()
    together = threading.Barrier(2, timeout=10)

    def work(name: str) -> None:
        with capture.owned_by(LineBuffer(lambda _stream, text: heard[name].append(text))):
            for number in range(3):
                together.wait()
                print(name, number)
            sys.stdout.buffer.write(name.encode())

    threads = [threading.Thread(target=work, args=(name,)) for name in heard]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print("mine")
    capture.restore()
    assert sys.stdout is real
    assert real.getvalue() == "mine\n"
    assert heard == {name: [f"{name} 0\n", f"{name} 1\n", f"{name} 2\n", name] for name in heard}


def test_a_writer_without_a_thread_of_its_own_is_asked_for(stand_in: Callable[[], io.StringIO]) -> None:
    real = stand_in()
    heard: list[str] = []
    answer: list[LineBuffer] = [LineBuffer(lambda _stream, text: heard.append(text))]
    capture = Capture(lambda: answer[0] if answer else None)
    capture.install()
    print("to the attempt")
    answer.clear()
    print("to the terminal")
    capture.restore()
    assert heard == ["to the attempt\n"]
    assert real.getvalue() == "to the terminal\n"


def test_streams_that_somebody_else_replaced_are_left_alone(stand_in: Callable[[], io.StringIO]) -> None:
    stand_in()
    capture = Capture()
    capture.install()
    theirs = io.StringIO()
    sys.stdout = theirs
    capture.restore()
    assert sys.stdout is theirs
