"""Streams are heard to their end: whatever breaks in between, every event is given out once."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import pytest

from tests.unit.client.scripted import Scripted, answer, event, scripted, stream
from whimbrel.client.configuration import Config
from whimbrel.client.following import Message, follow
from whimbrel.client.transport import Transport
from whimbrel.errors import EntityNotFound, ServerUnreachable

END = "event: end\ndata: {}\n\n"


async def heard(script: Scripted, *, patience: float = 30.0, silence: float = 30.0) -> list[Message]:
    transport = Transport(Config(endpoint=script.url), patience=patience, pause=0.001)
    try:
        async with aclosing(follow(transport, "/api/v1/runs/r/events", silence=silence)) as messages:
            return [message async for message in messages]
    finally:
        await transport.close()


def test_a_stream_that_breaks_is_taken_up_behind_the_last_event() -> None:
    async def main() -> None:
        first = stream(event("1", "a", "x"), ": still here\n\n", event("2", "b", "y"), "id: 3\nevent: c\ndata: cut o")
        # What was told is told again: a server may not know better.
        again = stream(event("2", "b", "y"), event("3", "c", "cut off"))
        async with scripted(first, None, answer(503, b'{"detail": "not now"}'), again, stream(END)) as script:
            messages = await heard(script)
        assert [(one.id, one.name, one.data) for one in messages] == [
            *(("1", "a", "x"), ("2", "b", "y"), ("3", "c", "cut off"), ("", "end", "{}")),
        ]
        asked = [line for request in script.requests for line in request.split("\r\n") if "last-event-id" in line]
        assert asked == ["last-event-id: 2", "last-event-id: 2", "last-event-id: 2", "last-event-id: 3"]

    asyncio.run(main())


def test_a_server_with_nothing_more_to_say_ends_it() -> None:
    async def main() -> None:
        async with scripted(stream(event("7", "a", "x")), b"HTTP/1.1 204 No Content\r\n\r\n") as script:
            assert [message.id for message in await heard(script)] == ["7"]

    asyncio.run(main())


def test_data_of_several_lines_and_ids_of_two_numbers() -> None:
    async def main() -> None:
        lines = "id: 2-10\nevent: a\ndata: one\ndata: two \u2028 three\n\n"
        async with scripted(stream(lines, event("2-9", "a", "older"), event("3-10", "a", "newer"), END)) as script:
            messages = await heard(script)
        assert [message.data for message in messages] == ["one\ntwo \u2028 three", "newer", "{}"]

    asyncio.run(main())


def test_a_silent_server_is_left_and_asked_again() -> None:
    async def main() -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            heads.append(1)
            writer.write(stream(event("1", "a", "x")) if len(heads) == 1 else stream(END))
            await writer.drain()
            if len(heads) == 1:
                await reader.read()
            writer.close()

        heads: list[int] = []
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        script = Scripted([])
        script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with server:
            messages = await heard(script, silence=0.2)
        assert [message.name for message in messages] == ["a", "end"]

    asyncio.run(main())


def test_a_refusal_is_no_reason_to_try_again() -> None:
    async def main() -> None:
        gone = b'{"type": "urn:whimbrel:problem:EntityNotFound", "title": "x", "status": 404, "detail": "no run r"}'
        async with scripted(answer(404, gone, "application/problem+json")) as script:
            with pytest.raises(EntityNotFound, match="no run r"):
                await heard(script)
            assert len(script.requests) == 1

    asyncio.run(main())


def test_a_server_that_stays_away_is_told() -> None:
    async def main() -> None:
        async with scripted(stream(event("1", "a", "x"))) as script:
            with pytest.raises(ServerUnreachable, match="went away"):
                await heard(script, patience=0.05)
        with pytest.raises(ServerUnreachable, match="there is no server at"):
            await heard(script)

    asyncio.run(main())


def test_a_connection_is_used_again_after_the_end() -> None:
    async def main() -> None:
        async def chunked(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connections.append(left := asyncio.Event())
            while await reader.readline():
                await reader.readuntil(b"\r\n\r\n")
                said = END.encode()
                head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                writer.write(head + f"{len(said):x}\r\n".encode() + said + b"\r\n")
                await writer.drain()
                # The last chunk comes by itself, as servers send it.
                await asyncio.sleep(0)
                writer.write(b"0\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            left.set()

        connections: list[asyncio.Event] = []
        server = await asyncio.start_server(chunked, "127.0.0.1", 0)
        transport = Transport(Config(endpoint=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"))
        async with server:
            for _ in range(3):
                async with aclosing(follow(transport, "/api/v1/runs/r/events")) as messages:
                    assert [message.name async for message in messages] == ["end"]
            await transport.close()
            for left in connections:
                await left.wait()
        assert len(connections) == 1

    asyncio.run(main())
