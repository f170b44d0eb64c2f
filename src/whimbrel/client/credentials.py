"""Who asks: a token that is given, a client's secret, a person's login (in a browser, or on a device), a command.

Where to log in, the server says itself (RFC 9728). What a person logged in with is kept in a file that only they can
read, so that the next command need not ask again; secrets and what comes of them are kept in memory alone.

Knows: OAuth2 as a client speaks it, httpx (imported when the first request is made). Must not know: what any request to
the server is for.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import os
import secrets
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import msgspec
from msgspec import Struct

from whimbrel.client.configuration import Config
from whimbrel.errors import InputInvalid, NotAuthenticated

if TYPE_CHECKING:
    import ssl

    import httpx

MODES = ("ClientSecret", "Pkce", "DeviceFlow", "ExternalCommand")
_WORDS = {mode.lower(): mode for mode in MODES} | {
    "client_credentials": "ClientSecret",
    "clientcredentials": "ClientSecret",
    "basic": "ClientSecret",
    "standard": "Pkce",
    "external_process": "ExternalCommand",
    "externalprocess": "ExternalCommand",
}
"""flytectl's words for each, and their older ones."""
EARLY = 30.0
"""Seconds before its end at which a token is not used any more: requests take a while."""
_PATIENCE = 300.0
"""Seconds that a person has to log in."""
_COMMAND = 120.0
_JUST_NOW = 2.0
"""Seconds for which a token is new: of many requests that are refused at once, one gets another."""
_DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


class Token(Struct, frozen=True):
    """A token, until ``expires_at`` (seconds since the epoch)."""

    access: str
    expires_at: float
    refresh: str = ""


class Endpoints(Struct, frozen=True):
    """Where to log in, and as which program. ``redirect`` "" is any port of this machine."""

    token: str
    authorize: str = ""
    device: str = ""
    client: str = ""
    redirect: str = ""
    scopes: tuple[str, ...] = ()
    audience: str = ""
    issuer: str = ""


def tell_person(text: str) -> None:
    """A line for whoever is to log in."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


class Login:
    """``transport.Credentials`` as ``config`` says. Belongs to one event loop at a time.

    ``cache`` is where logins of people are kept; ``tell`` hears what they have to do; ``browse`` opens an address, and
    says whether it could.
    """

    def __init__(
        self,
        config: Config,
        *,
        cache: Path | None = None,
        tell: Callable[[str], None] = tell_person,
        browse: Callable[[str], bool] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._mode = mode_of(config)
        self._cache = cache or _cache_file()
        self._tell = tell
        self._browse = browse or _browsed
        self._now = now
        self._lock = asyncio.Lock()
        self._token: Token | None = Token(config.token, float("inf")) if config.token else None
        self._obtained = 0.0
        self._looked = False

    async def headers(self) -> Mapping[str, str]:
        """What every request carries. Raises ``NotAuthenticated`` when a login fails."""
        found = {}
        if self._config.proxy_command:
            found["proxy-authorization"] = f"Bearer {await _said_by(self._config.proxy_command)}"
        token = await self._current()
        if token is not None:
            found["authorization"] = f"Bearer {token.access}"
        return found

    async def refresh(self) -> bool:
        """The server does not accept the token: get another, asking a person if need be. ``False`` when there is none
        to be had. Raises ``NotAuthenticated`` when a login fails."""
        async with self._lock:
            if self._token is not None and self._now() - self._obtained < _JUST_NOW:
                return True
            if self._config.token:
                return False
            self._token = await self._renewed(self._token) or await self._logged_in(asked=True)
            return self._token is not None

    # --- getting a token

    async def _current(self) -> Token | None:
        async with self._lock:
            if self._token is None and not self._looked:
                self._looked = True
                self._token = self._kept()
            if self._token is not None and self._token.expires_at - EARLY <= self._now():
                self._token = await self._renewed(self._token)
            if self._token is None and self._mode in ("ClientSecret", "ExternalCommand"):
                self._token = await self._logged_in(asked=False)
            return self._token

    async def _renewed(self, token: Token | None) -> Token | None:
        if token is None or not token.refresh:
            return None
        async with self._http() as http:
            where = await self._endpoints(http)
            form = {"grant_type": "refresh_token", "refresh_token": token.refresh, "client_id": where.client}
            answer = await http.post(where.token, data=form)
        if answer.status_code != 200:
            # It was used up, or revoked: a login is wanted.
            self._keep(None)
            return None
        return self._took(answer.content, token.refresh)

    async def _logged_in(self, *, asked: bool) -> Token | None:
        match self._mode:
            case "ExternalCommand":
                return Token(await _said_by(self._config.command), float("inf"))
            case "ClientSecret":
                return await self._with_secret()
            case "DeviceFlow":
                return await self._on_a_device()
            case "Pkce":
                return await self._in_a_browser()
            case _:
                # Nobody has said how: people are asked, programs are not.
                return await self._in_a_browser() if asked and sys.stderr.isatty() else None

    async def _with_secret(self) -> Token:
        config = self._config
        if not config.client_id or not config.secret:
            raise InputInvalid("a login with a secret wants clientId, and clientSecretLocation or clientSecretEnvVar.")
        async with self._http() as http:
            where = await self._endpoints(http)
            form = {"grant_type": "client_credentials"}
            scopes = config.scopes or tuple(scope for scope in where.scopes if not scope.startswith("offline"))
            if scopes:
                form["scope"] = " ".join(scopes)
            if config.audience or where.audience:
                form["audience"] = config.audience or where.audience
            said = f"{quote(config.client_id, safe='')}:{quote(config.secret, safe='')}".encode()
            basic = {"authorization": f"Basic {base64.b64encode(said).decode()}"}
            answer = await http.post(where.token, data=form, headers=basic)
        return self._took(self._good(answer), "", keep=False)

    async def _in_a_browser(self) -> Token:
        verifier, state = secrets.token_urlsafe(48), secrets.token_urlsafe(24)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        answered: asyncio.Future[dict[str, str]] = asyncio.get_running_loop().create_future()
        async with self._http() as http:
            where = await self._endpoints(http)
            if not where.authorize:
                raise NotAuthenticated("this server lets nobody log in with a browser; use a client's secret.")
            wanted = urlsplit(where.redirect or "http://127.0.0.1:0/callback")

            async def heard(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                await _callback(reader, writer, wanted.path, state, answered)

            try:
                server = await asyncio.start_server(heard, "127.0.0.1", wanted.port or 0)
            except OSError as error:
                raise NotAuthenticated(
                    f"the login has to come back to port {wanted.port} of this machine, which cannot be had "
                    f"({error.strerror}). Use authType: DeviceFlow."
                ) from error
            async with server:
                port = server.sockets[0].getsockname()[1]
                redirect = where.redirect or f"http://127.0.0.1:{port}{wanted.path}"
                asked = {
                    "response_type": "code",
                    "client_id": where.client,
                    "redirect_uri": redirect,
                    "state": state,
                    "code_challenge": challenge,
                    "code_challenge_method": "S256",
                    "scope": " ".join(self._config.scopes or where.scopes),
                }
                if self._config.audience or where.audience:
                    asked["audience"] = self._config.audience or where.audience
                address = f"{where.authorize}{'&' if '?' in where.authorize else '?'}{urlencode(asked)}"
                self._tell(f"Log in at {address}")
                await asyncio.to_thread(self._browse, address)
                try:
                    async with asyncio.timeout(_PATIENCE):
                        said = await answered
                except TimeoutError:
                    raise NotAuthenticated(f"nobody has logged in for {_PATIENCE:.0f} seconds; try again.") from None
            if "error" in said:
                raise NotAuthenticated(f"the login was refused: {said.get('error_description', said['error'])}.")
            if where.issuer and said.get("iss", where.issuer) != where.issuer:
                raise NotAuthenticated("the login was answered by another server than was asked; try again.")
            form = {
                "grant_type": "authorization_code",
                "code": said.get("code", ""),
                "redirect_uri": redirect,
                "client_id": where.client,
                "code_verifier": verifier,
            }
            answer = await http.post(where.token, data=form)
        return self._took(self._good(answer), "")

    async def _on_a_device(self) -> Token:
        async with self._http() as http:
            where = await self._endpoints(http)
            if not where.device:
                raise NotAuthenticated("this server has no login for devices; use authType: Pkce.")
            asked = {"client_id": where.client, "scope": " ".join(self._config.scopes or where.scopes)}
            said = msgspec.json.decode(self._good(await http.post(where.device, data=asked)), type=dict[str, Any])
            self._tell(f"Log in at {said['verification_uri']} with the code {said['user_code']}")
            pause, ends = float(said.get("interval", 5)), self._now() + float(said.get("expires_in", _PATIENCE))
            form = {"grant_type": _DEVICE, "device_code": said["device_code"], "client_id": where.client}
            while self._now() < ends:
                await asyncio.sleep(pause)
                answer = await http.post(where.token, data=form)
                match _error(answer):
                    case "authorization_pending":
                        continue
                    case "slow_down":
                        # RFC 8628, 3.5.
                        pause += 5.0
                    case _:
                        return self._took(self._good(answer), "")
        raise NotAuthenticated("nobody has logged in in time; try again.")

    # --- what is asked of servers

    def _http(self) -> httpx.AsyncClient:
        import ssl

        import httpx

        config = self._config
        verify: ssl.SSLContext | bool = True
        if config.ca_file:
            verify = ssl.create_default_context()
            verify.load_verify_locations(config.ca_file)
        here = urlsplit(config.url)
        mounts = None
        if config.skip_verify:
            # Of our server alone: the issuer's certificate is looked at.
            mounts = {f"https://{here.netloc}": httpx.AsyncHTTPTransport(verify=False)}
        return httpx.AsyncClient(timeout=30.0, verify=verify, mounts=mounts, headers={"accept": "application/json"})

    async def _endpoints(self, http: httpx.AsyncClient) -> Endpoints:
        """Raises ``NotAuthenticated``."""
        url = self._config.url
        answer = await http.get(f"{url}/.well-known/oauth-protected-resource")
        if answer.status_code != 200:
            raise NotAuthenticated(f"{url} does not say where to log in; has it been started with --auth?")
        said = msgspec.json.decode(answer.content, type=dict[str, Any])
        issuer = str(next(iter(said.get("authorization_servers", ())), url)).rstrip("/")
        own = issuer == url or said.get("whimbrel_own_issuer") is True
        # Whatever name we know the server by, its own endpoints are there.
        base = url if own else issuer
        well_known = "oauth-authorization-server" if own else "openid-configuration"
        found = await http.get(f"{base}/.well-known/{well_known}")
        metadata = msgspec.json.decode(self._good(found), type=dict[str, Any])

        def endpoint(name: str) -> str:
            text = str(metadata.get(name, ""))
            return f"{url}{text.removeprefix(issuer)}" if own and text.startswith(issuer) else text

        client = str(said.get("whimbrel_client_id", ""))
        if self._mode != "ClientSecret" and self._config.client_id and not own:
            client = self._config.client_id
        return Endpoints(
            token=endpoint("token_endpoint"),
            authorize=endpoint("authorization_endpoint"),
            device=endpoint("device_authorization_endpoint"),
            client=client,
            redirect="" if own else str(said.get("whimbrel_redirect_uri", "")),
            scopes=tuple(str(scope) for scope in said.get("whimbrel_scopes", ())),
            audience="" if own else str(said.get("whimbrel_audience", "")),
            issuer=str(metadata.get("issuer", "")),
        )

    @staticmethod
    def _good(answer: httpx.Response) -> bytes:
        if answer.status_code in (200, 201):
            return answer.content
        try:
            said = msgspec.json.decode(answer.content, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError):
            said = {}
        why = said.get("error_description") or said.get("error") or f"status {answer.status_code}"
        raise NotAuthenticated(f"the login at {answer.url.host} was refused: {why}. Look at clientId and its secret.")

    # --- what is kept

    def _took(self, content: bytes, refresh: str, *, keep: bool = True) -> Token:
        said = msgspec.json.decode(content, type=dict[str, Any])
        seconds = float(said.get("expires_in", 3600))
        token = Token(str(said["access_token"]), self._now() + seconds, str(said.get("refresh_token") or refresh))
        self._obtained = self._now()
        if keep:
            self._keep(token)
        return token

    def _key(self) -> str:
        return " ".join((self._config.url, self._config.client_id, *self._config.scopes, self._config.audience))

    def _kept(self) -> Token | None:
        return None if self._mode in ("ClientSecret", "ExternalCommand") else _read(self._cache).get(self._key())

    def _keep(self, token: Token | None) -> None:
        rows = {key: row for key, row in _read(self._cache).items() if row.refresh or row.expires_at > self._now()}
        rows.pop(self._key(), None)
        if token is not None:
            rows[self._key()] = token
        _write(self._cache, rows)


def mode_of(config: Config) -> str:
    """One of ``MODES``; "" where nobody has said, and nothing says it for them. Raises ``InputInvalid``."""
    if not config.auth_mode:
        if config.command:
            return "ExternalCommand"
        has_secret = config.client_secret or config.client_secret_file or config.client_secret_variable
        return "ClientSecret" if config.client_id and has_secret else ""
    mode = _WORDS.get(config.auth_mode.replace("-", "").lower()) or _WORDS.get(config.auth_mode.lower())
    if mode is None:
        raise InputInvalid(f"authType {config.auth_mode!r} is none of {', '.join(MODES)}. Mend it.")
    if mode == "ExternalCommand" and not config.command:
        raise InputInvalid("authType ExternalCommand wants a command that prints a token. Say it.")
    return mode


async def _said_by(command: tuple[str, ...]) -> str:
    """What a command prints. Raises ``NotAuthenticated``."""
    try:
        process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.DEVNULL, stdout=-1)
    except OSError as error:
        raise NotAuthenticated(f"{command[0]} cannot be run for a token: {error.strerror}.") from error
    try:
        async with asyncio.timeout(_COMMAND):
            said, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        raise NotAuthenticated(f"{command[0]} gave no token in {_COMMAND:.0f} seconds.") from None
    token = said.decode("utf-8", "replace").strip()
    if process.returncode != 0 or not token or "\n" in token:
        raise NotAuthenticated(f"{command[0]} was to print a token, and did not (exit code {process.returncode}).")
    return token


async def _callback(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    path: str,
    state: str,
    answered: asyncio.Future[dict[str, str]],
) -> None:
    """One request to the address that a login comes back to."""
    try:
        async with asyncio.timeout(10):
            line = (await reader.readuntil(b"\r\n")).decode("latin-1").split(" ")
            while (await reader.readuntil(b"\r\n")).strip():
                pass
        parts = urlsplit(line[1]) if len(line) > 1 else urlsplit("")
        said = {name: values[0] for name, values in parse_qs(parts.query).items()}
        ours = parts.path == path and secrets.compare_digest(said.get("state", "").encode(), state.encode())
        text = "You are logged in. You can close this page." if ours and "code" in said else "This is no login of ours."
        if ours and "error" in said:
            text = f"The login was refused: {said['error']}."
        body = f"<!doctype html><meta charset=utf-8><title>whimbrel</title><p>{html.escape(text)}".encode()
        head = f"HTTP/1.1 {'200 OK' if ours else '400 Bad Request'}\r\nContent-Type: text/html\r\nConnection: close\r\n"
        writer.write(head.encode() + f"Content-Length: {len(body)}\r\n\r\n".encode() + body)
        await writer.drain()
        if ours and not answered.done():
            answered.set_result(said)
    except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
        # A port scanner, or a browser that opened a connection and did not use it.
        pass
    finally:
        writer.close()


def _browsed(url: str) -> bool:
    import webbrowser

    return webbrowser.open(url)


def _error(answer: httpx.Response) -> str:
    if answer.status_code == 200:
        return ""
    try:
        return str(msgspec.json.decode(answer.content, type=dict[str, Any]).get("error", "unknown"))
    except (msgspec.DecodeError, UnicodeDecodeError):
        return "unknown"


def _cache_file() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "whimbrel" / "logins.json"


def _read(path: Path) -> dict[str, Token]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Token])
    except (OSError, msgspec.DecodeError):
        # It is a cache: what cannot be read is asked for again.
        return {}


def _write(path: Path, rows: Mapping[str, Token]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(dict(rows)))
        os.replace(draft, path)
    except OSError as error:
        tell_person(f"whimbrel: the login cannot be kept in {path} ({error.strerror}); it is asked for again next time")
