"""A server, and the place in it that is meant: what all questions to it share.

Knows: configuration, transports. Must not know: what is asked.
"""

from __future__ import annotations

import asyncio
from typing import Self
from urllib.parse import quote

from whimbrel.client.blobs import RemoteBlobs
from whimbrel.client.bridge import bridge
from whimbrel.client.configuration import Config
from whimbrel.client.transport import PATIENCE, V1, Credentials, Transport


class Connection:
    """See the module."""

    def __init__(
        self,
        config: Config | None = None,
        *,
        project: str | None = None,
        domain: str | None = None,
        credentials: Credentials | None = None,
        patience: float = PATIENCE,
        transport: Transport | None = None,
    ) -> None:
        self.config = (config or Config.auto()).at(project=project, domain=domain)
        self._credentials = credentials
        self._patience = patience
        self.transport = transport or Transport(self.config, credentials=credentials, patience=patience)
        self._shared = transport is not None
        self._blobs: RemoteBlobs | None = None
        self._blob_transport: Transport | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Let go of all connections."""
        await self.transport.close()
        other, self._blob_transport, self._blobs = self._blob_transport, None, None
        if other is not None:
            await asyncio.to_thread(bridge().run, other.close())

    @property
    def project(self) -> str:
        """The project that is meant."""
        return self.config.project

    @property
    def domain(self) -> str:
        """The domain that is meant."""
        return self.config.domain

    @property
    def blobs(self) -> RemoteBlobs:
        """The server's files, for blocking code."""
        if self._blobs is None:
            # Values are read by whoever looks at them, in any thread: over connections of the bridge.
            transport = self.transport
            if not self._shared:
                transport = self._blob_transport = Transport(
                    self.config, credentials=self._credentials, patience=self._patience
                )
            self._blobs = RemoteBlobs(transport, bridge())
        return self._blobs

    def _place(self, project: str | None, domain: str | None) -> str:
        named = (project or self.project, domain or self.domain)
        return f"{V1}/projects/{quote(named[0], safe='')}/domains/{quote(named[1], safe='')}"

    def _named_place(self, project: str | None = None, domain: str | None = None) -> str:
        return f"{project or self.project}/{domain or self.domain}"
