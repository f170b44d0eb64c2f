"""The OAuth2 server on the web: its endpoints and pages.

A page's form carries a word that is signed for the browser that got the page (a cookie) and for what is asked: no other
site can send it, and it cannot be sent for another request. Nobody stays logged in in the browser.

Knows: Starlette, the OAuth2 server. Must not know: what tokens are good for.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from whimbrel.server.auth import pages
from whimbrel.server.auth.auditing import Auditor
from whimbrel.server.auth.oauth import Asked, OAuth, OAuthError, read_form
from whimbrel.server.auth.tokens import Issued
from whimbrel.server.peers import address_of_scope

log = logging.getLogger("whimbrel.auth")

BODY = 16 * 1024
"""Bytes of a form."""
PREFIX = "/oauth2/"
"""Under which forms are sent, which are not JSON."""
_FIELDS = 40
_COOKIE = "whimbrel_login"
_ASKED = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
_QUIET = {"cache-control": "no-store", "pragma": "no-cache"}


class OAuthRoutes:
    """See the module. ``key`` signs forms."""

    def __init__(self, oauth: OAuth, auditor: Auditor, key: bytes, *, secure: bool, trusts_proxy: bool) -> None:
        self._oauth = oauth
        self._auditor = auditor
        self._key = key
        self._secure = secure
        self._trusts_proxy = trusts_proxy

    def routes(self) -> list[Route]:
        """What is served."""
        return [
            Route("/.well-known/oauth-authorization-server", self.metadata),
            # Programs that know only this address find the same there (RFC 8414, 5). There are no ID tokens.
            Route("/.well-known/openid-configuration", self.metadata),
            Route("/oauth2/token", self.token, methods=["POST"]),
            Route("/oauth2/authorize", self.authorize, methods=["GET", "POST"]),
            Route("/oauth2/device_authorization", self.device_authorization, methods=["POST"]),
            Route("/oauth2/device", self.device, methods=["GET", "POST"]),
            Route("/oauth2/revoke", self.revoke, methods=["POST"]),
            Route("/oauth2/introspect", self.introspect, methods=["POST"]),
        ]

    # --- for programs

    async def metadata(self, request: Request) -> Response:
        """What this server is."""
        return JSONResponse(self._oauth.metadata())

    async def token(self, request: Request) -> Response:
        """Tokens."""
        address = self._address(request)
        try:
            form = await _form(request)
        except OAuthError as error:
            return _refused(error)
        try:
            issued = await self._oauth.token(form, request.headers.get("authorization", ""), address)
        except OAuthError as error:
            await self._note(error.principal, f"token {form.get('grant_type', '')[:64]}", error.code, address)
            return _refused(error)
        await self._note(issued.login.principal, f"token {form['grant_type']}", "ok", address, issued.login.client)
        return JSONResponse(_token(issued), headers=_QUIET)

    async def device_authorization(self, request: Request) -> Response:
        """Codes for a device."""
        try:
            form = await _form(request)
            authorization = request.headers.get("authorization", "")
            given = await self._oauth.device(form, authorization, self._address(request))
        except OAuthError as error:
            return _refused(error)
        return JSONResponse(given, headers=_QUIET)

    async def revoke(self, request: Request) -> Response:
        """Ends a token; says the same whether there was one."""
        try:
            form = await _form(request)
            await self._oauth.revoke(form, request.headers.get("authorization", ""), self._address(request))
        except OAuthError as error:
            return _refused(error)
        return Response(status_code=200, headers=_QUIET)

    async def introspect(self, request: Request) -> Response:
        """What a token stands for."""
        try:
            form = await _form(request)
            authorization = request.headers.get("authorization", "")
            said = await self._oauth.introspect(form, authorization, self._address(request))
        except OAuthError as error:
            return _refused(error)
        return JSONResponse(said, headers=_QUIET)

    # --- for people

    async def authorize(self, request: Request) -> Response:
        """The page that asks, and what is answered to it."""
        try:
            form = read_form(request.query_params.multi_items()) if request.method == "GET" else await _form(request)
            asked = await self._oauth.asked(form)
        except OAuthError as error:
            return self._said("This cannot be asked", error.description, 400)
        try:
            asked = replace(asked, scopes=self._oauth.scopes_asked(form))
        except OAuthError as error:
            return self._back(asked, {"error": error.code, "error_description": error.description})
        if request.method == "GET":
            return self._asking(request, asked, form)
        if not self._is_signed(request, form, _asked_text(form)):
            return self._asking(request, asked, form, wrong="That page was too old, or not ours. Once more, please.")
        if form.get("answer") != "yes":
            return self._back(asked, {"error": "access_denied", "error_description": "the person said no"})
        name, address = form.get("username", ""), self._address(request)
        try:
            user = await self._oauth.person(name, form.get("password", ""), address)
        except OAuthError as error:
            await self._note(error.principal, "login", error.code, address, asked.client)
            return self._asking(request, asked, form, wrong=_sentence(error), status=error.status)
        await self._note(f"user:{user}", "login", "ok", address, asked.client)
        return self._back(asked, {"code": await self._oauth.code_for(asked, user)})

    def _asking(
        self, request: Request, asked: Asked, form: Mapping[str, str], *, wrong: str = "", status: int = 200
    ) -> Response:
        kept = {name: form[name] for name in _ASKED if name in form}
        parts = urlsplit(asked.redirect)
        return self._signed_page(
            request,
            _asked_text(form),
            lambda nonce, csrf: pages.consent(
                nonce,
                client=asked.client,
                where=f"{parts.scheme}://{parts.netloc}",
                scopes=asked.scopes,
                hidden={**kept, "csrf": csrf},
                wrong=wrong,
            ),
            status,
        )

    def _back(self, asked: Asked, said: dict[str, str]) -> Response:
        if asked.state:
            said["state"] = asked.state
        said["iss"] = str(self._oauth.metadata()["issuer"])
        joint = "&" if "?" in asked.redirect else "?"
        # 303: the form with the password is not sent on.
        return RedirectResponse(f"{asked.redirect}{joint}{urlencode(said)}", 303, headers=_QUIET)

    async def device(self, request: Request) -> Response:
        """The page on which a person connects a device."""
        address = self._address(request)
        try:
            form = read_form(request.query_params.multi_items()) if request.method == "GET" else await _form(request)
        except OAuthError as error:
            return self._said("This cannot be asked", error.description, 400)
        user_code = form.get("user_code", "")
        if not user_code:
            return self._plain(pages.enter_code)
        try:
            row, device = await self._oauth.device_of(user_code, address)
        except OAuthError as error:
            said = _sentence(error)
            return self._plain(lambda nonce: pages.enter_code(nonce, wrong=said), error.status)

        def asking(wrong: str = "", status: int = 200) -> Response:
            return self._signed_page(
                request,
                user_code,
                lambda nonce, csrf: pages.consent(
                    nonce,
                    client=device.client,
                    where=f"the device that shows {user_code}",
                    scopes=device.scopes,
                    hidden={"user_code": user_code, "csrf": csrf},
                    wrong=wrong,
                ),
                status,
            )

        if request.method == "GET":
            return asking()
        if not self._is_signed(request, form, user_code):
            return asking("That page was too old, or not ours. Once more, please.")
        try:
            # Whoever refuses says who they are too: codes can be guessed.
            user = await self._oauth.person(form.get("username", ""), form.get("password", ""), address)
            yes = form.get("answer") == "yes"
            await self._oauth.answer_device(row, device, user, yes=yes)
        except OAuthError as error:
            await self._note(error.principal, "login", error.code, address, device.client)
            return asking(_sentence(error), error.status)
        await self._note(f"user:{user}", "login", "ok" if yes else "refused", address, device.client)
        return self._said("Done", "The device is told. You can close this page.", 200)

    # --- inside

    def _signed_page(self, request: Request, what: str, page: object, status: int) -> Response:
        browser = request.cookies.get(_COOKIE, "")
        fresh = len(browser) != 43
        if fresh:
            browser = secrets.token_urlsafe(32)
        nonce = secrets.token_urlsafe(16)
        assert callable(page)
        answer = HTMLResponse(page(nonce, self._signature(browser, what)), status, pages.headers(nonce))
        if fresh:
            answer.set_cookie(
                _COOKIE, browser, path=PREFIX, httponly=True, secure=self._secure, samesite="strict", max_age=3600
            )
        return answer

    def _plain(self, page: object, status: int = 200) -> Response:
        nonce = secrets.token_urlsafe(16)
        assert callable(page)
        return HTMLResponse(page(nonce), status, pages.headers(nonce))

    def _said(self, title: str, text: str, status: int) -> Response:
        return self._plain(lambda nonce: pages.message(nonce, title, f"{text[:1].upper()}{text[1:]}."), status)

    def _signature(self, browser: str, what: str) -> str:
        said = f"{browser}\0{what}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, said, hashlib.sha256).hexdigest()

    def _is_signed(self, request: Request, form: Mapping[str, str], what: str) -> bool:
        browser = request.cookies.get(_COOKIE, "")
        wanted = self._signature(browser, what)
        return bool(browser) and hmac.compare_digest(wanted.encode(), form.get("csrf", "").encode("utf-8", "replace"))

    def _address(self, request: Request) -> str:
        return address_of_scope(request.scope, trusts_proxy=self._trusts_proxy)

    async def _note(self, principal: str, action: str, outcome: str, address: str, target: str = "") -> None:
        if outcome in ("authorization_pending", "slow_down"):
            return
        # Who only says who they are is nobody yet.
        who = principal if outcome in ("ok", "refused") else ""
        await self._auditor.note(who, action, target=target or principal, outcome=outcome, address=address)


def _asked_text(form: Mapping[str, str]) -> str:
    return urlencode([(name, form[name]) for name in _ASKED if name in form], errors="surrogatepass")


def _sentence(error: OAuthError) -> str:
    return f"{error.description[:1].upper()}{error.description[1:]}."


async def _form(request: Request) -> dict[str, str]:
    """Raises ``OAuthError``."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise OAuthError("invalid_request", "send a form: Content-Type: application/x-www-form-urlencoded")
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > BODY:
            raise OAuthError("invalid_request", f"a form may have {BODY} bytes", 413)
    try:
        pairs = parse_qsl(read.decode(), keep_blank_values=True, max_num_fields=_FIELDS)
    except ValueError:
        raise OAuthError("invalid_request", "this is no form") from None
    return read_form(pairs)


def _token(issued: Issued) -> dict[str, object]:
    said: dict[str, object] = {
        "access_token": issued.access,
        "token_type": "Bearer",
        "expires_in": int(issued.seconds),
        "scope": " ".join(issued.login.scopes),
    }
    if issued.refresh:
        said["refresh_token"] = issued.refresh
    return said


def _refused(error: OAuthError) -> Response:
    headers = dict(_QUIET)
    if error.status == 401:
        headers["www-authenticate"] = 'Basic realm="whimbrel"'
    if error.retry_after:
        headers["retry-after"] = str(error.retry_after)
    return JSONResponse({"error": error.code, "error_description": error.description}, error.status, headers)
