"""Messages survive any cutting of the stream, and a stream out of step is noticed."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whimbrel.model.attempt import Cancel, Deliver, Frame, Heartbeat, Hello, Instruction, Shutdown, Succeeded
from whimbrel.model.literals import IntLiteral, ListLiteral, StrLiteral
from whimbrel.model.run import AttemptId, Done, Entry, EntryKind
from whimbrel.runtime import frames
from whimbrel.runtime.frames import BrokenFrame, Splitter, WorkerChannel, encode_frame

ATTEMPT = AttemptId("r1", "n0", 1)
MESSAGES = [
    Hello(7),
    Heartbeat(1.5),
    Succeeded(ATTEMPT, {"o0": ListLiteral((IntLiteral(1), StrLiteral("é")))}, 2.0),
]


@given(st.lists(st.integers(0, 200)))
def test_any_cutting_gives_the_same_messages(cuts: list[int]) -> None:
    stream = b"".join(bytes(encode_frame(message)) for message in MESSAGES)
    splitter = Splitter(Frame)
    bounds = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    heard = [message for start, stop in itertools.pairwise(bounds) for message in splitter.feed(stream[start:stop])]
    assert heard == MESSAGES


def test_a_length_that_cannot_be_is_refused() -> None:
    with pytest.raises(BrokenFrame, match="out of step"):
        Splitter(Frame).feed(b"HTTP/1.1 400 Bad Request")


@pytest.mark.parametrize("body", [b"\xc1", b"\x80", b"\x81\xa4type\xa3sit"])
def test_what_is_no_message_is_refused(body: bytes) -> None:
    with pytest.raises(BrokenFrame, match="cannot be read"):
        Splitter(Frame).feed(len(body).to_bytes(4, "big") + body)


def test_a_message_that_is_too_large_is_refused_by_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "LARGEST", 100)
    with pytest.raises(BrokenFrame, match="larger than 100"):
        encode_frame(Succeeded(ATTEMPT, {"o0": StrLiteral("x" * 200)}, 0.0))


@pytest.fixture
def ends() -> Iterator[tuple[WorkerChannel, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield WorkerChannel(theirs), ours


def test_a_channel_hears_instructions_in_order_until_the_end(ends: tuple[WorkerChannel, socket.socket]) -> None:
    channel, host = ends
    entry = Entry("n0", "1", EntryKind.CALL, outcome=Done({"o0": IntLiteral(3)}), seq=1)
    said: list[Instruction] = [Cancel(ATTEMPT, "enough"), Deliver(ATTEMPT, (entry,)), Shutdown()]
    host.sendall(b"".join(bytes(encode_frame(one)) for one in said))
    host.close()
    assert [channel.receive() for _ in said] == said
    assert channel.receive() is None


def test_a_channel_speaks_frames(ends: tuple[WorkerChannel, socket.socket]) -> None:
    channel, host = ends
    channel.send(Hello(1))
    assert Splitter(Frame).feed(host.recv(4096)) == [Hello(1)]
