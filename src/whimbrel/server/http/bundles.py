"""REST for bundles: whether one is here, and taking it.

Knows: the house, Starlette. Must not know: archives.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from whimbrel.errors import TooLarge, WhimbrelError
from whimbrel.server.house import House
from whimbrel.server.http.exchange import answer_struct, heard_out
from whimbrel.stores.bundles import must_be_a_digest
from whimbrel.wire.rest.registering import BundlePlace

_UNPACKED_AT_A_TIME = 2
"""Archives that are unpacked at once: it takes a thread, the disk, and processor time."""


class BundleCalls:
    """The handlers."""

    def __init__(self, house: House) -> None:
        self._bundles = house.bundles
        self._unpacking = asyncio.Semaphore(_UNPACKED_AT_A_TIME)

    async def head_bundle(self, request: Request) -> Response:
        """200 or 404."""
        there = await asyncio.to_thread(self._bundles.holds, request.path_params["sha256"])
        return Response(status_code=200 if there else 404)

    async def put_bundle(self, request: Request) -> Response:
        """Take an archive. One that is here is not read."""
        digest = request.path_params["sha256"]
        try:
            must_be_a_digest(digest)
            if await asyncio.to_thread(self._bundles.holds, digest):
                await heard_out(request)
                return answer_struct(BundlePlace(digest, False))
            said = request.headers.get("content-length", "")
            if said.isascii() and said.isdigit() and int(said[:20]) > self._bundles.limits.archive:
                raise TooLarge(f"a bundle may have {self._bundles.limits.archive} bytes; leave data out of it.")
            made = await self._take(request, digest)
        except WhimbrelError:
            await heard_out(request)
            raise
        return answer_struct(BundlePlace(digest, made), 201 if made else 200)

    async def _take(self, request: Request, digest: str) -> bool:
        coming = await asyncio.to_thread(self._bundles.coming)
        try:
            async for chunk in request.stream():
                await asyncio.to_thread(coming.write, chunk)
            async with self._unpacking:
                return await asyncio.to_thread(coming.finish, digest)
        finally:
            await asyncio.to_thread(coming.close)
