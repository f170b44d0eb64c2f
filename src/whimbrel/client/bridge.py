"""The one bridge from blocking code to the coroutines of the client: an event loop in a thread of its own.

It works inside a running event loop too, which it blocks, as blocking code does.

Knows: asyncio, threads. Must not know: what runs on it.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from typing import Any, TypeVar

T = TypeVar("T")


class Bridge:
    """An event loop that lives as long as the process. ``bridge()`` has it."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="whimbrel-client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``. Interrupting the wait cancels it."""
        if threading.current_thread() is self._thread:
            work.close()
            raise RuntimeError("blocking calls of the client would block themselves here; await AsyncRemote's")
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException as error:
            if not future.done():
                future.cancel()
            if isinstance(error, CancelledError):
                raise asyncio.CancelledError from None
            raise


_guard = threading.Lock()
_bridge: Bridge | None = None


def bridge() -> Bridge:
    """The bridge of this process; a fork has its own."""
    global _bridge
    with _guard:
        if _bridge is None or _bridge.pid != os.getpid():
            _bridge = Bridge()
        return _bridge
