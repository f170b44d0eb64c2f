"""Where a call came from. The inner servers see a Unix socket, which the front has named after whom it is for.

Knows: those names, what a proxy says. Must not know: what is served.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

_LONGEST = 64


def address_of(peer: str) -> str:
    """The address in the name of a socket, ``unix:/…/127.0.0.1:40302``; "" when it has none."""
    return os.path.basename(peer).rpartition(":")[0]


def forwarded(address: str, said: str) -> str:
    """Whom a proxy in front of us speaks for, by its X-Forwarded-For: the last name there is the one that it saw
    itself; those before it are what was said to it."""
    return said.rpartition(",")[2].strip()[:_LONGEST] or address


def address_of_scope(scope: Mapping[str, Any], *, trusts_proxy: bool) -> str:
    """The address that a request over HTTP came from."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if not trusts_proxy:
        return address
    headers = dict(scope.get("headers", ()))
    return forwarded(address, headers.get(b"x-forwarded-for", b"").decode("latin-1"))
