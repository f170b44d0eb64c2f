"""What an attempt prints, as text with an owner.

Two ways. A worker that runs one attempt at a time has its descriptors 1 and 2 read from outside, so that C libraries
and child processes are heard too: ``PipeText`` makes text of those bytes. Where several attempts share a process,
``sys.stdout`` and ``sys.stderr`` are replaced by streams that ask whose thread or task is writing.
Knows: text streams. Must not know: transports, attempts.
"""

from __future__ import annotations

import codecs
import io
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

from whimbrel.runtime.masking import Mask
from whimbrel.runtime.records import RecordHandler

Sink = Callable[[str, str, str], None]
"""Takes a stream's name (``stdout``, ``stderr``, ``log``), text, and the level of a log record ("" for others)."""

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


_OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\n])")
"""The part of a line that a terminal would have written over."""


def settled(text: str) -> str:
    """``text`` as a terminal would leave it: a progress bar that redraws its line a thousand times is one line.

    A carriage return at the end stays: what follows may be the end of the line.
    """
    return _OVERWRITTEN.sub("", text.replace("\r\n", "\n"))


class LineBuffer:
    """Gathers what one attempt writes and hands it on by whole lines, or by pieces of ``PIECE`` characters.
    Thread-safe. Lines that are drawn over (by carriage returns) are handed on as they end; ``mask`` hides secrets.
    """

    def __init__(self, sink: Sink, *, mask: Mask | None = None) -> None:
        self._sink = sink
        self._mask = mask or Mask()
        self._held: dict[str, str] = {}
        self._redrawn: set[str] = set()
        # A handler of signals, or of the collector, may print in the midst of a print.
        self._lock = threading.RLock()

    def write(self, stream: str, text: str) -> None:
        """Take ``text``."""
        text = _encodable(text)
        with self._lock:
            held = self._held.pop(stream, "") + text
            _, line_end, last = text.rpartition("\n")
            if line_end:
                self._redrawn.discard(stream)
            if "\r" in last:
                self._redrawn.add(stream)
            if "\r" in held:
                held = settled(held)
            if self._mask:
                held = self._mask.text(held)
            end = held.rfind("\n") + 1
            if len(held) - end >= PIECE:
                end = len(held) - self._mask.begun(held)
            if end < len(held):
                self._held[stream] = held[end:]
            for start in range(0, end, PIECE):
                self._sink(stream, held[start : min(start + PIECE, end)], "")

    def record(self, level: str, text: str) -> None:
        """Take a log record, behind all that was written before it."""
        with self._lock:
            self.flush("stdout")
            self.flush("stderr")
            text = self._mask.text(_encodable(text.rstrip("\n"))) + "\n"
            for start in range(0, len(text), PIECE):
                self._sink("log", text[start : start + PIECE], level)

    def flush(self, stream: str) -> None:
        """Hand on an unfinished line of ``stream``, unless it is being drawn over or may be half a secret."""
        with self._lock:
            if stream in self._redrawn or not (held := self._held.pop(stream, "")):
                return
            if kept := self._mask.begun(held):
                self._held[stream] = held[-kept:]
                held = held[:-kept]
            if held:
                self._sink(stream, held, "")

    def close(self) -> None:
        """Hand on all that is left."""
        with self._lock:
            self._redrawn.clear()
            for stream in ("stdout", "stderr"):
                if held := self._held.pop(stream, ""):
                    self._sink(stream, held, "")


def _encodable(text: str) -> str:
    if text.isascii():
        return text
    # A lone surrogate (an undecodable file name) is printable, but no wire and no store would take it.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class Capture:
    """Streams in place of ``sys.stdout`` and ``sys.stderr``, from ``install`` to ``restore``.

    What is written goes to the buffer of the thread (``owned_by``), else to the one that ``ask`` answers with, else to
    the real stream.
    """

    def __init__(self, ask: Callable[[], LineBuffer | None] | None = None) -> None:
        self._ask = ask
        self._thread = threading.local()
        self._records = RecordHandler(self._owner)
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
            self._records.install()

    def restore(self) -> None:
        """Put the real streams back, unless somebody else has replaced ours since."""
        if self._replaced is not None and self._installed is not None:
            if sys.stdout is self._installed[0]:
                sys.stdout = self._replaced[0]
            if sys.stderr is self._installed[1]:
                sys.stderr = self._replaced[1]
            self._records.remove()
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
