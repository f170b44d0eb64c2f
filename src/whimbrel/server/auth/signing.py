"""Addresses that carry their own permission: for one method and path, until a moment, for one content if that is known.

Whoever has such an address needs no token, as the object stores that clients are used to do it. The signature is an
HMAC-SHA256 under a key of this home.

Knows: URLs, HMAC. Must not know: what is there.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from urllib.parse import urlencode

from msgspec import Struct

from whimbrel.errors import NotAuthenticated

SECONDS = 3600.0
"""How long an address is good: the largest upload over a slow line begins well before."""


class Signed(Struct, frozen=True):
    """What an address is good for: a content of that MD5 (base64) and size in bytes; "" and -1 for any."""

    md5: str = ""
    size: int = -1


class Signer:
    """See the module. ``now`` gives seconds since the epoch."""

    def __init__(self, key: bytes, now: Callable[[], float]) -> None:
        self._key = key
        self._now = now

    def query(self, method: str, path: str, signed: Signed, seconds: float = SECONDS) -> str:
        """What is to follow ``path`` (as it is in the address) and a question mark."""
        expires = str(int(self._now() + seconds))
        size = str(signed.size) if signed.size >= 0 else ""
        said = {"expires": expires, "md5": signed.md5, "size": size}
        return urlencode(
            {**{name: value for name, value in said.items() if value}, "signature": self._sign(method, path, said)}
        )

    def check(self, method: str, path: str, query: Mapping[str, str]) -> Signed:
        """What the address is good for. Raises ``NotAuthenticated``."""
        said = {name: query.get(name, "") for name in ("expires", "md5", "size")}
        signature = query.get("signature", "").encode("utf-8", "replace")
        if not hmac.compare_digest(self._sign(method, path, said).encode(), signature):
            raise NotAuthenticated("this address is not one that this server has signed; ask it for one.")
        if int(said["expires"]) <= self._now():
            raise NotAuthenticated("this address was good until a moment that has passed; ask for another.")
        return Signed(said["md5"], int(said["size"]) if said["size"] else -1)

    def _sign(self, method: str, path: str, said: Mapping[str, str]) -> str:
        # Line breaks part the fields: none of them can have one, as paths are quoted.
        text = "\n".join((method, path, said["expires"], said["md5"], said["size"]))
        return hmac.new(self._key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
