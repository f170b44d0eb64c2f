"""Which services are served: each with the name that reflection gives, and what puts it on a server.

Knows: the services. Must not know: channels, ports.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import grpc.aio

from whimbrel.server.house import House


class Registration(NamedTuple):
    """A service: its full name, as in its protobuf file, and what adds it to a server."""

    name: str
    add: Callable[[grpc.aio.Server], None]


def registrations(house: House) -> list[Registration]:
    """Everything that is served besides health and reflection."""
    return []
