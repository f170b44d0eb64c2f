"""The gate in front of the routes of HTTP. Streams end when the token with which they were opened does.

Knows: the gate, the table of rights, where HTTP has a token. Must not know: what a route does.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from whimbrel.controlplane.access import must, must_somewhere, sees
from whimbrel.errors import NotAllowed, NotAuthenticated, WhimbrelError
from whimbrel.model.access import ANY, EVERYWHERE, Action, Place, Principal
from whimbrel.server.auth.access import Access
from whimbrel.server.http.rights import Right, Where, right_of
from whimbrel.server.peers import address_of_scope

Handler = Callable[[Request], Awaitable[Response]]
PlaceOfRun = Callable[[str], Awaitable[Place]]

LOOK_AGAIN = 5.0
"""Seconds between two looks whether the token of an open stream has been revoked."""
ADMISSION = "whimbrel.admission"
"""Of a request's scope: its admission."""
SIGNED = "whimbrel.signed"
"""Of a request's scope: what its address is good for, where addresses are signed."""


class Admission:
    """A request that has been let in, or is about to be. ``principal`` is ``None`` where nobody need be known."""

    def __init__(self, access: Access, request: Request, right: Right, name: str) -> None:
        self._access = access
        self._authorization = request.headers.get("authorization", "")
        self._right = right
        self._name = name
        self._address = address_of_scope(request.scope, trusts_proxy=access.trusts_proxy)
        self.principal: Principal | None = None
        self.place = EVERYWHERE
        self.target = str(request.path_params.get("run", "") or request.path_params.get("name", ""))

    async def know(self) -> None:
        """Raises ``NotAuthenticated``."""
        if self._right.action is Action.OPEN:
            return
        try:
            self.principal = await self._access.gate.who(self._authorization)
            if self.principal is None:
                raise NotAuthenticated
        except NotAuthenticated as error:
            await self._access.gate.note(None, self._name, None, self.target, type(error).__name__, self._address)
            raise

    async def reach(self, place: Place, action: Action | None = None) -> None:
        """The request reaches into ``place``. Raises ``NotAllowed``."""
        self.place = place
        try:
            must(self.principal, action or self._right.action, place)
        except (NotAllowed, NotAuthenticated) as error:
            await self._access.gate.note(
                self.principal, self._name, place, self.target, type(error).__name__, self._address
            )
            raise

    async def somewhere(self) -> None:
        """The request reaches into some place. Raises ``NotAllowed``."""
        try:
            must_somewhere(self.principal, self._right.action)
        except NotAllowed as error:
            await self._access.gate.note(
                self.principal, self._name, None, self.target, type(error).__name__, self._address
            )
            raise

    async def done(self, error: Exception | None) -> None:
        """What came of it."""
        await self._access.gate.done(
            self.principal,
            self._right.action,
            self.place,
            name=self._name,
            target=self.target,
            error=error,
            address=self._address,
        )

    async def still(self) -> bool:
        """Whether the request would be let in now."""
        try:
            principal = await self._access.gate.who(self._authorization)
            must(principal, self._right.action, self.place)
        except WhimbrelError:
            return False
        return True


async def must_reach(request: Request, project: str, domain: str, action: Action | None = None) -> None:
    """For handlers whose place is in the body: may whoever asks do it there? ``action`` if it is not what the table
    says. Nothing without authentication. Raises ``NotAllowed``."""
    admission = request.scope.get(ADMISSION)
    if isinstance(admission, Admission):
        await admission.reach(Place(project or ANY, domain or ANY), action)


def is_seen(request: Request, project: str) -> bool:
    """Whether whoever asks may read anything in ``project``; everybody may without authentication."""
    admission = request.scope.get(ADMISSION)
    if not isinstance(admission, Admission):
        return True
    return admission.principal is not None and sees(admission.principal, Place(project))


def asking(request: Request) -> Principal | None:
    """Who asks; ``None`` without authentication."""
    admission = request.scope.get(ADMISSION)
    return admission.principal if isinstance(admission, Admission) else None


def principal_of(request: Request) -> str:
    """Who asks, as it is recorded: ``user:ada``. "" without authentication."""
    principal = asking(request)
    return "" if principal is None else str(principal)


def admitted(handler: Handler, access: Access, method: str, path: str, place_of_run: PlaceOfRun) -> Handler:
    """``handler`` behind the gate."""
    right = right_of(method, path)

    async def guarded(request: Request) -> Response:
        admission = request.scope[ADMISSION] = Admission(access, request, right, f"{method} {path}")
        if right.where is Where.SIGNED:
            # Clients write the same path in several ways: it is signed in one.
            written = quote(request.scope["path"], safe="/")
            request.scope[SIGNED] = access.signer.check(method, written, request.query_params)
        await admission.know()
        if right.action not in (Action.OPEN, Action.SELF):
            place = await _place(request, right, place_of_run)
            if right.where is Where.ANYWHERE:
                await admission.somewhere()
            elif place is not None:
                await admission.reach(place)
        try:
            answer = await handler(request)
        except Exception as error:
            await admission.done(error)
            raise
        await admission.done(None)
        if isinstance(answer, StreamingResponse) and admission.principal is not None:
            answer.body_iterator = _while_admitted(answer.body_iterator, admission)
        return answer

    guarded.__name__ = getattr(handler, "__name__", "guarded")
    return guarded


async def _place(request: Request, right: Right, place_of_run: PlaceOfRun) -> Place | None:
    match right.where:
        case Where.PATH:
            return Place(request.path_params.get("project", ANY), request.path_params.get("domain", ANY))
        case Where.QUERY:
            query = request.query_params
            return Place(query.get("project") or ANY, query.get("domain") or ANY)
        case Where.RUN:
            return await place_of_run(request.path_params["run"])
        case Where.BODY | Where.ANYWHERE:
            return None
        case _:
            return EVERYWHERE


async def _while_admitted(chunks: Any, admission: Admission) -> AsyncIterator[Any]:
    """``chunks``, for as long as whoever asked for them may have them."""
    iterator = aiter(chunks)
    loop = asyncio.get_running_loop()
    look_at = loop.time() + LOOK_AGAIN
    following: asyncio.Future[Any] | None = None
    try:
        while True:
            if following is None:
                following = asyncio.ensure_future(anext(iterator))
            await asyncio.wait({following}, timeout=max(look_at - loop.time(), 0.0))
            if loop.time() >= look_at:
                if not await admission.still():
                    return
                look_at = loop.time() + LOOK_AGAIN
            if following.done():
                try:
                    chunk = following.result()
                except StopAsyncIteration:
                    return
                following = None
                yield chunk
    finally:
        if following is not None:
            following.cancel()
            with contextlib.suppress(asyncio.CancelledError, StopAsyncIteration):
                await following
        if hasattr(iterator, "aclose"):
            await iterator.aclose()
