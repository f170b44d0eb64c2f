"""Tokens of another issuer: JWTs, checked by the keys that it publishes (OpenID Connect discovery, RFC 9068).

Only signatures with a public key count; the issuer, the audience and the times must be right, give or take a minute.
Keys are kept for some minutes, and fetched again when a token names one that is not among them, but not at every such
token. The roles of somebody come from the claims of their token, and from those that are granted here.

Knows: JWTs, through joserfc (an extra, imported when the first token comes), HTTP as far as fetching two documents
takes it. Must not know: how people log in there.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from whimbrel.errors import InputInvalid, NotAuthenticated, UserError
from whimbrel.model.access import ALL_SCOPES, SCOPES, Grant, Place, Principal, PrincipalKind, Role
from whimbrel.server.auth.accounts import Accounts

log = logging.getLogger("whimbrel.auth")

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
"""None with a shared secret, and not ``none``."""
LEEWAY = 60
"""Seconds that clocks may differ."""
KEYS_SECONDS = 600.0
PAUSE = 30.0
"""Seconds between two looks for keys that were not there."""
OIDC_SCOPES = ("openid", "profile", "offline_access")
"""What clients ask the issuer for, when nobody says anything else."""
_LONGEST = 16 * 1024
_DOCUMENT = 1024 * 1024
_TIMEOUT = 10.0


class Rule(Struct, frozen=True):
    """Whoever has ``value`` in ``claim`` has that role."""

    claim: str
    value: str
    grant: Grant


class OidcConfig(Struct, frozen=True):
    """The other issuer, and what its tokens must say. ``client`` is the public client there with which people log in;
    ``scopes`` is what clients ask for."""

    issuer: str
    audience: str
    client: str = ""
    rules: tuple[Rule, ...] = ()
    scopes: tuple[str, ...] = OIDC_SCOPES


def read_rule(text: str) -> Rule:
    """``CLAIM=VALUE:ROLE[:PROJECT[:DOMAIN]]``. Raises ``InputInvalid``."""
    claim, equals, rest = text.partition("=")
    value, *parts = rest.split(":")
    if equals and claim and value and parts and len(parts) <= 3 and all(parts):
        try:
            return Rule(claim, value, Grant(Role(parts[0]), Place(*parts[1:])))
        except ValueError:
            pass
    raise InputInvalid(f"{text!r} says no role: write CLAIM=VALUE:ROLE, or CLAIM=VALUE:ROLE:PROJECT:DOMAIN.")


class Fetched(Struct, frozen=True):
    """What an issuer publishes."""

    metadata: dict[str, Any]
    keys: Any
    at: float


class Issuer:
    """See the module. ``now`` gives seconds since the epoch; ``fetch`` reads a document of the web."""

    def __init__(
        self,
        config: OidcConfig,
        accounts: Accounts,
        now: Callable[[], float],
        *,
        fetch: Callable[[str], bytes] | None = None,
    ) -> None:
        parts = urlsplit(config.issuer)
        if parts.scheme != "https" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise InputInvalid(f"--oidc-issuer {config.issuer} is no https address; its keys could be anybody's.")
        self.config = config
        self._accounts = accounts
        self._now = now
        self._fetch = fetch or _document
        self._fetched: Fetched | None = None
        self._looked = float("-inf")
        self._fetching = asyncio.Lock()

    async def metadata(self) -> dict[str, Any]:
        """What the issuer says of itself. Raises ``UserError`` when it cannot be asked."""
        return (await self._published()).metadata

    async def principal(self, token: str) -> Principal | None:
        """See ``Verifier``. Raises ``NotAuthenticated`` with what is wrong with a token."""
        if token.count(".") != 2 or len(token) > _LONGEST:
            return None
        claims = self._checked(await self._claims(token))
        name = str(claims.get("sub", ""))
        is_client = claims.get("client_id", claims.get("azp")) == name
        kind = PrincipalKind.CLIENT if is_client else PrincipalKind.USER
        granted = [rule.grant for rule in self.config.rules if rule.value in _values(claims, rule.claim)]
        kept = await self._accounts.grants_of(f"{kind.value}:{name}")
        return Principal(
            kind,
            name,
            (*dict.fromkeys((*granted, *kept)),),
            _scopes(claims),
            float(claims["exp"]),
            str(claims.get("client_id", "")),
            str(claims.get("email", "")),
        )

    async def _claims(self, token: str) -> dict[str, Any]:
        from joserfc import jwt
        from joserfc.errors import JoseError

        found = await self._published()
        for again in (False, True):
            try:
                return dict(jwt.decode(token, found.keys, algorithms=list(ALGORITHMS)).claims)
            except (JoseError, ValueError) as error:
                # Perhaps the issuer has new keys; whoever sends nonsense must not make us ask it each time.
                if again or self._now() - self._looked < PAUSE:
                    raise NotAuthenticated(
                        f"this token is not one of {self.config.issuer}; log in there again."
                    ) from error
                found = await self._published(after=found)
        raise AssertionError("the loop returns or raises")

    def _checked(self, claims: dict[str, Any]) -> dict[str, Any]:
        now = self._now()
        if claims.get("iss") != self.config.issuer:
            raise NotAuthenticated(f"this token is of another issuer; log in at {self.config.issuer}.")
        if self.config.audience not in _values(claims, "aud"):
            raise NotAuthenticated(f"this token is for others; ask for the audience {self.config.audience!r}.")
        expires = claims.get("exp")
        if isinstance(expires, bool) or not isinstance(expires, int | float) or expires + LEEWAY <= now:
            raise NotAuthenticated("this token has expired; log in again.")
        for claim in ("nbf", "iat"):
            begins = claims.get(claim, 0)
            if isinstance(begins, bool) or not isinstance(begins, int | float) or begins - LEEWAY > now:
                raise NotAuthenticated("this token is not good yet; look at the clocks.")
        if not isinstance(claims.get("sub"), str) or not claims["sub"]:
            raise NotAuthenticated("this token says not whose it is; ask its issuer for the claim 'sub'.")
        # What the gate sees: the leeway is for clocks, also at the end.
        return {**claims, "exp": expires + LEEWAY}

    async def _published(self, after: Fetched | None = None) -> Fetched:
        async with self._fetching:
            there = self._fetched
            if there is not None and there is not after and self._now() - there.at < KEYS_SECONDS:
                return there
            self._looked = self._now()
            try:
                fetched = self._fetched = await asyncio.to_thread(self._read)
            except (OSError, ValueError, KeyError, msgspec.DecodeError) as error:
                log.warning("%s cannot be asked for its keys: %s", self.config.issuer, error)
                if there is not None:
                    # Better those of before than locking everybody out.
                    return there
                raise UserError(f"{self.config.issuer} cannot be asked for its keys ({error}); try again.") from error
            return fetched

    def _read(self) -> Fetched:
        from joserfc.jwk import KeySet

        issuer = self.config.issuer
        metadata = msgspec.json.decode(
            self._fetch(f"{issuer.rstrip('/')}/.well-known/openid-configuration"), type=dict[str, Any]
        )
        if metadata.get("issuer") != issuer:
            raise ValueError(f"it says that it is {metadata.get('issuer')!r}")
        keys = msgspec.json.decode(self._fetch(metadata["jwks_uri"]), type=dict[str, Any])
        public = [key for key in keys["keys"] if key.get("kty") in ("RSA", "EC", "OKP") and key.get("use") != "enc"]
        return Fetched(metadata, KeySet.import_key_set({"keys": public}), self._now())


def _scopes(claims: Mapping[str, Any]) -> frozenset[str]:
    """Ours among the scopes of a token; where none of them is ours, the roles alone decide."""
    said = claims.get("scope", "")
    names = frozenset(said.split() if isinstance(said, str) else _values(claims, "scope"))
    ours = names & {ALL_SCOPES, *(scope.value for scope in SCOPES)}
    return ours or frozenset({ALL_SCOPES})


def _values(claims: Mapping[str, Any], claim: str) -> Sequence[str]:
    """A claim as a list of texts; ``realm_access.roles`` goes into objects."""
    found: Any = claims.get(claim)
    if found is None and "." in claim:
        found = claims
        for part in claim.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return (found,)
    return tuple(each for each in found if isinstance(each, str)) if isinstance(found, list) else ()


def _document(url: str) -> bytes:
    # Here: a server without this kind of authentication need not wait for it.
    import ssl
    import urllib.request

    if urlsplit(url).scheme not in ("https", "http"):
        raise ValueError(f"{url} is no address of the web")
    with urllib.request.urlopen(url, timeout=_TIMEOUT, context=ssl.create_default_context()) as answer:
        read: bytes = answer.read(_DOCUMENT + 1)
    if len(read) > _DOCUMENT:
        raise ValueError(f"{url} has more than {_DOCUMENT} bytes")
    return read
