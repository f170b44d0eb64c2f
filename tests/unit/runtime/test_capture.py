"""What is printed has an owner: the thread's, else the caller's, else nobody."""

from __future__ import annotations

import io
import logging
import sys
import threading
from collections.abc import Callable

import pytest

from whimbrel.model.secrets import SecretValue
from whimbrel.runtime.capture import PIECE, Capture, LineBuffer, PipeText
from whimbrel.runtime.masking import Mask
from whimbrel.runtime.records import RecordHandler


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
    buffer = LineBuffer(lambda stream, text, _level: heard.append((stream, text)))
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
        with capture.owned_by(LineBuffer(lambda _stream, text, _level: heard[name].append(text))):
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
    answer: list[LineBuffer] = [LineBuffer(lambda _stream, text, _level: heard.append(text))]
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


def heard_by(*, secret: bytes = b"") -> tuple[LineBuffer, list[tuple[str, str, str]]]:
    heard: list[tuple[str, str, str]] = []
    mask = Mask([SecretValue("g", "k", secret)] if secret else [])
    return LineBuffer(lambda *said: heard.append(said), mask=mask), heard


def test_a_line_that_is_drawn_over_is_one_line() -> None:
    buffer, heard = heard_by()
    for percent in range(0, 101, 5):
        buffer.write("stderr", f"\r{percent:3}%|####")
        buffer.flush("stderr")
    assert heard == []
    buffer.write("stderr", "\n")
    buffer.write("stderr", "windows\r\nlines\r\n")
    assert [text for _, text, _ in heard] == ["100%|####\n", "windows\nlines\n"]
    buffer.write("stderr", "before\n\r  1%")
    buffer.flush("stderr")
    assert heard[-1][1] == "before\n"
    buffer.close()
    assert heard[-1][1] == "  1%"


def test_a_log_record_stands_behind_what_was_printed_before_it() -> None:
    buffer, heard = heard_by()
    buffer.write("stdout", "no end of line")
    buffer.record("INFO", "x: hello\nworld")
    buffer.write("stdout", " yet\n")
    assert heard == [("stdout", "no end of line", ""), ("log", "x: hello\nworld\n", "INFO"), ("stdout", " yet\n", "")]


def test_a_secret_is_masked_however_it_is_printed() -> None:
    buffer, heard = heard_by(secret=b"hunter2-and-more")
    for character in "it is hunter2-and-more, really\n":
        buffer.write("stdout", character)
        buffer.flush("stdout")
    buffer.record("WARNING", "hunter2-and-more")
    buffer.write("stderr", "x" * (PIECE - 5) + "hunter2-and-more" + "y" * 20)
    buffer.close()
    text = "".join(text for _, text, _ in heard)
    assert "hunter2" not in text
    assert text == "it is ***, really\n***\n" + "x" * (PIECE - 5) + "***" + "y" * 20


def test_log_records_reach_the_attempt_with_their_levels() -> None:
    buffer, heard = heard_by()
    handler = RecordHandler(lambda: buffer)
    before = logging.lastResort
    handler.install()
    try:
        assert logging.lastResort is not before
        record = logging.LogRecord("lib", logging.ERROR, "f.py", 1, "bad %s", ("luck",), None)
        logging.lastResort.handle(record)
        broken = logging.LogRecord("lib", logging.ERROR, "f.py", 1, "bad %d", ("luck",), None)
        handler.handleError = lambda _record: None  # type: ignore[method-assign]  # it would print
        handler.handle(broken)
    finally:
        handler.remove()
    assert logging.lastResort is before
    assert heard == [("log", "lib: bad luck\n", "ERROR")]
