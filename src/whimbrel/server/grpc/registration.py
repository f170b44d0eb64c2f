"""A service as the server takes it. Knows: gRPC's server. Must not know: any service."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import grpc.aio


class Registration(NamedTuple):
    """A service: its full name, as in its protobuf file, and what adds it to a server."""

    name: str
    add: Callable[[grpc.aio.Server], None]
