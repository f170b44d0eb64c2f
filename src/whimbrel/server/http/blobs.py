"""REST for blobs: files and tables as values, by the digest of their content.

What comes out is somebody's bytes: it is never shown in a page of ours, whatever it says that it is.

Knows: the house, Starlette. Must not know: literals.
"""

from __future__ import annotations

import asyncio
import hashlib

from starlette.requests import Request
from starlette.responses import Response

from whimbrel.errors import EntityNotFound, InputInvalid, TooLarge, WhimbrelError
from whimbrel.server.house import House
from whimbrel.server.http.exchange import answer_struct, heard_out, query
from whimbrel.server.http.ranges import ranged
from whimbrel.stores.blobs import SCHEME, STAGING
from whimbrel.stores.bundles import must_be_a_digest
from whimbrel.types.blobs import stored_as
from whimbrel.wire.rest.launching import BlobPlace, BlobQuery

LARGEST = 5 * 1024**3
"""Bytes of a file: what one PUT may be to object stores."""
_HEADERS = {
    "accept-ranges": "bytes",
    "content-disposition": "attachment",
    "content-security-policy": "sandbox",
    "x-content-type-options": "nosniff",
}


class BlobCalls:
    """The handlers."""

    def __init__(self, house: House) -> None:
        self._blobs = house.home.blobs

    async def put_blob(self, request: Request) -> Response:
        """Take a file."""
        digest = request.path_params["sha256"]
        try:
            must_be_a_digest(digest)
            name = stored_as(digest, query(request, BlobQuery).name)
            size = await self._take(request, digest, name)
        except WhimbrelError:
            await heard_out(request)
            raise
        return answer_struct(BlobPlace(f"{SCHEME}{name}", digest, size), 201)

    async def _take(self, request: Request, digest: str, name: str) -> int:
        said = request.headers.get("content-length", "")
        if said.isascii() and said.isdigit() and int(said[:20]) > LARGEST:
            raise TooLarge(f"a file may have {LARGEST} bytes; send it in parts.")
        writer = await asyncio.to_thread(self._blobs.writer)
        found, size, kept = hashlib.sha256(), 0, False
        try:
            async for chunk in request.stream():
                size += len(chunk)
                if size > LARGEST:
                    raise TooLarge(f"a file may have {LARGEST} bytes; send it in parts.")
                found.update(chunk)
                await asyncio.to_thread(writer.write, chunk)
            if found.hexdigest() != digest:
                raise InputInvalid(
                    f"the file has the SHA-256 {found.hexdigest()}, and {digest} was said; send it again."
                )
            kept = True
            await asyncio.to_thread(writer.finish, name)
        finally:
            if not kept:
                await asyncio.to_thread(writer.abandon)
        return size

    async def get_blob(self, request: Request) -> Response:
        """A blob, or the part of it that `Range` says."""
        uri, size = await self._found(request)
        return ranged(request, size, lambda start, length: self._blobs.read_range(uri, start, length), _HEADERS)

    async def head_blob(self, request: Request) -> Response:
        """Whether there is such a blob, and its size."""
        _, size = await self._found(request)
        return Response(headers={**_HEADERS, "content-length": str(size)}, media_type="application/octet-stream")

    async def _found(self, request: Request) -> tuple[str, int]:
        key = request.path_params["key"]
        parts = key.split("/")
        hidden = any(part in ("", ".", "..") or not part.isprintable() for part in parts) or parts[0] == STAGING
        if hidden or len(key) > 1024:
            raise EntityNotFound(f"there is no blob {key[:80]!r}: keys are what follows `{SCHEME}` in a value.")
        uri = f"{SCHEME}{key}"
        return uri, await asyncio.to_thread(self._blobs.size, uri)
