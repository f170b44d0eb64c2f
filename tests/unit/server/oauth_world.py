"""An OAuth2 server in this process, with a clock that stands still until it is told."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import re
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import parse_qs, urlsplit

import httpx
from starlette.applications import Starlette

from whimbrel.server.auth.accounts import Accounts
from whimbrel.server.auth.auditing import Auditor
from whimbrel.server.auth.oauth import OAuth
from whimbrel.server.auth.routes import OAuthRoutes
from whimbrel.server.auth.tokens import Tokens
from whimbrel.stores.memory import MemoryStore

T = TypeVar("T")

URL = "http://localhost"
PASSWORD = "correct horse battery staple"
VERIFIER = "v" * 43
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
REDIRECT = "http://127.0.0.1:1234/callback"


class World:
    """A server with the client ``ci`` and the user ``ada``, and a browser."""

    def __init__(self) -> None:
        self.now = 1_000_000.0
        self.store = MemoryStore()
        self.accounts = Accounts(self.store, self.clock)
        self.tokens = Tokens(self.store, self.accounts, self.clock)
        oauth = OAuth(self.store, self.accounts, self.tokens, self.clock, issuer=lambda: URL)
        routes = OAuthRoutes(oauth, Auditor(self.store, self.clock), b"key", secure=False, trusts_proxy=False)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(Starlette(routes=routes.routes())), base_url=URL)
        self.secret = ""

    def clock(self) -> float:
        """Seconds since the epoch."""
        return self.now

    async def prepare(self) -> None:
        """Make the accounts."""
        self.secret = await self.accounts.add_client("ci")
        await self.accounts.add_user("ada", PASSWORD)

    async def post(self, path: str, *, basic: tuple[str, str] | None = None, **form: str) -> httpx.Response:
        """A form."""
        return await self.http.post(f"/oauth2/{path}", data=form, auth=basic or httpx.USE_CLIENT_DEFAULT)

    async def token(self, **form: str) -> httpx.Response:
        """The token endpoint, asked by the client that has no secret."""
        return await self.post("token", client_id="whimbrel-cli", **form)

    async def ask(self, **said: str) -> httpx.Response:
        """The page that asks."""
        asked = {
            "response_type": "code",
            "client_id": "whimbrel-cli",
            "redirect_uri": REDIRECT,
            "state": "st",
            "scope": "all offline",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return await self.http.get("/oauth2/authorize", params={k: v for k, v in {**asked, **said}.items() if v})

    async def answer(self, page: httpx.Response, path: str = "authorize", **said: str) -> httpx.Response:
        """What is answered to a page, filled in by ada."""
        form = fields(page.text) | {"username": "ada", "password": PASSWORD, "answer": "yes"} | said
        return await self.http.post(f"/oauth2/{path}", data=form)

    async def code(self, **said: str) -> str:
        """An authorization code for ada."""
        return query(await self.answer(await self.ask(**said)))["code"]

    async def redeem(self, code: str, **said: str) -> httpx.Response:
        """What a code is exchanged for."""
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return await self.token(**{**form, **said})

    async def is_good(self, token: str) -> bool:
        """Whether an access token is."""
        return await self.tokens.look(token) is not None


def fields(page: str) -> dict[str, str]:
    """The hidden fields of a form."""
    found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', page)
    return {html.unescape(name): html.unescape(value) for name, value in found}


def query(answer: httpx.Response) -> dict[str, str]:
    """What a redirect says."""
    assert answer.status_code == 303, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


def played(scenario: Callable[[World], Awaitable[T]]) -> T:
    """What a scenario gives, in a world of its own."""

    async def run() -> T:
        world = World()
        await world.prepare()
        try:
            return await scenario(world)
        finally:
            await world.http.aclose()

    return asyncio.run(run())


def error(answer: httpx.Response) -> Any:
    """The code of a refusal."""
    assert answer.status_code in (400, 401, 413, 429), answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()["error"]
