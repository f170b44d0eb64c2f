"""Files at web addresses, `http://` and `https://`: read only, by the standard library.

Not by obstore, whose web store takes neither servers without ranges nor all addresses with a query. A stream is one
request as long as it is read on; going elsewhere in it is another one, with a range, if the server takes ranges. A
connection that breaks is taken up where it broke.

Knows: HTTP. Must not know: files as authors see them.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from whimbrel.errors import EntityNotFound, StoreError, UserError
from whimbrel.types.blobs import Entry
from whimbrel.types.remote import Known, Upload

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

SCHEMES: Final = frozenset({"http", "https"})

ATTEMPTS: Final = 5
"""How often something that may pass (a broken connection, a 5xx, a 429) is tried before it is an error."""
PAUSE: Final = 0.2
"""Seconds before the second attempt; each further pause is twice the one before. Five attempts take three seconds."""
PATIENCE: Final = 60.0
"""Seconds without a byte after which a connection counts as broken."""
_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_SKIP: Final = 1024 * 1024


class Web:
    """Implements ``Place``, but for uploads and listings, which the web does not know."""

    piece = 256 * 1024

    def __init__(self, *, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause

    def known(self, uri: str) -> Known:
        """Its length and entity tag: one request without a body. Weak tags say too little, and are left out."""
        try:
            with self._asked(uri, "HEAD", {}) as response:
                headers = response.headers
        except UserError:
            # Some servers, and all that sign addresses for reading, refuse to be asked this.
            with self._asked(uri, "GET", {"Range": "bytes=0-0"}) as response:
                headers = response.headers
                if response.status == 206:
                    total = str(headers.get("Content-Range", "")).rpartition("/")[2]
                    return Known(int(total) if total.isdecimal() else -1, _tag(headers))
        length = str(headers.get("Content-Length") or "")
        return Known(int(length) if length.isdecimal() else -1, _tag(headers))

    def reader(self, uri: str) -> io.RawIOBase:
        """A stream of it."""
        stream = _Page(self, uri)
        stream.begin()
        return stream

    def upload(self, uri: str, metadata: Mapping[str, str]) -> Upload:
        """Refused."""
        raise UserError(f"{uri} is on the web, where files are only read: write to a bucket or a local path")

    def entries(self, uri: str) -> tuple[Entry, ...]:
        """Refused."""
        raise UserError(f"{uri} is on the web, which has no directories: name its files, one FlyteFile each")

    def _asked(self, uri: str, method: str, headers: dict[str, str]) -> Any:
        from http.client import HTTPException
        from urllib.error import HTTPError
        from urllib.request import Request, urlopen

        request = Request(_quoted(uri), method=method, headers={"Accept-Encoding": "identity", **headers})
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return urlopen(request, timeout=PATIENCE)
            except HTTPError as error:
                error.close()
                if error.code not in _PASSING or attempt == ATTEMPTS:
                    _refused(uri, error.code, str(error.reason))
            except (OSError, HTTPException) as error:
                # URLError is an OSError.
                if attempt == ATTEMPTS:
                    reason = getattr(error, "reason", error)
                    raise StoreError(f"{uri} cannot be reached: {reason}. Try again when it can be") from error
            self._pause(PAUSE * 2 ** (attempt - 1))
        raise AssertionError("the last attempt returns or raises")


class _Page(io.RawIOBase):
    """One resource, from wherever it is read."""

    def __init__(self, web: Web, uri: str) -> None:
        super().__init__()
        self._web, self._uri = web, uri
        self._at = 0
        self._size = -1
        self._tag = ""
        self._response: Any = None
        self._standing = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_END and self._size < 0:
            self._size = self._web.known(self._uri).size
            if self._size < 0:
                raise io.UnsupportedOperation(f"{self._uri} does not say how long it is: its end cannot be found")
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        from http.client import HTTPException

        view = memoryview(buffer).cast("B")
        if not len(view) or 0 <= self._size <= self._at:
            return 0
        for attempt in range(1, ATTEMPTS + 1):
            try:
                if self._response is None or self._standing != self._at:
                    self.begin()
                    if 0 <= self._size <= self._at:
                        return 0
                count = int(self._response.readinto(view))
                if count == 0 and self._at < self._size:
                    raise ConnectionError(f"it ended after {self._at} of {self._size} bytes")
            except (OSError, HTTPException) as error:
                self._drop()
                if attempt == ATTEMPTS:
                    raise StoreError(f"{self._uri} broke off: {error}. Try again") from error
                self._web._pause(PAUSE * 2 ** (attempt - 1))
            else:
                self._at += count
                self._standing = self._at
                return count
        raise AssertionError("the last attempt returns or raises")

    def begin(self) -> None:
        """Ask for what stands from here on."""
        self._drop()
        headers = {"Range": f"bytes={self._at}-"} if self._at else {}
        if self._at and self._tag:
            # Otherwise the rest of one version might be joined to the beginning of another.
            headers["If-Match"] = self._tag
        self._response = response = self._web._asked(self._uri, "GET", headers)
        length = str(response.headers.get("Content-Length") or "")
        self._tag = self._tag or _tag(response.headers)
        if self._at and response.status == 206:
            self._standing = self._at
            total = str(response.headers.get("Content-Range", "")).rpartition("/")[2]
            self._size = int(total) if total.isdecimal() else self._size
            return
        self._size = int(length) if length.isdecimal() else -1
        # A server without ranges sends all of it: what comes before is read and dropped.
        self._standing = 0
        while self._standing < self._at:
            skipped = response.read(min(_SKIP, self._at - self._standing))
            if not skipped:
                break
            self._standing += len(skipped)
        self._standing = self._at

    def _drop(self) -> None:
        if self._response is not None:
            self._response.close()
            self._response = None

    def close(self) -> None:
        """Let the connection go."""
        if not self.closed:
            self._drop()
        super().close()


def _tag(headers: Any) -> str:
    tag = str(headers.get("ETag") or "")
    return "" if tag.startswith("W/") else tag


def _quoted(uri: str) -> str:
    """``uri`` with what cannot stand in a request line quoted; what is quoted already stays."""
    from urllib.parse import quote

    return quote(uri.partition("#")[0], safe="%/:=&?~#+!$,;'@()*[]")


def _refused(uri: str, code: int, reason: str) -> NoReturn:
    if code in (404, 410):
        raise EntityNotFound(f"there is no {uri} ({code} {reason}): it was removed, or the address is wrong")
    if code == 412:
        raise StoreError(f"{uri} was changed while it was read. Try again")
    if code in _PASSING:
        raise StoreError(f"{uri} cannot be reached: {code} {reason}. Try again when it can be")
    raise UserError(
        f"{uri} was refused: {code} {reason}. If it needs credentials, fetch it in a task by a library of your own, "
        "and return the path of what you fetched"
    )
