"""Which services are served, and what they are made of.

Knows: the services, the house. Must not know: channels, ports.
"""

from __future__ import annotations

import asyncio

from whimbrel.controlplane.executions import Executions
from whimbrel.controlplane.registry import Registry
from whimbrel.model.literals import Literals
from whimbrel.runtime.values import read_literals
from whimbrel.server.auth.access import Access
from whimbrel.server.downloads import Downloads, downloads_of
from whimbrel.server.feed import Feed
from whimbrel.server.grpc.binding import bind
from whimbrel.server.grpc.data import DataCalls
from whimbrel.server.grpc.entities import EntityCalls
from whimbrel.server.grpc.executions import ExecutionCalls, Fetch
from whimbrel.server.grpc.guarding import RpcGuard
from whimbrel.server.grpc.identity import auth_handlers, identity_handlers
from whimbrel.server.grpc.registration import Registration
from whimbrel.server.grpc.settings import SettingCalls
from whimbrel.server.grpc.signals import SignalCalls
from whimbrel.server.house import House
from whimbrel.server.uploads import Uploads, uploads_of
from whimbrel.wire.flyte import services as flyte

# What flytekit compares its own version with; it says nothing of what is served.
VERSION = "v1.16.0"


def registrations(house: House) -> list[Registration]:
    """Everything that is served besides health and reflection."""

    async def fetch(literals: Literals) -> Literals:
        return await asyncio.to_thread(read_literals, literals, house.home.blobs)

    uploads, downloads = uploads_of(house), downloads_of(house)
    return services(house.registry, house.executions, fetch, uploads, house.feed, downloads, house.access)


def services(
    registry: Registry,
    executions: Executions,
    fetch: Fetch,
    uploads: Uploads,
    feed: Feed,
    downloads: Downloads,
    access: Access | None = None,
) -> list[Registration]:
    """Flyte's services over a registry and its executions; behind the gate of ``access``, if there is one."""
    guard = RpcGuard(access) if access is not None else None
    calls = ExecutionCalls(executions, fetch, feed, downloads)
    entities = EntityCalls(registry, VERSION).handlers() | SettingCalls(registry).handlers()
    return [
        bind(flyte.ADMIN, entities | calls.handlers(), guard),
        bind(flyte.DATA_PROXY, DataCalls(uploads, downloads, calls).handlers(), guard),
        bind(flyte.SIGNAL, SignalCalls(executions).handlers(), guard),
        bind(flyte.AUTH_METADATA, auth_handlers(access), guard),
        bind(flyte.IDENTITY, identity_handlers(), guard),
    ]
