"""How much a server takes: sizes, rates, depths and patience, and buckets that hold clients to their rates.

Knows: numbers. Must not know: HTTP, gRPC, who clients are.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable

from msgspec import Struct

KIB, MIB, GIB = 1024, 1024**2, 1024**3


class Limits(Struct, frozen=True):
    """Bytes, numbers, and seconds. What is not said stays as it is here. ``rate`` 0 is no limit.

    A *client* is an address: all programs of this machine are one.
    """

    message: int = 20 * MIB
    """Bytes of a gRPC message: what Flyte's clients accept."""
    headers: int = 64 * KIB
    """Bytes of a request's line and headers."""
    upload: int = 5 * GIB
    """Bytes of a file: what one PUT may be to the object stores that clients are used to."""
    connections: int = 4096
    """At a time; beyond, new ones wait in the system's queue until others end."""
    connections_per_client: int = 2048
    """At a time; beyond, they are hung up on."""
    streams: int = 1024
    """Event streams of a client at a time."""
    rate: float = 2000.0
    """Requests a second of a client, over ``burst`` of them: more than a machine of ours can answer."""
    burst: float = 4000.0
    runs: int = 10_000
    """Runs in memory at a time (parked ones are not); more are refused, and can be launched later."""
    queue: int = 100_000
    """Tasks that wait for a worker; while there are more, runs are refused."""
    first_bytes: float = 10.0
    """Seconds that a connection has to say what it speaks; browsers open some that they never use."""
    header_seconds: float = 10.0
    """Seconds from the first byte of a request's line to the end of its headers."""
    body_seconds: float = 30.0
    """Seconds that a body may pause, and that it may be slower than ``SLOWEST``."""
    stalled: float = 30.0
    """Seconds that somebody may take nothing of what is sent to them; then they are hung up on."""
    idle: float = 900.0
    """Seconds that a connection may be silent in both directions."""


SLOWEST = KIB
"""Bytes a second of a body."""

_CLIENTS = 10_000
"""Buckets that are kept. Whoever was away for the longest has a full one, which need not be kept."""


class Buckets:
    """A bucket of tokens for each client: ``burst`` of them, and ``rate`` a second more. ``time`` is in seconds."""

    def __init__(self, rate: float, burst: float, time: Callable[[], float], clients: int = _CLIENTS) -> None:
        self._rate = rate
        self._burst = max(burst, 1.0)
        self._time = time
        self._clients = clients
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._left)

    def take(self, client: str) -> float:
        """Take one token: 0.0; or seconds until there is one."""
        if self._rate <= 0:
            return 0.0
        now = self._time()
        left, at = self._left.get(client, (self._burst, now))
        left = min(left + (now - at) * self._rate, self._burst)
        wait = 0.0 if left >= 1.0 else (1.0 - left) / self._rate
        self._left[client] = (left - 1.0 if not wait else left, now)
        self._left.move_to_end(client)
        if len(self._left) > self._clients:
            self._left.popitem(last=False)
        return wait


class Counted:
    """How many of something each client has, up to ``most``."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._of: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._of)

    def enter(self, client: str) -> bool:
        """One more, if there is room; whether there was."""
        now = self._of.get(client, 0)
        if now >= self._most:
            return False
        self._of[client] = now + 1
        return True

    def leave(self, client: str) -> None:
        """One less."""
        left = self._of[client] - 1
        if left:
            self._of[client] = left
        else:
            del self._of[client]


def whole_seconds(seconds: float) -> int:
    """For Retry-After."""
    return max(math.ceil(seconds), 1)
