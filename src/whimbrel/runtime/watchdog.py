"""Eager bodies that hold their event loop up: a warning with the stack, once for each time.

A body that computes, or blocks, keeps its siblings from running and its timers from firing. One thread looks at all
drivers of the process, a few times in each threshold, for as long as there are any.

Knows: event loops and frames. Must not know: what a body is for.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from whimbrel.errors import InputInvalid

VARIABLE = "WHIMBREL_BLOCKED_LOOP_SECONDS"
"""The threshold; 0 turns the warning off."""

THRESHOLD = 1.0
"""What it is when nothing is said: long enough for an import, short enough to be felt."""

LOOKS = 4
"""Looks in each threshold: a warning comes at most a quarter of it late."""

FRAMES = 12
"""How much of a stack is shown."""

_OURS = ("whimbrel.", "asyncio.", "threading", "selectors")


class Loop(Protocol):
    """What is watched."""

    @property
    def busy_since(self) -> float | None:
        """When it began its present turn, in ``time.monotonic()``; ``None`` while it waits."""
        ...


def threshold() -> float:
    """Seconds from the environment. Raises ``InputInvalid``."""
    text = os.environ.get(VARIABLE, "")
    try:
        seconds = float(text) if text else THRESHOLD
    except ValueError:
        seconds = -1.0
    if not 0.0 <= seconds < float("inf"):
        raise InputInvalid(f"{VARIABLE}={text!r}: give a number of seconds, or 0 for no warning")
    return seconds


class _Watched:
    __slots__ = ("ident", "loop", "seconds", "tell", "told")

    def __init__(self, loop: Loop, seconds: float, tell: Callable[[float, str], None]) -> None:
        self.loop = loop
        self.seconds = seconds
        self.tell = tell
        self.ident = threading.get_ident()
        self.told: float | None = None


class Watchdog:
    """The one thread and those that it watches."""

    def __init__(self) -> None:
        self._watched: list[_Watched] = []
        self._change = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextmanager
    def watching(self, loop: Loop, seconds: float, tell: Callable[[float, str], None]) -> Iterator[None]:
        """Watch ``loop``, which runs in this thread, until the block is left.

        ``tell`` is called with how long it has been held up and the stack, in another thread. 0 seconds: not at all.
        """
        if not seconds:
            yield
            return
        one = _Watched(loop, seconds, tell)
        with self._change:
            self._watched.append(one)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="blocked loops", daemon=True)
                self._thread.start()
            self._change.notify()
        try:
            yield
        finally:
            with self._change:
                self._watched.remove(one)
                self._change.notify()

    def _look(self) -> None:
        while True:
            with self._change:
                if not self._watched:
                    self._thread = None
                    return
                self._change.wait(min(one.seconds for one in self._watched) / LOOKS)
                blocked = [one for one in self._watched if self._is_blocked(one)]
            for one in blocked:
                self._tell(one)

    def _is_blocked(self, one: _Watched) -> bool:
        since = one.loop.busy_since
        return since is not None and since != one.told and time.monotonic() - since > one.seconds

    def _tell(self, one: _Watched) -> None:
        since = one.loop.busy_since
        frame = sys._current_frames().get(one.ident)
        if since is None or frame is None:
            return
        one.told = since
        one.tell(time.monotonic() - since, _stack(frame))


def _stack(frame: FrameType) -> str:
    """The body's part of a stack, innermost last."""
    frames: list[FrameType] = []
    here: FrameType | None = frame
    while here is not None:
        frames.append(here)
        here = here.f_back
    while frames and str(frames[-1].f_globals.get("__name__", "")).startswith(_OURS):
        frames.pop()
    shown = frames[:FRAMES] or [frame]
    places = traceback.StackSummary.extract((each, each.f_lineno) for each in reversed(shown))
    return "".join(places.format()).rstrip()


watchdog = Watchdog()
"""The process's."""
