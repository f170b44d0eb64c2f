"""Tokens: random words that stand for somebody, for a while. What is kept of one is its digest.

A refresh token is good once: whoever refreshes gets another. One that comes a second time was copied, and everything
that descends from the same login ends with it (RFC 9700, 4.14).

Knows: the store of access, accounts. Must not know: protocols. Docs: docs/decisions/0243.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable

import msgspec
from msgspec import Struct

from whimbrel.controlplane.access import AccessStore
from whimbrel.model.access import OFFLINE, AccessKind, AccessRow, Principal, PrincipalKind
from whimbrel.server.auth.accounts import Accounts
from whimbrel.server.auth.digests import digest_of, new_secret

ACCESS_SECONDS = 3600.0
REFRESH_SECONDS = 30 * 86400.0
REMEMBERED = 1.0
"""Seconds for which a token is not looked up again: what another process revokes is good for so long."""
_MOST = 4096
"""Tokens that are remembered at the same time."""
LONGEST = 4096
"""Characters of what may be a token."""


class Login(Struct, frozen=True):
    """What a token stands for. ``family`` is the same for all that descends from one login."""

    kind: PrincipalKind
    name: str
    client: str
    scopes: tuple[str, ...]
    family: str
    used: bool = False

    @property
    def principal(self) -> str:
        """``kind:name``."""
        return f"{self.kind.value}:{self.name}"


class Issued(Struct, frozen=True):
    """New tokens. ``refresh`` is "" when none was asked for; ``seconds`` is how long ``access`` is good."""

    access: str
    refresh: str
    seconds: float
    login: Login


class Known(Struct, frozen=True):
    """A token that is good, until ``expires_at``."""

    login: Login
    expires_at: float


_logins = msgspec.msgpack.Decoder(Login)
_encode = msgspec.msgpack.Encoder().encode


class Tokens:
    """See the module. ``now`` gives seconds since the epoch."""

    def __init__(
        self,
        store: AccessStore,
        accounts: Accounts,
        now: Callable[[], float],
        *,
        access_seconds: float = ACCESS_SECONDS,
        refresh_seconds: float = REFRESH_SECONDS,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._now = now
        self._access_seconds = access_seconds
        self._refresh_seconds = refresh_seconds
        self._remembered: dict[str, tuple[float, Principal | None]] = {}

    async def issue(self, login: Login) -> Issued:
        """Tokens for a login. One to refresh with comes with the scope ``offline``, to people only."""
        now = self._now()
        access = new_secret("wat")
        row = AccessRow(
            AccessKind.TOKEN, digest_of(access), login.principal, _encode(login), now + self._access_seconds
        )
        await self._store.add_access(row)
        refresh = ""
        if login.kind is PrincipalKind.USER and OFFLINE in login.scopes:
            refresh = new_secret("wrt")
            ends = now + self._refresh_seconds
            again = AccessRow(AccessKind.REFRESH, digest_of(refresh), login.principal, _encode(login), ends)
            await self._store.add_access(again)
        return Issued(access, refresh, self._access_seconds, login)

    async def refresh(self, token: str, client: str) -> Login | None:
        """What a refresh token stands for, which is used up by this; ``None`` when it is good for nothing."""
        row = await self._store.access(AccessKind.REFRESH, digest_of(token))
        if row is None or row.expires_at <= self._now():
            return None
        login = _logins.decode(row.body)
        if login.client != client:
            return None
        used = msgspec.structs.replace(row, body=_encode(msgspec.structs.replace(login, used=True)))
        if login.used or not await self._store.put_access(used, row.body):
            await self.end_family(login)
            return None
        return login

    async def is_kept(self, token: str) -> bool:
        """Whether a refresh token, used up or not, is still known: its family has not been ended."""
        return await self._store.access(AccessKind.REFRESH, digest_of(token)) is not None

    async def end_family(self, login: Login) -> None:
        """End everything that descends from a login."""
        for kind in (AccessKind.TOKEN, AccessKind.REFRESH):
            for row in await self._store.accesses(kind, login.principal):
                if _logins.decode(row.body).family == login.family:
                    await self._store.drop_access(kind, row.id)
        self._remembered.clear()

    async def revoke(self, token: str, client: str) -> None:
        """End a token of ``client``; of one to refresh with, all that descends from the same login (RFC 7009)."""
        digest = digest_of(token)
        for kind in (AccessKind.TOKEN, AccessKind.REFRESH):
            row = await self._store.access(kind, digest)
            if row is None:
                continue
            login = _logins.decode(row.body)
            if login.client != client:
                return
            await self._store.drop_access(kind, digest)
            if kind is AccessKind.REFRESH:
                await self.end_family(login)
        self._remembered.pop(digest, None)

    async def look(self, token: str) -> Known | None:
        """What an access token stands for, if it is good."""
        if len(token) > LONGEST:
            return None
        row = await self._store.access(AccessKind.TOKEN, digest_of(token))
        if row is None or row.expires_at <= self._now():
            return None
        return Known(_logins.decode(row.body), row.expires_at)

    async def principal(self, token: str) -> Principal | None:
        """Who comes with ``token``; ``None`` when it is good for nothing."""
        digest, now = digest_of(token[:LONGEST]), self._now()
        until, remembered = self._remembered.get(digest, (0.0, None))
        if now < until and (remembered is None or now < remembered.expires_at):
            return remembered
        known = await self.look(token)
        found = None
        if known is not None:
            login = known.login
            grants = await self._accounts.grants_of(login.principal)
            scopes = frozenset(login.scopes)
            found = Principal(login.kind, login.name, grants, scopes, known.expires_at, login.client)
        if len(self._remembered) >= _MOST:
            self._remembered.clear()
        self._remembered[digest] = (now + REMEMBERED, found)
        return found


def new_family() -> str:
    """The name of a login."""
    return secrets.token_hex(8)
