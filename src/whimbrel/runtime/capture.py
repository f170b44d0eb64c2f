"""What an attempt prints, as text with an owner.

Two ways. A worker that runs one attempt at a time has its descriptors 1 and 2 read from outside, so that C libraries
and child processes are heard too: ``PipeText`` makes text of those bytes. Where several attempts share a process,
``sys.stdout`` and ``sys.stderr`` are replaced by streams that ask whose thread or task is writing.
Knows: text streams. Must not know: transports, attempts.
"""

from __future__ import annotations

import codecs
import io
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

Sink = Callable[[str, str], None]
"""Takes a stream's name (``stdout``, ``stderr``) and text."""

PIECE = 8 * 1024
"""Characters after which an unfinished line is handed on: a progress bar without newlines must show, a row of the log
must stay small.
"""


class PipeText:
    """Bytes of one pipe to text: UTF-8, what is not becomes U+FFFD; a character cut in two is put together again."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def feed(self, data: bytes, *, final: bool = False) -> str:
        """The text that is complete now; with ``final``, all of it."""
        text = self._decoder.decode(data, final)
        if final:
            self._decoder.reset()
        return text


class LineBuffer:
    """Gathers what one attempt writes and hands it on by whole lines, or by pieces of ``PIECE`` characters.
    Thread-safe.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._held: dict[str, str] = {}
        self._lock = threading.Lock()

    def write(self, stream: str, text: str) -> None:
        """Take ``text``."""
        if not text.isascii():
            # A lone surrogate (an undecodable file name) is printable, but no wire and no store would take it.
            text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        with self._lock:
            held = self._held.pop(stream, "") + text
            end = len(held) if len(held) >= PIECE else held.rfind("\n") + 1
            if end < len(held):
                self._held[stream] = held[end:]
            for start in range(0, end, PIECE):
                self._sink(stream, held[start : min(start + PIECE, end)])

    def flush(self, stream: str) -> None:
        """Hand on an unfinished line of ``stream``."""
        with self._lock:
            if held := self._held.pop(stream, ""):
                self._sink(stream, held)

    def close(self) -> None:
        """Hand on all that is left."""
        for stream in ("stdout", "stderr"):
            self.flush(stream)


class Capture:
    """Streams in place of ``sys.stdout`` and ``sys.stderr``, from ``install`` to ``restore``.

    What is written goes to the buffer of the thread (``owned_by``), else to the one that ``ask`` answers with, else to
    the real stream.
    """

    def __init__(self, ask: Callable[[], LineBuffer | None] | None = None) -> None:
        self._ask = ask
        self._thread = threading.local()
        self._replaced: tuple[TextIO, TextIO] | None = None
        self._installed: tuple[TextIO, TextIO] | None = None

    def install(self) -> None:
        """Replace the streams; once is enough."""
        if self._replaced is None:
            self._replaced = (sys.stdout, sys.stderr)
            ours = (_Routed("stdout", sys.stdout, self._owner), _Routed("stderr", sys.stderr, self._owner))
            # A text stream in all but the many parents of TextIO.
            self._installed = cast(tuple[TextIO, TextIO], ours)
            sys.stdout, sys.stderr = self._installed

    def restore(self) -> None:
        """Put the real streams back, unless somebody else has replaced ours since."""
        if self._replaced is not None and self._installed is not None:
            if sys.stdout is self._installed[0]:
                sys.stdout = self._replaced[0]
            if sys.stderr is self._installed[1]:
                sys.stderr = self._replaced[1]
            self._replaced = self._installed = None

    @contextmanager
    def owned_by(self, buffer: LineBuffer) -> Iterator[None]:
        """Everything that this thread writes belongs to ``buffer``, which is closed at the end."""
        before = getattr(self._thread, "buffer", None)
        self._thread.buffer = buffer
        try:
            yield
        finally:
            self._thread.buffer = before
            buffer.close()

    def _owner(self) -> LineBuffer | None:
        owner: LineBuffer | None = getattr(self._thread, "buffer", None)
        if owner is None and self._ask is not None:
            owner = self._ask()
        return owner


class _Routed(io.TextIOBase):
    """A text stream that asks at each write whose it is."""

    def __init__(self, stream: str, real: TextIO, owner: Callable[[], LineBuffer | None]) -> None:
        self._stream = stream
        self._real = real
        self._owner = owner

    @property
    def name(self) -> str:
        return f"<{self._stream}>"

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        return "replace"

    @property
    def buffer(self) -> _RoutedBytes:
        """For those who write bytes."""
        return _RoutedBytes(self)

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        owner = self._owner()
        if owner is None:
            return self._real.write(text)
        owner.write(self._stream, text)
        return len(text)

    def flush(self) -> None:
        owner = self._owner()
        if owner is None:
            self._real.flush()
        else:
            owner.flush(self._stream)

    def fileno(self) -> int:
        return self._real.fileno()

    def isatty(self) -> bool:
        return self._owner() is None and self._real.isatty()

    def reconfigure(self, **_options: Any) -> None:
        """Accepted, as a real stream does; text is text here, so there is nothing to change."""


class _RoutedBytes(io.RawIOBase):
    def __init__(self, text: _Routed) -> None:
        self._text = text

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        piece = bytes(data)
        self._text.write(piece.decode("utf-8", "replace"))
        return len(piece)

    def flush(self) -> None:
        self._text.flush()
