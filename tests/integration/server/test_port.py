"""The front of the port: whatever comes first, it neither hangs, nor falls over, nor changes a byte."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whimbrel.errors import InputInvalid
from whimbrel.server.limits import Limits
from whimbrel.server.port import ENOUGH, PREFACE, Front

LIMIT = 20.0

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _echo(mark: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Says who it is, then back whatever is said."""
    with contextlib.suppress(OSError):
        writer.write(mark)
        while chunk := await reader.read(65536):
            writer.write(chunk)
            await writer.drain()
    writer.close()


class Opened:
    """A front, with the port that it is on and the kinds that it counted."""

    def __init__(self, front: Front, port: int, kinds: list[str]) -> None:
        self.front = front
        self.port = port
        self.kinds = kinds

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self.port)


@contextlib.asynccontextmanager
async def opened(
    *, http: Serve | None = None, first_bytes: float = LIMIT, half_closed: float = 0.05, connections: int = 64
) -> AsyncIterator[Opened]:
    with tempfile.TemporaryDirectory() as directory:
        inner = Path(directory)
        kinds: list[str] = []
        servers = [
            await asyncio.start_unix_server(http or (lambda r, w: _echo(b"H", r, w)), inner / "http"),
            await asyncio.start_unix_server(lambda r, w: _echo(b"G", r, w), inner / "grpc"),
        ]
        front = Front(
            grpc=str(inner / "grpc"),
            http=str(inner / "http"),
            limits=Limits(first_bytes=first_bytes, connections=connections),
            half_closed=half_closed,
            count=kinds.append,
        )
        port = front.bind("127.0.0.1", 0)
        front.start()
        try:
            async with asyncio.timeout(LIMIT):
                yield Opened(front, port, kinds)
        finally:
            await front.close()
            for server in servers:
                server.close()
                await server.wait_closed()


async def _said(opened: Opened, pieces: list[bytes]) -> bytes:
    """Everything that comes back for ``pieces``, sent one by one, and the end of input after them."""
    reader, writer = await opened.connect()
    try:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0)
        writer.write_eof()
        return await reader.read()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


_starts = st.one_of(
    st.binary(max_size=40),
    st.integers(0, len(PREFACE)).map(lambda length: PREFACE[:length]),
    st.tuples(st.integers(0, len(PREFACE) - 1), st.binary(min_size=1, max_size=9)).map(
        lambda p: PREFACE[: p[0]] + p[1]
    ),
    st.just(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
    st.binary(max_size=20).map(lambda rest: PREFACE + rest),
)


@settings(max_examples=60)
@given(_starts, st.lists(st.integers(0, 60), max_size=6))
def test_every_byte_arrives_at_whom_the_first_ones_name(said: bytes, cuts: list[int]) -> None:
    async def main() -> None:
        at = sorted({0, len(said), *(cut for cut in cuts if cut < len(said))})
        pieces = [said[a:b] for a, b in itertools.pairwise(at)]
        async with opened() as front:
            heard = await _said(front, pieces)
            if not said:
                assert (heard, front.kinds) == (b"", ["silent"])
            elif said.startswith(PREFACE[:ENOUGH]):
                assert (heard, front.kinds) == (b"G" + said, ["grpc"])
            else:
                assert (heard, front.kinds) == (b"H" + said, ["http"])

    asyncio.run(main())


@pytest.mark.parametrize("said", [b"", PREFACE[:5]], ids=["nothing", "half a preface"])
def test_who_says_too_little_for_too_long_is_hung_up_on(said: bytes) -> None:
    async def main() -> None:
        async with opened(first_bytes=0.05) as front:
            reader, writer = await front.connect()
            writer.write(said)
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""
            writer.close()
            assert front.kinds == ["silent"]
            assert await _said(front, [b"GET"]) == b"HGET"

    asyncio.run(main())


def test_slow_ones_keep_nobody_waiting() -> None:
    async def main() -> None:
        async with opened() as front:
            slow = [await front.connect() for _ in range(40)]
            assert await _said(front, [PREFACE]) == b"G" + PREFACE
            for _, writer in slow:
                writer.close()

    asyncio.run(main())


def test_beyond_its_room_connections_wait_their_turn() -> None:
    async def main() -> None:
        async with opened(connections=2) as front:
            held = [await front.connect() for _ in range(2)]
            for reader, writer in held:
                writer.write(b"hello")
                assert await reader.readexactly(6) == b"Hhello"
            waiting = asyncio.ensure_future(_said(front, [b"late"]))
            await asyncio.sleep(0.05)
            assert not waiting.done()
            assert front.front.open == 2
            held[0][1].close()
            assert await waiting == b"Hlate"
            held[1][1].close()

    asyncio.run(main())


def test_who_does_not_read_is_not_read_from() -> None:
    """The inner server writes without end: it is stopped by the reader's pace, not by memory."""
    written = 0

    async def flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        with contextlib.suppress(OSError, asyncio.CancelledError):
            while True:
                writer.write(b"x" * 65536)
                await writer.drain()
                written += 65536

    async def main() -> None:
        async with opened(http=flood) as front:
            reader, writer = await front.connect()
            writer.write(b"GET")
            await reader.readexactly(1)
            before = -1
            while before != written:
                before = written
                await asyncio.sleep(0.2)
            assert written < 64 * 1024 * 1024
            got = 0
            while got < before + 1024 * 1024:
                got += len(await reader.read(1024 * 1024))
            assert written > before
            writer.transport.abort()

    asyncio.run(main())


def test_an_answer_comes_although_the_question_is_over() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(3)
        ended = asyncio.ensure_future(reader.read())
        for _ in range(5):
            await asyncio.sleep(0.02)
            writer.write(b".")
        assert not ended.done(), "an end of input would be taken for a hang-up"
        ended.cancel()
        writer.close()

    async def main() -> None:
        async with opened(http=late, half_closed=5.0) as front:
            assert await _said(front, [b"GET"]) == b"....."

    asyncio.run(main())


def test_resets_leave_nothing_behind() -> None:
    async def main() -> None:
        async with opened() as front:
            for said in (b"", PREFACE[:3], PREFACE, b"GET / HTTP/1.1\r\n" + b"x" * 200_000):
                _, writer = await front.connect()
                writer.write(said)
                await asyncio.sleep(0)
                raw = writer.get_extra_info("socket")
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                writer.transport.abort()
            for _ in range(1000):
                await asyncio.sleep(0.01)
                if not front.front.open:
                    break
            assert front.front.open == 0
            assert await _said(front, [b"GET"]) == b"HGET"

    asyncio.run(main())


def test_a_port_that_is_taken_is_told_with_a_way_out() -> None:
    async def main() -> None:
        async with opened() as front:
            other = Front(grpc="", http="")
            with pytest.raises(InputInvalid, match=rf"port {front.port} .* --port"):
                other.bind("127.0.0.1", front.port)

    asyncio.run(main())
