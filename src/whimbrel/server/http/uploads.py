"""PUT /uploads/…: a file to its place. Answers 200 to what is there now, 400 and 409 with a sentence else.

Knows: Starlette, uploads. Must not know: where files are kept.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from whimbrel.errors import AlreadyExists, InputInvalid
from whimbrel.server.auth.signing import Signed
from whimbrel.server.http.admission import SIGNED
from whimbrel.server.uploads import Uploads


class UploadRoute:
    """See the module."""

    def __init__(self, uploads: Uploads) -> None:
        self._uploads = uploads

    async def put(self, request: Request) -> Response:
        """Take a file."""
        parts = tuple(request.path_params[name] for name in ("project", "domain", "root", "name"))
        said = request.headers.get("content-length", "-1")
        md5 = request.headers.get("content-md5", "")
        signed = request.scope.get(SIGNED)
        try:
            if not said.lstrip("-").isdigit():
                raise InputInvalid(f"Content-Length {said!r} is no number.")
            if isinstance(signed, Signed):
                if signed.md5 and md5 not in ("", signed.md5):
                    raise InputInvalid("this address is for a content of another MD5; ask for another address.")
                if signed.size not in (-1, int(said)):
                    raise InputInvalid("this address is for a content of another size; ask for another address.")
                md5 = signed.md5 or md5
            await self._uploads.receive(parts, request.stream(), md5, int(said))
        except AlreadyExists as error:
            return PlainTextResponse(f"{error}\n", 409)
        except InputInvalid as error:
            return PlainTextResponse(f"{error}\n", 400)
        return Response(status_code=200)
