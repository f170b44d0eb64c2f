"""Authentication of one server, put together.

Knows: everything of this room. Must not know: transports, the command line.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from msgspec import Struct

from whimbrel.controlplane.access import AccessStore
from whimbrel.errors import UserError
from whimbrel.model.access import ALL_SCOPES, OFFLINE, AccessKind, AccessRow
from whimbrel.server.auth.accounts import PUBLIC_CLIENT, Accounts
from whimbrel.server.auth.attempts import AttemptTokens
from whimbrel.server.auth.auditing import Auditor
from whimbrel.server.auth.gate import Gate, Verifier
from whimbrel.server.auth.oauth import KNOWN_SCOPES, OAuth
from whimbrel.server.auth.oidc import Issuer, OidcConfig
from whimbrel.server.auth.signing import Signer
from whimbrel.server.auth.tokens import Tokens
from whimbrel.server.limits import Buckets, Limits

REDIRECT = "http://localhost:53593/callback"
"""Where Flyte's clients wait for a code, when the server says so."""
_KEY_BYTES = 32


class PublicClient(Struct, frozen=True):
    """With what command lines log in, as Flyte's clients ask for it."""

    id: str
    redirect: str
    scopes: tuple[str, ...]
    audience: str = ""


class Access(Struct, frozen=True):
    """See the module. ``oauth`` is ``None`` where another issuer is asked, and ``issuer`` where none is. ``key`` signs
    what only this server reads. ``trusts_proxy`` says that addresses come from a proxy."""

    store: AccessStore
    gate: Gate
    auditor: Auditor
    attempts: AttemptTokens
    signer: Signer
    key: bytes
    oauth: OAuth | None
    issuer: Issuer | None
    trusts_proxy: bool

    async def metadata(self) -> dict[str, object]:
        """What the server that gives tokens says of itself (RFC 8414). Raises ``UserError``."""
        if self.issuer is not None:
            return await self.issuer.metadata()
        assert self.oauth is not None
        return self.oauth.metadata()

    def resource(self, url: str) -> dict[str, object]:
        """Where to log in for ``url`` (RFC 9728), and as what, which the standard has no words for."""
        client = self.public_client()
        own = self.oauth is not None
        return {
            "resource": url,
            "authorization_servers": [self.issuer.config.issuer if self.issuer is not None else url],
            "scopes_supported": list(KNOWN_SCOPES) if own else list(client.scopes),
            "bearer_methods_supported": ["header"],
            "whimbrel_own_issuer": own,
            "whimbrel_client_id": client.id,
            "whimbrel_redirect_uri": client.redirect,
            "whimbrel_scopes": list(client.scopes),
            "whimbrel_audience": client.audience,
        }

    async def login(self, url: str) -> dict[str, object]:
        """What ``resource`` says, and where codes and tokens are had, as far as the issuer can be asked."""
        try:
            said = await self.metadata()
        except UserError:
            said = {}
        found = {
            f"whimbrel_{name}": str(said.get(name, ""))
            for name in ("authorization_endpoint", "token_endpoint", "revocation_endpoint")
        }
        return self.resource(url) | found

    async def elsewhere(self) -> tuple[str, ...]:
        """The origins at which a page gets and revokes tokens, where that is not this server."""
        if self.issuer is None:
            return ()
        said = await self.login("")
        urls = [urlsplit(str(said[f"whimbrel_{name}"])) for name in ("token_endpoint", "revocation_endpoint")]
        return tuple(dict.fromkeys(f"{url.scheme}://{url.netloc}" for url in urls if url.netloc))

    def public_client(self) -> PublicClient:
        """See ``PublicClient``."""
        if self.issuer is not None:
            config = self.issuer.config
            return PublicClient(config.client, REDIRECT, config.scopes, config.audience)
        return PublicClient(PUBLIC_CLIENT, REDIRECT, (OFFLINE, ALL_SCOPES))

    async def clean(self, now: float) -> None:
        """Forget what has expired."""
        await self.store.expire_access(now)
        if self.oauth is not None:
            self.oauth.forget()


async def made_access(
    store: AccessStore,
    now: Callable[[], float],
    *,
    url: Callable[[], str],
    oidc: OidcConfig | None = None,
    trusts_proxy: bool = False,
    limits: Limits = Limits(),  # noqa: B008  frozen
) -> Access:
    """The access of a server that people find under ``url``: its own OAuth2 server, or tokens of ``oidc``."""
    accounts = Accounts(store, now)
    attempts = AttemptTokens()
    auditor = Auditor(store, now)
    oauth, issuer = None, None
    verifiers: list[Verifier] = [attempts]
    if oidc is not None:
        issuer = Issuer(oidc, accounts, now)
        verifiers.append(issuer)
    else:
        tokens = Tokens(store, accounts, now)
        oauth = OAuth(store, accounts, tokens, now, issuer=url)
        verifiers.append(tokens)
    key = await _key(store)
    return Access(
        store=store,
        gate=Gate(verifiers, auditor, now, Buckets(limits.rate, limits.burst, time.monotonic)),
        auditor=auditor,
        attempts=attempts,
        signer=Signer(key, now),
        key=key,
        oauth=oauth,
        issuer=issuer,
        trusts_proxy=trusts_proxy,
    )


async def _key(store: AccessStore) -> bytes:
    """A key of this home; made with the first start. What is signed outlives a restart."""
    fresh = AccessRow(AccessKind.KEY, "signing", body=secrets.token_bytes(_KEY_BYTES))
    await store.add_access(fresh)
    row = await store.access(AccessKind.KEY, fresh.id)
    assert row is not None
    return row.body
