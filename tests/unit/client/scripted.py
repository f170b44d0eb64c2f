"""An HTTP server that answers as it is told, connection by connection: what a real one does only when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager


class Scripted:
    """``requests`` are the heads of those that came, each with its body behind it."""

    def __init__(self, answers: Sequence[bytes | None]) -> None:
        self._answers = list(answers)
        self.requests: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: a request, an answer (``None``: none at all), and good-bye."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next((int(line.split(":")[1]) for line in head.lower().split("\r\n") if "content-length:" in line), 0)
        self.requests.append(head + (await reader.readexactly(length)).decode("utf-8", "replace"))
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        writer.close()


@asynccontextmanager
async def scripted(*answers: bytes | None) -> AsyncIterator[Scripted]:
    """A server with these answers, on a free port."""
    script = Scripted(answers)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    script.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        yield script


def answer(status: int, body: bytes = b"", kind: str = "application/json", **headers: str) -> bytes:
    """The bytes of an answer after which the connection ends."""
    said = {"content-type": kind, "content-length": str(len(body)), "connection": "close", **headers}
    head = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in said.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


def stream(*events: str) -> bytes:
    """The bytes of an event stream that ends without a word."""
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n" + "".join(events).encode()


def event(id: str, name: str, data: str) -> str:
    """One event."""
    return f"id: {id}\nevent: {name}\ndata: {data}\n\n"
