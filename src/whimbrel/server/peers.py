"""Where a call came from. The inner servers see a Unix socket: the front gives its end of it a name that says more.

Knows: addresses, sockets. Must not know: what is served.
"""

from __future__ import annotations

import itertools
import os
import socket
from collections.abc import Mapping
from typing import Any

_MARK = "peer-"
_numbers = itertools.count()


def bound_peer(path: str, address: Any) -> socket.socket:
    """A socket that will connect to the Unix socket ``path``, and has ``address`` (of the socket that was accepted) in
    its name. Remove the file of that name once it is connected: ``forget_peer``."""
    host, port = address[:2] if isinstance(address, tuple) else ("unix", 0)
    name = f"{_MARK}{next(_numbers):x}-{str(host).partition('%')[0]}-{port}"
    found = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    found.setblocking(False)
    try:
        found.bind(os.path.join(os.path.dirname(path), name))
    except OSError:
        found.close()
        raise
    return found


def forget_peer(bound: socket.socket) -> None:
    """The name stays with the connection; the file is not needed any more."""
    os.unlink(bound.getsockname())


def address_of(peer: str) -> str:
    """The address in the name of a socket; "" when it has none."""
    _, mark, rest = os.path.basename(peer).partition(_MARK)
    return rest.split("-", 1)[1].rpartition("-")[0] if mark and rest.count("-") >= 2 else ""


def forwarded(address: str, headers: Mapping[str, str]) -> str:
    """Whom a proxy in front of us speaks for. The last name of the list is the proxy's own; those before it are what
    was said to it."""
    said = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    return said[:64] if said else address


def address_of_scope(scope: Mapping[str, Any], *, trusts_proxy: bool) -> str:
    """The address that a request came from."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if not trusts_proxy:
        return address
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope.get("headers", ())}
    return forwarded(address, headers)
