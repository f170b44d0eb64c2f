"""REST for what is registered: lists, versions, one of them; launch plans active or not; secrets by name.

Knows: the house, shapes. Must not know: how entities are kept.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.server.house import House
from whimbrel.server.http.exchange import answer_exactly, answer_struct, body, query, wants_msgpack
from whimbrel.stores.secrets import SecretName
from whimbrel.wire.flyte.entities import ACTIVE, INACTIVE
from whimbrel.wire.rest.entities import (
    KINDS,
    EntityQuery,
    NewSecret,
    Nothing,
    SecretShape,
    VersionQuery,
)
from whimbrel.wire.spans import iso_moment

Handler = Callable[[Request], Awaitable[Response]]
NO_GROUP = "-"
"""In a path: a secret of no group."""


class EntityCalls:
    """The handlers. Those of ``listing``, ``versions`` and ``one`` are made for each kind, by its name in paths."""

    def __init__(self, house: House) -> None:
        self._catalogue = house.catalogue

    def listing(self, path: str) -> Handler:
        """Names of a kind."""
        kind = EntityKind(KINDS[path])

        async def handler(request: Request) -> Response:
            place, asked = request.path_params, query(request, EntityQuery)
            return answer_struct(await self._catalogue.rows(kind, place["project"], place["domain"], asked))

        return _named(handler, "list", path)

    def versions(self, path: str) -> Handler:
        """Versions of a name."""
        kind = EntityKind(KINDS[path])

        async def handler(request: Request) -> Response:
            said, asked = request.path_params, query(request, VersionQuery)
            place = (kind, said["project"], said["domain"], said["name"])
            return answer_struct(await self._catalogue.versions(*place, asked))

        return _named(handler, "versions_of", path)

    def one(self, path: str) -> Handler:
        """A version."""
        kind = EntityKind(KINDS[path])

        async def handler(request: Request) -> Response:
            entity = await self._catalogue.entity(_id(kind, request))
            if wants_msgpack(request):
                return answer_exactly(self._catalogue.exact(entity))
            return answer_struct(await asyncio.to_thread(self._catalogue.detail, entity))

        return _named(handler, "get", path)

    async def activate_plan(self, request: Request) -> Response:
        """Make a version of a launch plan the active one."""
        return await self._state(request, ACTIVE)

    async def deactivate_plan(self, request: Request) -> Response:
        """Make it active no more."""
        return await self._state(request, INACTIVE)

    async def _state(self, request: Request, state: str) -> Response:
        await body(request, Nothing)
        return answer_struct(await self._catalogue.set_state(_id(EntityKind.LAUNCH_PLAN, request), state))


class SecretCalls:
    """The handlers of secrets. Values never come back."""

    def __init__(self, house: House) -> None:
        self._secrets = house.secrets
        self._clock = house.clock

    async def list_secrets(self, request: Request) -> Response:
        """Every secret, by name."""
        return answer_struct([_secret(each) for each in await asyncio.to_thread(self._secrets.names)])

    async def get_secret(self, request: Request) -> Response:
        """A secret, by name."""
        group, key = _secret_name(request)
        for each in await asyncio.to_thread(self._secrets.names):
            if (each.group.lower(), each.key.lower(), each.version) == (group.lower(), key.lower(), ""):
                return answer_struct(_secret(each))
        raise EntityNotFound(f"there is no secret {key!r} in the group {group!r}; GET /api/v1/secrets lists them.")

    async def put_secret(self, request: Request) -> Response:
        """Keep a secret in the place of an earlier one."""
        group, key = _secret_name(request)
        said = await body(request, NewSecret)
        if (said.value is None) == (said.base64 is None):
            raise InputInvalid("say the secret's value, or its base64: one of the two.")
        now = self._clock.now()
        await asyncio.to_thread(self._secrets.put, group, key, "", _bytes_of(said), now)
        return answer_struct(SecretShape(group, key, iso_moment(now)))

    async def delete_secret(self, request: Request) -> Response:
        """Forget a secret."""
        group, key = _secret_name(request)
        await asyncio.to_thread(self._secrets.delete, group, key, "")
        return Response(status_code=204)


def _id(kind: EntityKind, request: Request) -> EntityId:
    said = request.path_params
    return EntityId(kind, said["project"], said["domain"], said["name"], said["version"])


def _named(handler: Handler, verb: str, path: str) -> Handler:
    # What OpenAPI calls the operation.
    handler.__name__ = f"{verb}_{path.replace('-', '_')}"
    return handler


def _secret(each: SecretName) -> SecretShape:
    return SecretShape(each.group, each.key, iso_moment(each.at))


def _secret_name(request: Request) -> tuple[str, str]:
    group, key = request.path_params["group"], request.path_params["key"]
    if not key.isprintable() or not group.isprintable() or len(key) > 255 or len(group) > 255:
        raise InputInvalid("the name of a secret has at most 255 letters, all of them printable.")
    return "" if group == NO_GROUP else group, key


def _bytes_of(said: NewSecret) -> bytes:
    try:
        return said.value.encode() if said.value is not None else base64.b64decode(said.base64 or "", validate=True)
    except (ValueError, binascii.Error):
        raise InputInvalid("the secret is no text in Unicode, or no base64.") from None
