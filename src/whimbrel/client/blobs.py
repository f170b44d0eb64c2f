"""The blobs of a server as a store of files: what ``types/`` and ``runtime/`` need to put values in and take them out.

Everything is named by its content, so what the server has is not sent again. Nothing is fetched before it is read.

Knows: REST's blobs, the port of file stores. Must not know: Python values.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from whimbrel.client.bridge import Bridge
from whimbrel.client.transport import V1, Answer, Body, Transport
from whimbrel.errors import EntityNotFound, ServerFault
from whimbrel.types.blobs import CHUNK, BlobMover, stored_as
from whimbrel.wire.rest.launching import BlobPlace

SCHEME = "blob:"
_OCTETS = "application/octet-stream"
_ASKED_FIRST = 64 * 1024
"""Bytes from which it pays to ask whether the server has them."""
_MEMORY = 8 * 1024 * 1024
"""Bytes of a file on its way that stay in memory."""


class RemoteBlobs:
    """Implements ``types.blobs.FileStore``. Blocking; for any thread but the bridge's."""

    def __init__(self, transport: Transport, bridge: Bridge) -> None:
        self._transport = transport
        self._bridge = bridge

    def put(self, name: str, data: bytes) -> str:
        """See ``FileStore``."""
        return self._sent(hashlib.sha256(data).hexdigest(), name, len(data), data)

    def get(self, uri: str) -> bytes:
        """See ``FileStore``."""
        return self._asked("GET", uri).content

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        """See ``FileStore``."""
        if length <= 0:
            return b""
        answer = self._asked("GET", uri, {"range": f"bytes={start}-{start + length - 1}"}, frozenset({416}))
        if answer.status == 416:
            return b""
        # A server may answer with all of it.
        return answer.content[start : start + length] if answer.status == 200 else answer.content

    def size(self, uri: str) -> int:
        """See ``FileStore``."""
        return int(self._asked("HEAD", uri).headers.get("content-length", "0"))

    def path(self, uri: str) -> str | None:
        """It is on another machine, or might be."""
        return None

    def writer(self) -> _Writer:
        """See ``FileStore``."""
        return _Writer(self)

    def mover(self, path: str) -> BlobMover | None:
        """Nothing can be moved there."""
        return None

    def holds(self, uri: str) -> bool:
        """See ``FileStore``."""
        return uri.startswith(SCHEME)

    def put_file(self, path: str | Path, name: str = "") -> str:
        """Send a local file; its URI. Raises ``OSError`` when it cannot be read."""
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
        return self._sent(digest, name or os.path.basename(path), size, _chunks(path))

    def _sent(self, digest: str, name: str, size: int, body: Body) -> str:
        last = name.rpartition("/")[2] or "file"
        key = stored_as(digest, last)
        if size >= _ASKED_FIRST:
            answer = self._run("HEAD", f"{V1}/blobs/{key}", good=frozenset({404, 405}))
            if answer.status == 200:
                return SCHEME + key
        headers = {"content-length": str(size)} if callable(body) else {}
        sent = self._bridge.run(
            self._transport.send(
                "PUT", f"{V1}/blobs/{digest}", params={"name": last}, body=body, kind=_OCTETS, headers=headers
            )
        )
        place: BlobPlace = sent.read(BlobPlace)
        if place.digest != digest:
            raise ServerFault(f"the server kept {last!r} as {place.digest}, and it is {digest}. Send it again.")
        return place.uri

    def _asked(
        self, method: str, uri: str, headers: dict[str, str] | None = None, good: frozenset[int] = frozenset()
    ) -> Answer:
        if not self.holds(uri):
            raise EntityNotFound(f"{uri} is in no store of the server's.")
        return self._run(method, f"{V1}/blobs/{uri.removeprefix(SCHEME)}", headers, good)

    def _run(
        self, method: str, path: str, headers: dict[str, str] | None = None, good: frozenset[int] = frozenset()
    ) -> Answer:
        return self._bridge.run(self._transport.send(method, path, headers=headers, good=good, accept="*/*"))


class _Writer:
    """Implements ``BlobWriter``: bytes whose digest is known when the last of them is there."""

    def __init__(self, store: RemoteBlobs) -> None:
        self._store = store
        self._file = tempfile.SpooledTemporaryFile(_MEMORY)  # noqa: SIM115 (closed by finish or abandon)
        self._hash = hashlib.sha256()
        self._size = 0

    def write(self, data: bytes | memoryview) -> None:
        """Take more bytes."""
        self._hash.update(data)
        self._size += len(data)
        self._file.write(data)

    def finish(self, name: str) -> str:
        """Send what was written."""
        try:

            async def pieces() -> AsyncIterator[bytes]:
                self._file.seek(0)
                while chunk := self._file.read(CHUNK):
                    yield chunk

            return self._store._sent(self._hash.hexdigest(), name, self._size, pieces)
        finally:
            self._file.close()

    def abandon(self) -> None:
        """Throw away what was written."""
        self._file.close()


def _chunks(path: str | Path) -> Body:
    async def pieces() -> AsyncIterator[bytes]:
        # Short reads of a local file, on a loop that has nothing else to do.
        with open(path, "rb") as file:  # noqa: ASYNC230
            while chunk := file.read(CHUNK):
                yield chunk

    return pieces
