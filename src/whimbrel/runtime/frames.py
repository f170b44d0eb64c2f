"""Messages as bytes: four bytes of length, big-endian, then the msgpack of one message.

Knows: the attempt protocol, sockets. Must not know: what a message means, who is at the other end.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

import msgspec

from whimbrel.errors import SystemFault
from whimbrel.model.attempt import Frame, Instruction

LARGEST = 256 * 1024 * 1024
"""Bytes of one message. Outputs beyond 10 KiB travel as references, so a larger length is a stream out of step, not a
message.
"""

_CHUNK = 256 * 1024
_HEAD = 4

_encoder = msgspec.msgpack.Encoder()


class BrokenFrame(SystemFault):
    """The other end sent bytes that are not a message; the connection must be closed."""


def encode_frame(message: Any) -> bytearray:
    """The frame of ``message``. Raises ``BrokenFrame`` when it is larger than ``LARGEST``."""
    frame = bytearray(_HEAD)
    _encoder.encode_into(message, frame, _HEAD)
    size = len(frame) - _HEAD
    if size > LARGEST:
        raise BrokenFrame(f"a message of {size} bytes is larger than {LARGEST}")
    frame[:_HEAD] = size.to_bytes(_HEAD, "big")
    return frame


class Splitter:
    """Cuts a stream of bytes into messages of one kind; it may be fed any pieces."""

    def __init__(self, kind: Any) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._rest = bytearray()

    def feed(self, data: bytes) -> list[Any]:
        """The messages that are complete now. Raises ``BrokenFrame``."""
        rest = self._rest
        if rest:
            rest += data
            view = bytes(rest)
        else:
            view = data
        messages: list[Any] = []
        start, end = 0, len(view)
        while end - start >= _HEAD:
            size = int.from_bytes(view[start : start + _HEAD], "big")
            if size > LARGEST:
                raise BrokenFrame(f"a message claims {size} bytes; the stream is out of step")
            stop = start + _HEAD + size
            if stop > end:
                break
            try:
                messages.append(self._decode(view[start + _HEAD : stop]))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                raise BrokenFrame(f"a message cannot be read: {error}") from error
            start = stop
        if start < end or rest:
            self._rest = bytearray(view[start:])
        return messages


def frames_from_worker() -> Splitter:
    """A splitter for what workers say."""
    return Splitter(Frame)


class WorkerChannel:
    """A worker's blocking end of the connection: any thread may send, one thread reads."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._splitter = Splitter(Instruction)
        self._ready: list[Instruction] = []
        self._sending = threading.Lock()

    def send(self, frame: Frame) -> None:
        """Send one frame. Raises ``OSError`` when the other end is gone."""
        data = encode_frame(frame)
        with self._sending:
            self._connection.sendall(data)

    def receive(self) -> Instruction | None:
        """The next instruction; ``None`` when the other end is gone. Raises ``BrokenFrame``."""
        while not self._ready:
            try:
                data = self._connection.recv(_CHUNK)
            except ConnectionError:
                return None
            if not data:
                return None
            self._ready = self._splitter.feed(data)
            self._ready.reverse()
        return self._ready.pop()

    def fileno(self) -> int:
        """The socket's descriptor, to wait on."""
        return self._connection.fileno()

    @property
    def pending(self) -> bool:
        """Whether ``receive`` would answer without reading from the socket."""
        return bool(self._ready)
