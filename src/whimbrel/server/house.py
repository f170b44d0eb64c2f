"""What everything that the server serves works on.

Knows: the open home, the control plane, the feed. Must not know: gRPC, HTTP, how any of them is made.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path

from msgspec import Struct

from whimbrel.controlplane.backfills import Backfills
from whimbrel.controlplane.catalogue import Catalogue
from whimbrel.controlplane.executions import Executions
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.ports import Clock, Executor, Ids
from whimbrel.controlplane.registering import Registrar
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.scheduler import CATCH_UP, Scheduler
from whimbrel.errors import InputInvalid
from whimbrel.server.auth.access import Access
from whimbrel.server.auth.oidc import OidcConfig
from whimbrel.server.feed import Feed
from whimbrel.server.limits import Limits
from whimbrel.server.metrics import Metrics
from whimbrel.stores.bundles import Bundles
from whimbrel.stores.home import Home
from whimbrel.stores.secrets import SecretStore

PORT = 30080
"""Where clients of Flyte look when nothing is said: the port of its sandbox."""
LOOPBACK = "127.0.0.1"


class Auth(StrEnum):
    """Who is believed: nobody is asked; those whom this server knows; those whom another issuer knows."""

    OFF = "off"
    BUILTIN = "builtin"
    OIDC = "oidc"


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach ``host``."""
    return host == "localhost" or host == "::1" or host.startswith("127.")


class ServerConfig(Struct, frozen=True):
    """What a server is told: ``port`` 0 takes a free one; ``workers`` ``None`` is one a processor; ``drain`` is how
    many seconds running attempts are given when the server stops. ``images`` says in which environment (a directory
    with ``bin/python``) tasks run that were registered with an image, by patterns of images; the rest runs in ours.
    ``catch_up`` is how many due times of a schedule are made up for that were missed while the server was away;
    ``limits`` is how much it takes from clients.

    ``auth`` says who is believed; ``oidc`` is the other issuer. ``tls_cert`` and ``tls_key`` are files in PEM.
    ``behind_proxy`` says that a proxy of ours speaks TLS, and names those whom it speaks for; ``insecure`` that tokens
    may be read on the way. ``public_url`` is the address under which clients find the server, if it is another."""

    home: Path
    host: str = LOOPBACK
    port: int = PORT
    workers: int | None = None
    drain: float = 10.0
    images: dict[str, str] = {}
    catch_up: int = CATCH_UP
    auth: Auth = Auth.OFF
    oidc: OidcConfig | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    behind_proxy: bool = False
    insecure: bool = False
    public_url: str = ""
    limits: Limits = Limits()


def must_be_safe(config: ServerConfig) -> None:
    """Raises ``InputInvalid`` for a server that strangers could use, or on which tokens could be read on the way."""
    if config.auth is Auth.OIDC and config.oidc is None:
        raise InputInvalid("--auth oidc wants --oidc-issuer and --oidc-audience: whose tokens are believed, and which.")
    if config.tls_key is not None and config.tls_cert is None:
        raise InputInvalid("--tls-key wants --tls-cert: the certificate that it is the key of.")
    if config.auth is Auth.OFF and config.behind_proxy:
        raise InputInvalid("--behind-proxy wants --auth: who comes through the proxy need not be on this machine.")
    if is_loopback(config.host):
        return
    if config.auth is Auth.OFF:
        raise InputInvalid(
            f"--host {config.host} can be reached from other machines, and without authentication anybody there could "
            "run code here. Add --auth builtin (and --tls-cert), or leave --host out and reach the server through a "
            f"tunnel (ssh -L {config.port}:localhost:{config.port} …)"
        )
    if config.tls_cert is None and not config.behind_proxy and not config.insecure:
        raise InputInvalid(
            f"--host {config.host} can be reached from other machines, and without TLS tokens could be read on the "
            "way. Add --tls-cert and --tls-key; or --behind-proxy, if a proxy of yours speaks TLS in front; or "
            "--insecure, if you trust everybody on that network."
        )


class House(Struct, frozen=True):
    """The engine with its home, and what may be asked of both. One per server; every service is made with it.

    ``url`` says under which address clients find the server (``http://localhost:30080``), once it listens; ``queued``
    how many tasks wait for a worker; ``draining`` whether it takes no new work. ``access`` is ``None`` without
    authentication.
    """

    config: ServerConfig
    home: Home
    bundles: Bundles
    secrets: SecretStore
    plane: ControlPlane
    registry: Registry
    registrar: Registrar
    catalogue: Catalogue
    executions: Executions
    scheduler: Scheduler
    backfills: Backfills
    executor: Executor
    clock: Clock
    ids: Ids
    feed: Feed
    metrics: Metrics
    url: Callable[[], str]
    queued: Callable[[], int]
    draining: Callable[[], bool]
    access: Access | None = None

    def page_of(self, run: str) -> str:
        """Where people look at a run."""
        return f"{self.url()}/console/runs/{run}"
