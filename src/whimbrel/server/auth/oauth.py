"""The OAuth2 server: grants, without the web around them.

RFC 6749 with what RFC 9700 asks for: codes with PKCE (S256 alone) and good once, refresh tokens that rotate, no
implicit grant, no passwords of people for programs. RFC 8628 for devices, 7009 to revoke, 7662 to introspect, 8252 for
programs on a person's machine, 9207 for who answers.

Knows: accounts, tokens. Must not know: HTTP frameworks, pages. Docs: docs/decisions/0243.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import msgspec
from msgspec import Struct

from whimbrel.controlplane.access import AccessStore
from whimbrel.model.access import ALL_SCOPES, OFFLINE, SCOPES, AccessKind, AccessRow, PrincipalKind
from whimbrel.server.auth.accounts import PUBLIC_CLIENT, Accounts, Client
from whimbrel.server.auth.digests import digest_of, equal, new_secret
from whimbrel.server.auth.throttle import Throttle
from whimbrel.server.auth.tokens import Issued, Login, Tokens, new_family

KNOWN_SCOPES = (ALL_SCOPES, OFFLINE, *(scope.value for scope in SCOPES))
_TOLERATED = frozenset({"openid", "profile", "email", "offline_access"})
"""Scopes of OpenID that clients ask for out of habit: they are not given, and that is said."""
CONSOLE = "/console/login"
"""Where the console takes a code: people of command lines may be sent there, on this server."""
CODE_SECONDS = 120.0
DEVICE_SECONDS = 600.0
POLL_SECONDS = 2.0
"""Between two questions of a device."""
DEVICES = 100
"""Codes for devices that an address may ask for before it has to wait."""
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ"
"""Of user codes: no vowels, so no words; none that look like digits (RFC 8628, 6.1)."""
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")

DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
GRANTS = ("authorization_code", "refresh_token", "client_credentials", DEVICE_GRANT)


class OAuthError(Exception):
    """A refusal in the words of RFC 6749, 5.2. ``principal`` is who tried, for the audit log."""

    def __init__(
        self, code: str, description: str, status: int = 400, *, principal: str = "", retry_after: int = 0
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.status = status
        self.principal = principal
        self.retry_after = retry_after


class Asked(Struct, frozen=True):
    """A request for authorization that may be shown to a person."""

    client: str
    redirect: str
    state: str
    scopes: tuple[str, ...]
    challenge: str


class Code(Struct, frozen=True):
    """What an authorization code stands for."""

    login: Login
    redirect: str
    challenge: str
    used: bool = False
    copied: bool = False


class Device(Struct, frozen=True):
    """A device that waits for its person. ``answer`` is "", ``yes`` or ``no``."""

    client: str
    scopes: tuple[str, ...]
    answer: str = ""
    user: str = ""


class UserCode(Struct, frozen=True):
    """Which device a user code is of."""

    device: str


_codes = msgspec.msgpack.Decoder(Code)
_devices = msgspec.msgpack.Decoder(Device)
_user_codes = msgspec.msgpack.Decoder(UserCode)
_encode = msgspec.msgpack.Encoder().encode
Form = Mapping[str, str]


def read_form(pairs: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Parameters, each at most once. Raises ``OAuthError``."""
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise OAuthError("invalid_request", f"the parameter {name[:64]} comes twice")
        found[name] = value
    return found


class OAuth:
    """See the module. ``issuer`` says under which address people find the server; ``now`` gives seconds."""

    def __init__(
        self,
        store: AccessStore,
        accounts: Accounts,
        tokens: Tokens,
        now: Callable[[], float],
        *,
        issuer: Callable[[], str],
        throttle: Throttle | None = None,
    ) -> None:
        self._store = store
        self._accounts = accounts
        self._tokens = tokens
        self._now = now
        self._issuer = issuer
        self._throttle = throttle or Throttle(now)
        self._devices = Throttle(now, free=DEVICES)
        # When each device asked last. In memory: after a restart one question comes too soon.
        self._polled: dict[str, float] = {}

    def metadata(self) -> dict[str, Any]:
        """RFC 8414."""
        issuer = self._issuer()
        methods = ["client_secret_basic", "client_secret_post", "none"]
        return {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth2/authorize",
            "token_endpoint": f"{issuer}/oauth2/token",
            "device_authorization_endpoint": f"{issuer}/oauth2/device_authorization",
            "revocation_endpoint": f"{issuer}/oauth2/revoke",
            "introspection_endpoint": f"{issuer}/oauth2/introspect",
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": list(GRANTS),
            "code_challenge_methods_supported": ["S256"],
            "scopes_supported": list(KNOWN_SCOPES),
            "token_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_methods_supported": methods,
            "introspection_endpoint_auth_methods_supported": methods[:2],
            "authorization_response_iss_parameter_supported": True,
        }

    # --- the token endpoint

    async def token(self, form: Form, authorization: str, address: str) -> Issued:
        """Tokens for what ``form`` brings. Raises ``OAuthError``."""
        client = await self._client(form, authorization, address)
        match form.get("grant_type", ""):
            case "client_credentials":
                if client.public:
                    raise OAuthError("unauthorized_client", "a client without a secret has no credentials to bring")
                scopes = tuple(scope for scope in _scopes(form) if scope != OFFLINE)
                return await self._tokens.issue(_login(PrincipalKind.CLIENT, client.id, client.id, scopes))
            case "authorization_code":
                return await self._of_code(form, client)
            case "refresh_token":
                return await self._of_refresh(form, client)
            case grant if grant == DEVICE_GRANT:
                return await self._of_device(form, client)
            case "":
                raise OAuthError("invalid_request", "grant_type is missing")
            case _:
                raise OAuthError("unsupported_grant_type", f"there are {', '.join(GRANTS)}")

    async def _client(self, form: Form, authorization: str, address: str) -> Client:
        """The client that asks. Raises ``OAuthError``."""
        id, secret = form.get("client_id", ""), form.get("client_secret")
        if authorization:
            if secret is not None:
                raise OAuthError("invalid_request", "the client says who it is in two ways")
            basic_id, secret = _basic(authorization)
            if id and id != basic_id:
                raise OAuthError("invalid_request", "the client says that it is two")
            id = basic_id
        if not id:
            raise OAuthError("invalid_client", "say who asks: client_id, or HTTP Basic", 401)
        names = (f"client:{id} {address}", f"address:{address}")
        self._must_not_wait(names, f"client:{id}")
        client = await self._accounts.client(id)
        if client is not None and client.public:
            if secret:
                raise OAuthError("invalid_client", "this client has no secret; leave it out", 401)
            return client
        if not await self._accounts.is_secret(client, secret or "") or client is None:
            self._throttle.failed(*names)
            raise OAuthError("invalid_client", "no such client, or another secret", 401, principal=f"client:{id}")
        self._throttle.succeeded(*names)
        return client

    def _must_not_wait(self, names: Sequence[str], principal: str) -> None:
        wait = self._throttle.wait(*names)
        if wait:
            said = f"too many wrong tries; wait {wait:.0f} seconds"
            raise OAuthError("slow_down", said, 429, principal=principal, retry_after=int(wait) + 1)

    async def _of_code(self, form: Form, client: Client) -> Issued:
        refusal = OAuthError("invalid_grant", "this code is good for nothing; ask for another")
        row = await self._store.access(AccessKind.CODE, digest_of(form.get("code", "")))
        if row is None:
            raise refusal
        code = _codes.decode(row.body)
        if code.login.client != client.id:
            raise refusal
        used = msgspec.structs.replace(row, body=_encode(msgspec.structs.replace(code, used=True)))
        if code.used or not await self._store.put_access(used, row.body):
            # It was copied: what the first one got ends too, and what it is just about to get.
            copied = msgspec.structs.replace(code, used=True, copied=True)
            await self._store.put_access(msgspec.structs.replace(row, body=_encode(copied)))
            await self._tokens.end_family(code.login)
            refusal.principal = code.login.principal
            raise refusal
        verifier = form.get("code_verifier", "")
        proof = hashlib.sha256(verifier.encode("utf-8", "replace")).digest()
        right = _VERIFIER.fullmatch(verifier) and equal(_b64(proof), code.challenge)
        if row.expires_at <= self._now() or form.get("redirect_uri", "") != code.redirect or not right:
            raise refusal
        issued = await self._tokens.issue(code.login)
        now = await self._store.access(AccessKind.CODE, row.id)
        if now is None or _codes.decode(now.body).copied:
            await self._tokens.end_family(code.login)
            raise refusal
        return issued

    async def _of_refresh(self, form: Form, client: Client) -> Issued:
        refusal = OAuthError("invalid_grant", "this refresh token is good for nothing; log in again")
        login = await self._tokens.refresh(form.get("refresh_token", ""), client.id)
        if login is None:
            raise refusal
        if form.get("scope"):
            wanted = _scopes(form)
            if not set(wanted) <= set(login.scopes) and ALL_SCOPES not in login.scopes:
                raise OAuthError("invalid_scope", "a refreshed token has no more scopes than the login")
            # What the login had is what the next refresh may ask for.
            login = msgspec.structs.replace(login, scopes=wanted if OFFLINE in wanted else (*wanted, OFFLINE))
        issued = await self._tokens.issue(login)
        if not await self._tokens.is_kept(form["refresh_token"]):
            # A copy of it came meanwhile, and ended the family.
            await self._tokens.end_family(login)
            raise refusal
        return issued

    # --- the authorization endpoint

    async def asked(self, form: Form) -> Asked:
        """What a person is to be asked. Raises ``OAuthError`` for what must not be answered to ``redirect_uri``:
        an unknown client, or one that may not send people there."""
        client = await self._accounts.client(form.get("client_id", ""))
        if client is None:
            raise OAuthError("invalid_client", "there is no such client; the program that sent you here is not known")
        redirect = form.get("redirect_uri", "")
        console = client.id == PUBLIC_CLIENT and redirect == f"{self._issuer()}{CONSOLE}"
        if not console and not may_redirect(redirect, client):
            raise OAuthError("invalid_request", "this client may not send people there (redirect_uri)")
        return Asked(client.id, redirect, form.get("state", ""), (), form.get("code_challenge", ""))

    def scopes_asked(self, form: Form) -> tuple[str, ...]:
        """The scopes of a request for authorization. Raises ``OAuthError`` for what is answered to ``redirect_uri``."""
        if form.get("response_type") != "code":
            raise OAuthError("unsupported_response_type", "response_type is code, and nothing else")
        if form.get("code_challenge_method") != "S256" or not _CHALLENGE.fullmatch(form.get("code_challenge", "")):
            raise OAuthError("invalid_request", "PKCE is needed: code_challenge, and code_challenge_method=S256")
        if form.get("response_mode", "query") != "query" or "request" in form or "request_uri" in form:
            raise OAuthError("invalid_request", "answers come in the query, and requests do too")
        return _scopes(form)

    async def person(self, name: str, password: str, address: str) -> str:
        """The name of a user who logs in. Raises ``OAuthError``."""
        names = (f"user:{name} {address}", f"address:{address}")
        self._must_not_wait(names, f"user:{name}")
        user = await self._accounts.person(name, password)
        if user is None:
            self._throttle.failed(*names)
            raise OAuthError("access_denied", "no such user, or another password", 401, principal=f"user:{name}")
        self._throttle.succeeded(*names)
        return user.name

    async def code_for(self, asked: Asked, user: str) -> str:
        """An authorization code for somebody who has said yes."""
        code = new_secret("wco")
        login = _login(PrincipalKind.USER, user, asked.client, asked.scopes)
        body = _encode(Code(login, asked.redirect, asked.challenge))
        # A used one is kept a while longer than it is good, so that a copy of it is noticed.
        ends = self._now() + CODE_SECONDS
        await self._store.add_access(AccessRow(AccessKind.CODE, digest_of(code), login.principal, body, ends))
        return code

    # --- devices

    async def device(self, form: Form, authorization: str, address: str) -> dict[str, Any]:
        """RFC 8628, 3.2. Raises ``OAuthError``."""
        client = await self._client(form, authorization, address)
        # Anybody may ask, and each question is kept for a while.
        names = (f"devices {address}",)
        if wait := self._devices.wait(*names):
            raise OAuthError("slow_down", f"too many; wait {wait:.0f} seconds", 429, retry_after=int(wait) + 1)
        self._devices.failed(*names)
        code, ends = new_secret("wdc"), self._now() + DEVICE_SECONDS
        body = _encode(Device(client.id, _scopes(form)))
        await self._store.add_access(AccessRow(AccessKind.DEVICE, digest_of(code), f"client:{client.id}", body, ends))
        while True:
            user_code = "".join(secrets.choice(_LETTERS) for _ in range(8))
            named = _encode(UserCode(digest_of(code)))
            row = AccessRow(AccessKind.DEVICE, f"user {user_code}", f"client:{client.id}", named, ends)
            if await self._store.add_access(row):
                break
        shown = f"{user_code[:4]}-{user_code[4:]}"
        issuer = self._issuer()
        return {
            "device_code": code,
            "user_code": shown,
            "verification_uri": f"{issuer}/oauth2/device",
            "verification_uri_complete": f"{issuer}/oauth2/device?user_code={shown}",
            "expires_in": int(DEVICE_SECONDS),
            "interval": int(POLL_SECONDS),
        }

    async def device_of(self, user_code: str, address: str) -> tuple[AccessRow, Device]:
        """The device that shows a user code. Raises ``OAuthError``; guesses are throttled."""
        names = (f"device {address}",)
        self._must_not_wait(names, "")
        letters = "".join(letter for letter in user_code.upper() if letter in _LETTERS)[:8]
        named = await self._store.access(AccessKind.DEVICE, f"user {letters}")
        row = None
        if named is not None:
            row = await self._store.access(AccessKind.DEVICE, _user_codes.decode(named.body).device)
        if row is None or row.expires_at <= self._now() or _devices.decode(row.body).answer:
            self._throttle.failed(*names)
            raise OAuthError("invalid_grant", "no device shows this code, or not any more")
        return row, _devices.decode(row.body)

    async def answer_device(self, row: AccessRow, device: Device, user: str, *, yes: bool) -> None:
        """What a person says to a device. Raises ``OAuthError`` when somebody has answered before."""
        said = msgspec.structs.replace(device, answer="yes" if yes else "no", user=user)
        # It is the person's from here on: whoever takes their account away takes this too.
        answered = msgspec.structs.replace(row, body=_encode(said), owner=f"user:{user}")
        if not await self._store.put_access(answered, row.body):
            raise OAuthError("invalid_grant", "somebody has answered this already")

    async def _of_device(self, form: Form, client: Client) -> Issued:
        digest, now = digest_of(form.get("device_code", "")), self._now()
        row = await self._store.access(AccessKind.DEVICE, digest)
        if row is None:
            raise OAuthError("invalid_grant", "this device code is good for nothing; ask for another")
        device = _devices.decode(row.body)
        if device.client != client.id:
            raise OAuthError("invalid_grant", "this device code is good for nothing; ask for another")
        if row.expires_at <= now:
            raise OAuthError("expired_token", "nobody answered in time; ask for another code")
        last, self._polled[digest] = self._polled.get(digest, 0.0), now
        if not device.answer:
            if now - last < POLL_SECONDS * 0.5:
                raise OAuthError("slow_down", f"ask every {POLL_SECONDS:g} seconds")
            raise OAuthError("authorization_pending", "nobody has answered yet")
        del self._polled[digest]
        if not await self._store.drop_access(AccessKind.DEVICE, digest):
            raise OAuthError("invalid_grant", "this device code is good for nothing; ask for another")
        if device.answer == "no":
            raise OAuthError("access_denied", "the person said no", principal=f"user:{device.user}")
        return await self._tokens.issue(_login(PrincipalKind.USER, device.user, client.id, device.scopes))

    # --- the rest

    async def revoke(self, form: Form, authorization: str, address: str) -> None:
        """RFC 7009. Raises ``OAuthError``."""
        client = await self._client(form, authorization, address)
        await self._tokens.revoke(form.get("token", ""), client.id)

    async def introspect(self, form: Form, authorization: str, address: str) -> dict[str, Any]:
        """RFC 7662, for clients with a secret. Raises ``OAuthError``."""
        client = await self._client(form, authorization, address)
        if client.public:
            raise OAuthError("invalid_client", "only a client with a secret may ask", 401)
        known = await self._tokens.look(form.get("token", ""))
        if known is None:
            return {"active": False}
        return {
            "active": True,
            "scope": " ".join(known.login.scopes),
            "client_id": known.login.client,
            "sub": known.login.principal,
            "username": known.login.name,
            "token_type": "Bearer",
            "exp": int(known.expires_at),
            "iss": self._issuer(),
        }

    def forget(self) -> None:
        """Let go of what is remembered of devices that have gone."""
        before = self._now() - DEVICE_SECONDS
        self._polled = {digest: at for digest, at in self._polled.items() if at > before}


def may_redirect(uri: str, client: Client) -> bool:
    """Whether ``client`` may send people to ``uri``: one of its own, or this machine of theirs on any port (RFC 8252,
    7.3)."""
    if uri in client.redirects:
        return True
    try:
        parts = urlsplit(uri)
        port = parts.port
    except ValueError:
        return False
    return (
        parts.scheme == "http"
        and parts.hostname in _LOOPBACK
        and port is not None
        and parts.username is None
        and not parts.fragment
        and uri.isascii()
        and all(letter.isprintable() and letter != " " and letter not in "\"'<>\\" for letter in uri)
    )


def _login(kind: PrincipalKind, name: str, client: str, scopes: tuple[str, ...]) -> Login:
    return Login(kind, name, client, scopes, new_family())


def _scopes(form: Form) -> tuple[str, ...]:
    """The scopes asked for, each once; all when none is. Raises ``OAuthError``."""
    said = list(dict.fromkeys(form.get("scope", "").replace(",", " ").split()))
    unknown = [scope for scope in said if scope not in KNOWN_SCOPES and scope not in _TOLERATED]
    if unknown:
        raise OAuthError("invalid_scope", f"there is no such scope; there are {', '.join(KNOWN_SCOPES)}")
    found = tuple(scope for scope in said if scope in KNOWN_SCOPES)
    if not set(found) - {OFFLINE}:
        return (ALL_SCOPES, *found)
    return found


def _basic(authorization: str) -> tuple[str, str]:
    """Raises ``OAuthError``."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() != "basic":
        raise OAuthError("invalid_client", "clients say who they are with HTTP Basic, or in the body", 401)
    try:
        id, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (ValueError, binascii.Error):
        colon = ""
    if not colon:
        raise OAuthError("invalid_client", "this is no HTTP Basic", 401)
    # RFC 6749, 2.3.1: both are encoded as in a form.
    return unquote_plus(id), unquote_plus(secret)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
