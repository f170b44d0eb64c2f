"""Reading requests and writing answers: JSON, msgpack, queries, bodies that are measured while they come.

Knows: Starlette, structs. Must not know: what is asked.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from whimbrel.errors import InputInvalid, TooLarge
from whimbrel.wire.literal_json import dump
from whimbrel.wire.rest.registering import JSON, MSGPACK

BODY = 1024 * 1024
"""Bytes of a request's body, where nothing else is said: what people answer gates with."""
HEARD_OUT = 16 * BODY
"""Bytes of a refused request that are read all the same: who is hung up on while speaking does not hear the answer."""
PATIENCE = 5.0
"""Seconds that this may take."""

S = TypeVar("S", bound=Struct)


def answer(value: Any, status: int = 200) -> Response:
    """JSON, exact whatever its numbers are. Lone surrogates become escapes of their own."""
    return Response(dump(value, indent=None).encode("utf-8", "backslashreplace"), status, media_type=JSON)


def answer_struct(value: Any, status: int = 200) -> Response:
    """A struct, or a list of them, as JSON."""
    return answer(msgspec.to_builtins(value), status)


def answer_exactly(value: Any, status: int = 200) -> Response:
    """A struct as msgpack."""
    return Response(msgspec.msgpack.encode(value), status, media_type=MSGPACK)


def wants_msgpack(request: Request) -> bool:
    """Whether the client asks for msgpack."""
    return MSGPACK in request.headers.get("accept", "")


def is_msgpack(request: Request) -> bool:
    """Whether the body is msgpack."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower() == MSGPACK


def query(request: Request, shape: type[S]) -> S:
    """The parameters of a request. Raises ``InputInvalid``."""
    try:
        return msgspec.convert(dict(request.query_params), shape, strict=False)
    except msgspec.ValidationError as error:
        raise InputInvalid(f"the query: {error}") from None


async def body_bytes(request: Request, most: int = BODY) -> bytes:
    """The body of a request. Raises ``TooLarge``."""
    said = request.headers.get("content-length", "")
    size = int(said[:20]) if said.isascii() and said.isdigit() else 0
    read = bytearray()
    if size <= most:
        async for chunk in request.stream():
            read += chunk
            if len(read) > most:
                break
        else:
            return bytes(read)
    await heard_out(request)
    raise TooLarge(f"the body: it may have {most} bytes")


async def body(request: Request, shape: type[S], most: int = BODY) -> S:
    """The body of a request, as JSON. Raises ``InputInvalid``, ``TooLarge``."""
    data = await body_bytes(request, most)
    try:
        return msgspec.json.decode(data or b"{}", type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InputInvalid(f"the body: {error}") from None


async def exact_body(request: Request, shape: type[S], most: int = BODY) -> S:
    """The body of a request, as msgpack. Raises ``InputInvalid``, ``TooLarge``."""
    data = await body_bytes(request, most)
    try:
        return msgspec.msgpack.decode(data, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError) as error:
        raise InputInvalid(f"the body: {error}") from None


async def heard_out(request: Request) -> None:
    """Read the rest of a body that is refused, within reason."""
    left = HEARD_OUT
    try:
        async with asyncio.timeout(PATIENCE):
            async for chunk in request.stream():
                left -= len(chunk)
                if left <= 0:
                    return
    except (TimeoutError, ClientDisconnect):
        return
    except RuntimeError:
        # Starlette's way to say that all of it has been read.
        return


def moment(name: str, text: str) -> float:
    """The seconds since the epoch that the parameter ``name`` says, in UTC unless it says otherwise; 0.0 for none.

    Raises ``InputInvalid``."""
    if not text:
        return 0.0
    try:
        said = dt.datetime.fromisoformat(text)
        return (said if said.tzinfo else said.replace(tzinfo=dt.UTC)).timestamp()
    except (ValueError, OverflowError):
        raise InputInvalid(f"{name} {text!r}: write a moment as 2026-01-31T12:00:00Z") from None
