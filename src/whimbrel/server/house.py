"""What everything that the server serves works on.

Knows: the open home, the control plane, the feed. Must not know: gRPC, HTTP, how any of them is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from whimbrel.controlplane.executions import Executions
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.ports import Clock, Executor, Ids
from whimbrel.controlplane.registering import Registrar
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.scheduler import CATCH_UP, Scheduler
from whimbrel.server.feed import Feed
from whimbrel.server.metrics import Metrics
from whimbrel.stores.bundles import Bundles
from whimbrel.stores.home import Home
from whimbrel.stores.secrets import SecretStore

PORT = 30080
"""Where clients of Flyte look when nothing is said: the port of its sandbox."""
LOOPBACK = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


class ServerConfig(Struct, frozen=True):
    """What a server is told: ``port`` 0 takes a free one; ``workers`` ``None`` is one a processor; ``drain`` is how
    many seconds running attempts are given when the server stops. ``images`` says in which environment (a directory
    with ``bin/python``) tasks run that were registered with an image, by patterns of images; the rest runs in ours.
    ``catch_up`` is how many due times of a schedule are made up for that were missed while the server was away."""

    home: Path
    host: str = LOOPBACK
    port: int = PORT
    workers: int | None = None
    drain: float = 10.0
    images: dict[str, str] = {}
    catch_up: int = CATCH_UP


class House(Struct, frozen=True):
    """The engine with its home, and what may be asked of both. One per server; every service is made with it.

    ``url`` says under which address clients find the server (``http://localhost:30080``), once it listens; ``queued``
    how many tasks wait for a worker; ``draining`` whether it takes no new work.
    """

    config: ServerConfig
    home: Home
    bundles: Bundles
    secrets: SecretStore
    plane: ControlPlane
    registry: Registry
    registrar: Registrar
    executions: Executions
    scheduler: Scheduler
    executor: Executor
    clock: Clock
    ids: Ids
    feed: Feed
    metrics: Metrics
    url: Callable[[], str]
    queued: Callable[[], int]
    draining: Callable[[], bool]
