"""What a warm process puts back in order between two attempts, so that the second does not meet the first one's
furniture.

Knows: the process's streams, directory and signals. Must not know: attempts. Imported modules and ``os.environ`` are
left as they are: libraries keep what they know there.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable
from typing import Any


class House:
    """The state of the process when it was made; ``tidy`` brings it back. In the main thread."""

    def __init__(self, on_terminate: Callable[[int, Any], None]) -> None:
        self._on_terminate = on_terminate
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._directory = os.getcwd()
        self._flush_c = _c_streams_flush()

    def flush(self) -> None:
        """Everything that was printed is in the descriptors, whoever's buffers it was in."""
        for stream in {id(one): one for one in (sys.stdout, sys.stderr, *self._streams[1:])}.values():
            try:
                stream.flush()
            except (AttributeError, OSError, ValueError):
                # It was closed, or something was put in its place that is no stream: nothing is left to flush.
                continue
        self._flush_c()

    def tidy(self) -> None:
        """Put streams, working directory and the handler of SIGTERM back."""
        sys.stdin, sys.stdout, sys.stderr = self._streams
        try:
            if os.getcwd() != self._directory:
                os.chdir(self._directory)
        except OSError:
            # The directory is gone: there is nowhere to go back to, and nothing of ours needs it.
            pass
        if signal.getsignal(signal.SIGTERM) != self._on_terminate:
            signal.signal(signal.SIGTERM, self._on_terminate)


def _c_streams_flush() -> Callable[[], object]:
    """What flushes the C library's own streams, where its name for "all of them" can be found."""
    try:
        flush = ctypes.CDLL(None).fflush
    except (OSError, AttributeError):
        return lambda: None
    flush.argtypes = [ctypes.c_void_p]
    return lambda: flush(None)
