"""REST for registration and projects.

Knows: the house, shapes. Must not know: what is checked, where anything is kept.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.controlplane.offloading import LARGE_BYTES, aside
from whimbrel.errors import InputInvalid
from whimbrel.server.house import House
from whimbrel.server.http.admission import is_seen
from whimbrel.server.http.exchange import answer_struct, body, body_bytes, is_msgpack
from whimbrel.wire.rest.entities import NewProject
from whimbrel.wire.rest.registering import MSGPACK, decode_registration

PROGRAM = 64 * 1024 * 1024
"""Bytes of a registration: graphs of ten thousand nodes are a few megabytes."""


class RegisterCalls:
    """The handlers."""

    def __init__(self, house: House) -> None:
        self._registrar = house.registrar
        self._registry = house.registry

    async def register(self, request: Request) -> Response:
        """Register a program."""
        data = await body_bytes(request, PROGRAM)
        if not is_msgpack(request):
            raise InputInvalid(f"the body: a registration is {MSGPACK}; say so: Content-Type: {MSGPACK}")
        try:
            registration = await aside(len(data) > LARGE_BYTES, lambda: decode_registration(data))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
            raise InputInvalid(f"the body is no registration: {error}") from None
        place = request.path_params
        return answer_struct(await self._registrar.register(place["project"], place["domain"], registration))

    async def list_projects(self, request: Request) -> Response:
        """Every project."""
        return answer_struct([row for row in await self._registry.project_rows() if is_seen(request, row.id)])

    async def create_project(self, request: Request) -> Response:
        """Make a project."""
        return answer_struct(await self._registry.create_project(await body(request, NewProject)), 201)
