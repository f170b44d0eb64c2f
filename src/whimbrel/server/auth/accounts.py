"""Accounts: people with passwords, programs with secrets, and the roles of both.

Knows: the store of access. Must not know: tokens, protocols. The command line works on it beside a running server.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import msgspec
from msgspec import Struct

from whimbrel.controlplane.access import AccessStore
from whimbrel.errors import AlreadyExists, EntityNotFound, InputInvalid
from whimbrel.model.access import ANY, AccessKind, AccessRow, Grant, Place, PrincipalKind, Role
from whimbrel.server.auth.digests import LONGEST, hashed, matches, new_secret

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,126}")
_PLACE = re.compile(r"\*|[A-Za-z0-9][A-Za-z0-9._-]{0,126}")
SHORTEST = 10
"""Characters of the shortest password: NIST asks for eight, and guessing is throttled besides."""
PUBLIC_CLIENT = "whimbrel-cli"
"""The client that has no secret and is always there: command lines, in which people log in."""


class User(Struct, frozen=True):
    """A person. ``password`` is a hash."""

    name: str
    password: str
    email: str = ""
    created_at: float = 0.0


class Client(Struct, frozen=True):
    """A program. ``secret`` is a hash, "" for one that can keep none. ``redirects`` are where people may be sent after
    they have logged in, besides this machine of theirs, which all may."""

    id: str
    secret: str = ""
    redirects: tuple[str, ...] = ()
    description: str = ""
    created_at: float = 0.0

    @property
    def public(self) -> bool:
        """Whether it has no secret."""
        return not self.secret


_users = msgspec.msgpack.Decoder(User)
_clients = msgspec.msgpack.Decoder(Client)
_grants = msgspec.msgpack.Decoder(Grant)
_encode = msgspec.msgpack.Encoder().encode


class Accounts:
    """See the module. ``now`` gives seconds since the epoch."""

    def __init__(self, store: AccessStore, now: Callable[[], float]) -> None:
        self._store = store
        self._now = now
        # Each check takes 16 MiB and a processor: two at a time keep the rest of the server alive.
        self._room = asyncio.Semaphore(2)

    # --- people

    async def add_user(self, name: str, password: str, email: str = "") -> User:
        """Raises ``AlreadyExists``, ``InputInvalid``."""
        _must_be_a_name(name)
        user = User(name, await self._hashed(password), email, self._now())
        if not await self._store.add_access(AccessRow(AccessKind.USER, name, f"user:{name}", _encode(user))):
            raise AlreadyExists(f"there is a user {name} already; `whimbrel auth user password {name}` sets another.")
        return user

    async def set_password(self, name: str, password: str) -> None:
        """Also ends everything that the person is logged in with. Raises ``EntityNotFound``, ``InputInvalid``."""
        user = await self.user(name)
        changed = msgspec.structs.replace(user, password=await self._hashed(password))
        await self._store.put_access(AccessRow(AccessKind.USER, name, f"user:{name}", _encode(changed)))
        await self.log_out(f"user:{name}")

    async def user(self, name: str) -> User:
        """Raises ``EntityNotFound``."""
        row = await self._store.access(AccessKind.USER, name)
        if row is None:
            raise EntityNotFound(f"there is no user {name!r}; `whimbrel auth user list` shows them.")
        return _users.decode(row.body)

    async def users(self) -> list[User]:
        """By name."""
        return [_users.decode(row.body) for row in await self._store.accesses(AccessKind.USER)]

    async def drop_user(self, name: str) -> None:
        """With their roles, and everything that they are logged in with. Raises ``EntityNotFound``."""
        await self.user(name)
        await self._forget(AccessKind.USER, name, f"user:{name}")

    async def person(self, name: str, password: str) -> User | None:
        """The user of that name, if that is the password. Takes as long whether there is one or not."""
        row = await self._store.access(AccessKind.USER, name)
        user = None if row is None else _users.decode(row.body)
        right = await self._checked(password, "" if user is None else user.password)
        return user if right else None

    # --- programs

    async def add_client(
        self, id: str, *, public: bool = False, redirects: tuple[str, ...] = (), description: str = ""
    ) -> str:
        """Its secret, which nobody can read again; "" for a public one. Raises ``AlreadyExists``, ``InputInvalid``."""
        _must_be_a_name(id)
        secret = "" if public else new_secret("wsec")
        kept = "" if public else await asyncio.to_thread(hashed, secret)
        client = Client(id, kept, redirects, description, self._now())
        taken = id == PUBLIC_CLIENT or not await self._store.add_access(
            AccessRow(AccessKind.CLIENT, id, f"client:{id}", _encode(client))
        )
        if taken:
            raise AlreadyExists(f"there is a client {id} already; revoke it first, or choose another name.")
        return secret

    async def client(self, id: str) -> Client | None:
        """The client of that id."""
        if id == PUBLIC_CLIENT:
            return Client(PUBLIC_CLIENT, description="command lines")
        row = await self._store.access(AccessKind.CLIENT, id)
        return None if row is None else _clients.decode(row.body)

    async def clients(self) -> list[Client]:
        """By id."""
        return [_clients.decode(row.body) for row in await self._store.accesses(AccessKind.CLIENT)]

    async def drop_client(self, id: str) -> None:
        """With its roles and its tokens. Raises ``EntityNotFound``."""
        if await self._store.access(AccessKind.CLIENT, id) is None:
            raise EntityNotFound(f"there is no client {id!r}; `whimbrel auth client list` shows them.")
        await self._forget(AccessKind.CLIENT, id, f"client:{id}")

    async def is_secret(self, client: Client | None, secret: str) -> bool:
        """Whether that is the client's secret. Takes as long whether there is one or not."""
        return await self._checked(secret, client.secret if client is not None else "")

    # --- roles

    async def grant(self, principal: str, role: Role, place: Place) -> bool:
        """``principal`` is ``user:NAME`` or ``client:ID``; whether it is new. Raises ``InputInvalid``."""
        kind, colon, name = principal.partition(":")
        if not colon or kind not in (PrincipalKind.USER.value, PrincipalKind.CLIENT.value) or not name:
            raise InputInvalid(f"{principal!r} is nobody who can have a role; write user:NAME or client:ID.")
        for part in (place.project, place.domain):
            if not _PLACE.fullmatch(part):
                raise InputInvalid(f"{part!r} is no project or domain; write its id, or {ANY} for all of them.")
        grant = Grant(role, place)
        return await self._store.add_access(
            AccessRow(AccessKind.GRANT, f"{principal} {grant}", principal, _encode(grant))
        )

    async def revoke(self, principal: str, role: Role, place: Place) -> None:
        """Raises ``EntityNotFound``."""
        if not await self._store.drop_access(AccessKind.GRANT, f"{principal} {Grant(role, place)}"):
            raise EntityNotFound(
                f"{principal} is not {Grant(role, place)}; `whimbrel auth role list` shows who is what."
            )

    async def grants_of(self, principal: str) -> tuple[Grant, ...]:
        """The roles of somebody."""
        return tuple(_grants.decode(row.body) for row in await self._store.accesses(AccessKind.GRANT, principal))

    async def grants(self) -> list[tuple[str, Grant]]:
        """Who is what."""
        return [(row.owner, _grants.decode(row.body)) for row in await self._store.accesses(AccessKind.GRANT)]

    # --- inside

    async def log_out(self, principal: str) -> None:
        """End everything that somebody is logged in with."""
        for kind in (AccessKind.TOKEN, AccessKind.REFRESH, AccessKind.CODE, AccessKind.DEVICE):
            for row in await self._store.accesses(kind, principal):
                await self._store.drop_access(kind, row.id)

    async def _forget(self, kind: AccessKind, id: str, principal: str) -> None:
        # First the account: nobody can log in again while the rest is taken away.
        await self._store.drop_access(kind, id)
        for row in await self._store.accesses(AccessKind.GRANT, principal):
            await self._store.drop_access(AccessKind.GRANT, row.id)
        await self.log_out(principal)

    async def _hashed(self, password: str) -> str:
        if not SHORTEST <= len(password) <= LONGEST:
            raise InputInvalid(f"a password has {SHORTEST} to {LONGEST} characters; choose another.")
        return await asyncio.to_thread(hashed, password)

    async def _checked(self, said: str, kept: str) -> bool:
        async with self._room:
            return await asyncio.to_thread(matches, said, kept)


def _must_be_a_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise InputInvalid(
            f"{name!r} cannot be a name: letters, digits and ._@+-, the first a letter or digit, at most 127."
        )
