"""Streams of events: packed for whoever takes that, each message whole as soon as it is sent."""

import asyncio
import zlib
from collections.abc import AsyncIterator

import pytest
from starlette.requests import Request

from whimbrel.server.http import sse


def asking(accepted: str) -> Request:
    return Request({"type": "http", "headers": [(b"accept-encoding", accepted.encode())]})


def parts(accepted: str, *messages: str) -> tuple[str | None, list[bytes]]:
    async def told() -> AsyncIterator[str]:
        for message in messages:
            yield message

    async def read() -> tuple[str | None, list[bytes]]:
        answer = sse.stream(told(), asking(accepted))
        return answer.headers.get("content-encoding"), [bytes(part) async for part in answer.body_iterator]

    return asyncio.run(read())


@pytest.mark.parametrize("accepted", ["gzip, deflate, br, zstd", "br;q=1.0, GZIP;q=0.5"])
def test_packed_messages_are_whole_as_they_come(accepted: str) -> None:
    messages = [sse.message("nodes", "x" * 10_000), sse.message("end", "ä\ud800")]
    encoding, packed = parts(accepted, *messages)
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    read = [unpacker.decompress(part) for part in packed]
    assert encoding == "gzip"
    assert read == [message.encode("utf-8", "backslashreplace") for message in messages]
    assert len(packed[0]) < 200


@pytest.mark.parametrize("accepted", ["", "br", "gzip;q=0", "gzip; q=0.0"])
def test_who_does_not_take_gzip_gets_none(accepted: str) -> None:
    message = sse.message("run", "{}")
    assert parts(accepted, message) == (None, [message.encode()])
