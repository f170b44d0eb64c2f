"""Errors as answers: RFC 9457, `application/problem+json`.

Knows: our errors, their status. Must not know: routes.
"""

from __future__ import annotations

import logging
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.errors import (
    AlreadyExists,
    CompileError,
    EntityNotFound,
    Fenced,
    NotAllowed,
    NotAuthenticated,
    Overloaded,
    RunNotResumable,
    StoreError,
    TooLarge,
    UserError,
    VersionConflict,
    WhimbrelError,
)
from whimbrel.wire.rest.problems import MEDIA_TYPE, PREFIX, Problem, ProblemLine

log = logging.getLogger("whimbrel.http")

PAUSE = 5
"""Seconds after which to try again what a busy server refused."""


def status_of(error: WhimbrelError) -> HTTPStatus:
    """Whose fault it is, in HTTP's words."""
    if isinstance(error, EntityNotFound):
        return HTTPStatus.NOT_FOUND
    if isinstance(error, NotAuthenticated):
        return HTTPStatus.UNAUTHORIZED
    if isinstance(error, NotAllowed):
        return HTTPStatus.FORBIDDEN
    if isinstance(error, RunNotResumable | Fenced | AlreadyExists | VersionConflict):
        return HTTPStatus.CONFLICT
    if isinstance(error, TooLarge):
        return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    if isinstance(error, CompileError):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    if isinstance(error, UserError):
        return HTTPStatus.BAD_REQUEST
    if isinstance(error, Overloaded):
        return HTTPStatus.TOO_MANY_REQUESTS
    if isinstance(error, StoreError):
        return HTTPStatus.SERVICE_UNAVAILABLE
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(
    status: int,
    kind: str,
    detail: str,
    headers: dict[str, str] | None = None,
    problems: tuple[ProblemLine, ...] = (),
) -> Response:
    """The answer."""
    said = Problem(f"{PREFIX}{kind}", HTTPStatus(status).phrase, status, detail, problems)
    return Response(msgspec.json.encode(said), status, headers, MEDIA_TYPE)


async def ours(request: Request, error: Exception) -> Response:
    """For ``WhimbrelError``."""
    assert isinstance(error, WhimbrelError)
    status = status_of(error)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.error("%s %s: %s", request.method, request.url.path, error, exc_info=error)
    lines: tuple[ProblemLine, ...] = ()
    if isinstance(error, CompileError):
        lines = tuple(ProblemLine(each.message, each.remedy, each.file or "", each.line) for each in error.problems)
    # RFC 6750, 3: programs learn from it that a token is wanted.
    headers = {"www-authenticate": 'Bearer realm="whimbrel"'} if status is HTTPStatus.UNAUTHORIZED else None
    if isinstance(error, Overloaded):
        headers = {"retry-after": str(PAUSE)}
    return problem(status, type(error).__name__, str(error), headers, lines)


async def of_http(request: Request, error: Exception) -> Response:
    """For what Starlette refuses: unknown paths, wrong methods."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = error.detail
    if status is HTTPStatus.NOT_FOUND:
        detail = "there is nothing here; /api/v1/openapi.json lists what there is"
    headers = dict(error.headers) if error.headers else None
    return problem(status, status.phrase.replace(" ", ""), detail, headers)


async def left(request: Request, error: Exception) -> Response:
    """For clients that hang up while they speak: nobody hears the answer."""
    log.info("%s %s: the client has left", request.method, request.url.path)
    return problem(400, "Left", "the request was not sent to its end; send it again")


async def unexpected(request: Request, error: Exception) -> Response:
    """For everything else: a fault of ours, told without its insides."""
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return problem(500, "Fault", "this is a fault of the server; its log says more")
