"""Requests to one server: who asks, what is tried again and for how long, and refusals as errors of ours.

A request that may be repeated is repeated with a growing pause: reads are, and creates that carry a name of their own.
What was never sent is sent again whatever it is. A server that has never answered is not waited for.

Knows: HTTP, httpx (imported when the first request is made), problems as ``wire/rest`` has them. Must
not know: what any request is for.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from whimbrel import errors
from whimbrel.client.configuration import Config
from whimbrel.client.credentials import Login
from whimbrel.errors import (
    AlreadyExists,
    CompileError,
    EntityNotFound,
    InputInvalid,
    NotAllowed,
    NotAuthenticated,
    Problem,
    ServerFault,
    ServerUnreachable,
    WhimbrelError,
)
from whimbrel.wire.rest import problems as rest
from whimbrel.wire.rest.registering import JSON, MSGPACK

if TYPE_CHECKING:
    import httpx

V1 = "/api/v1"

PATIENCE = 60.0
"""Seconds that a server which has answered before may be away: a restart takes a second, a slow one a minute."""
_FIRST_PAUSE = 0.1
_LONGEST_PAUSE = 3.0
_TRIED_AGAIN = frozenset({429, 502, 503, 504})
_CONNECT = 5.0
_ANSWER = 120.0
"""Seconds for one answer to come: a large program is checked before it is registered."""
_SHOWN = 200

T = TypeVar("T")


class Credentials(Protocol):
    """Who asks."""

    async def headers(self) -> Mapping[str, str]:
        """What every request carries."""
        ...

    async def refresh(self) -> bool:
        """The server does not accept them: get others. ``False`` when there are none to be had."""
        ...


class Answer(Struct, frozen=True):
    """What a server said."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def packed(self) -> bool:
        """Whether it is msgpack."""
        return self.headers.get("content-type", "").startswith(MSGPACK)

    def read(self, kind: type[T] | Any) -> T:
        """The body as a value of ``kind``; fields that are new to us are left out. Raises ``ServerFault``."""
        decode = msgspec.msgpack.decode if self.packed else msgspec.json.decode
        try:
            found: T = decode(self.content, type=kind)
            return found
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise ServerFault(
                f"the server's answer cannot be read ({error}): {_short(self.content)}. Is it a whimbrel of this "
                "version?"
            ) from None


Body = bytes | Callable[[], AsyncIterator[bytes]]
"""Bytes, or what gives them once more for every try."""


class Transport:
    """See the module. For one event loop at a time; close it there."""

    def __init__(
        self,
        config: Config,
        *,
        credentials: Credentials | None = None,
        patience: float = PATIENCE,
        pause: float = _FIRST_PAUSE,
    ) -> None:
        self.url = config.url
        self.patience = patience
        self._config = config
        self._credentials = credentials or Login(config)
        self._pause = pause
        self._client: httpx.AsyncClient | None = None
        self._met = False
        """Whether the server has ever answered."""

    async def close(self) -> None:
        """Let go of all connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _opened(self) -> httpx.AsyncClient:
        if self._client is None:
            http = library()
            config = self._config
            here = not config.url.startswith("https:")
            verify: Any = True
            if here or config.skip_verify:
                verify = False
            elif config.ca_file:
                verify = _trust(config.ca_file)
            self._client = http.AsyncClient(
                base_url=config.url,
                timeout=http.Timeout(_ANSWER, connect=_CONNECT, pool=None),
                limits=http.Limits(max_connections=None, max_keepalive_connections=20),
                verify=verify,
                proxy=config.http_proxy or None,
                # A proxy of the environment cannot reach this machine.
                trust_env=not here,
                headers={"user-agent": "whimbrel"},
            )
        return self._client

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        json: Any = None,
        packed: Any = None,
        body: Body | None = None,
        kind: str = "",
        accept: str = JSON,
        headers: Mapping[str, str] | None = None,
        repeat: bool | None = None,
        good: frozenset[int] = frozenset(),
    ) -> Answer:
        """One request and its answer. ``json`` or ``packed`` (msgpack) is encoded; ``body`` is sent as it is, of the
        media type ``kind``. ``repeat`` whether it may reach the server twice; unsaid, all but POST and PATCH may.
        Statuses in ``good`` are answers, not errors.

        Raises what the server refuses it with, ``ServerUnreachable``, ``ServerFault``,
        ``NotAuthenticated``, ``NotAllowed``.
        """
        said = dict(headers or {})
        said["accept"] = accept
        content = body
        if packed is not None:
            content, said["content-type"] = msgspec.msgpack.encode(packed), MSGPACK
        elif json is not None:
            content, said["content-type"] = msgspec.json.encode(json), JSON
        elif kind:
            said["content-type"] = kind
        elif method == "POST":
            content, said["content-type"] = b"{}", JSON
        often = method not in ("POST", "PATCH") if repeat is None else repeat
        tries = _Tries(self)
        refreshed = False
        while True:
            try:
                response = await self._once(method, path, params, content, said)
            except self._failures() as error:
                await tries.next(error, self._never_sent(error) or often)
                continue
            self._met = True
            if response.status_code == 401 and not refreshed and await self._credentials.refresh():
                refreshed = True
                continue
            again = response.status_code == 429 or (often and response.status_code in _TRIED_AGAIN)
            if again and await tries.again(response):
                continue
            if response.is_success or response.status_code in good:
                return Answer(response.status_code, response.headers, response.content)
            raise refusal(response.status_code, response.headers, response.content, f"{method} {self.url}{path}")

    async def _once(
        self, method: str, path: str, params: Mapping[str, Any] | None, content: Body | None, said: Mapping[str, str]
    ) -> httpx.Response:
        client = self._opened()
        headers = {**await self._credentials.headers(), **said}
        made = content() if callable(content) else content
        return await client.request(method, path, params=_said(params), content=made, headers=headers)

    @asynccontextmanager
    async def stream(
        self, path: str, *, params: Mapping[str, Any] | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx.Response]:
        """One GET whose answer comes in pieces; nothing is tried again. Raises as ``send``."""
        try:
            for fresh in (True, False):
                said = {**await self._credentials.headers(), **(headers or {})}
                request = self._opened().stream("GET", path, params=_said(params), headers=said)
                async with request as response:
                    self._met = True
                    if response.status_code == 401 and fresh and await self._credentials.refresh():
                        continue
                    if not response.is_success:
                        content = await response.aread()
                        raise refusal(response.status_code, response.headers, content, f"GET {self.url}{path}")
                    yield response
                    return
        except self._failures() as error:
            raise self.unreachable(error) from None

    @property
    def met(self) -> bool:
        """Whether the server has ever answered."""
        return self._met

    def pauses(self) -> Pauses:
        """Pauses between tries, each longer than the one before."""
        return Pauses(self._pause)

    def unreachable(self, error: Exception | None) -> ServerUnreachable:
        """The error for a server that does not answer."""
        why = f" ({_reason(error)})" if error is not None else ""
        if self._met:
            return ServerUnreachable(
                f"the server at {self.url} went away{why}. What runs there goes on when it is back: try again then."
            )
        return ServerUnreachable(
            f"there is no server at {self.url}{why}. Start one with `whimbrel up`, or say where it is: --url, "
            "WHIMBREL_URL or a configuration file."
        )

    @staticmethod
    def _failures() -> tuple[type[Exception], ...]:
        http = library()
        return (http.TransportError, http.InvalidURL)

    @staticmethod
    def _never_sent(error: Exception) -> bool:
        http = library()
        return isinstance(error, http.ConnectError | http.ConnectTimeout | http.PoolTimeout)


class Pauses:
    """Longer and longer, and never in step with others."""

    def __init__(self, first: float = _FIRST_PAUSE) -> None:
        self._first = self._next = first

    def reset(self) -> None:
        """It went well: begin anew."""
        self._next = self._first

    async def wait(self, at_least: float = 0.0) -> None:
        """The next one."""
        await asyncio.sleep(max(at_least, self._next * (0.5 + random.random() / 2)))
        self._next = min(self._next * 2, _LONGEST_PAUSE)


class _Tries:
    """How often one request is tried."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._pauses = transport.pauses()
        self._first_failure = 0.0

    def _late(self) -> bool:
        now = time.monotonic()
        self._first_failure = self._first_failure or now
        return now - self._first_failure >= self._transport.patience

    async def next(self, error: Exception, allowed: bool) -> None:
        """Wait for the next try, or raise."""
        if not allowed or not self._transport.met or self._late():
            raise self._transport.unreachable(error) from None
        await self._pauses.wait()

    async def again(self, response: httpx.Response) -> bool:
        """Wait for the next try; ``False`` when there shall be none."""
        if self._late():
            return False
        after = response.headers.get("retry-after", "")
        await self._pauses.wait(min(float(after), _LONGEST_PAUSE) if after.isdigit() else 0.0)
        return True


# --- refusals --------------------------------------------------------------------------------------------------------


def refusal(status: int, headers: Mapping[str, str], content: bytes, request: str) -> WhimbrelError:
    """The error that an answer tells of."""
    try:
        said = msgspec.json.decode(content, type=rest.Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if not content and status in (401, 403):
            # To HEAD, whose answers say nothing more.
            return NotAuthenticated() if status == 401 else NotAllowed()
        server = headers.get("server", "another program")
        return ServerFault(
            f"{request} was answered with {status} by {server}, not as whimbrel does: {_short(content)}. Is this its "
            "address?"
        )
    detail = said.detail or said.title
    if said.problems:
        return CompileError(
            [Problem(one.message, remedy=one.remedy, file=one.file or None, line=one.line) for one in said.problems]
        )
    if status in (401, 403):
        return (NotAuthenticated if status == 401 else NotAllowed)(detail)
    if status >= 500:
        return ServerFault(f"the server has a fault: {detail}")
    named = getattr(errors, said.type.removeprefix(rest.PREFIX), None)
    if isinstance(named, type) and issubclass(named, WhimbrelError) and named.__init__ is WhimbrelError.__init__:
        return named(detail)
    if status == 404:
        return EntityNotFound(detail)
    return AlreadyExists(detail) if status == 409 else InputInvalid(detail)


def _short(content: bytes) -> str:
    text = " ".join(content.decode("utf-8", "replace").split())
    return repr(text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…")


def _reason(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.partition("\n")[0]


def _said(params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Parameters without those that say nothing."""
    return {name: value for name, value in (params or {}).items() if value not in (None, "", ())}


def _trust(path: str) -> Any:
    import ssl

    try:
        return ssl.create_default_context(cafile=path)
    except (OSError, ssl.SSLError) as error:
        raise InputInvalid(
            f"the certificates in {path!r} cannot be read: {getattr(error, 'strerror', None) or error}. Mend "
            "caCertFilePath."
        ) from None


def library() -> Any:
    """httpx. Raises ``InputInvalid`` where it is not installed."""
    try:
        import httpx
    except ModuleNotFoundError:
        raise InputInvalid("talking to a server needs httpx: pip install 'whimbrel[client]'.") from None
    return httpx
