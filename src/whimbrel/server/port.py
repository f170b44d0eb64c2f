"""One port for two protocols: the first bytes of a connection say which, and the rest is passed on as it is.

HTTP/2 with prior knowledge (gRPC) begins with a fixed preface; everything else is HTTP/1.1. Each has a server of its
own behind a Unix socket that nobody else can reach.

Knows: streams of bytes. Must not know: HTTP, gRPC, what is served. A connection costs two buffers of ``CHUNK`` bytes
at most in each direction: whoever does not read is not read from.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
import ssl
from collections.abc import Callable

from whimbrel.errors import InputInvalid
from whimbrel.server.limits import Counted, Limits

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
"""RFC 9113, section 3.4."""
ENOUGH = len(b"PRI * HTTP/2.0")
"""So many bytes of it decide: no request line of HTTP/1.1 begins like this."""

HALF_CLOSED = 5.0
"""Seconds that the answer to somebody who has nothing more to say may pause."""
CHUNK = 64 * 1024
BACKLOG = 1024


class Stalled(Exception):
    """Somebody does not read what is sent to them."""


class Front:
    """Listens on ``host``:``port``; passes gRPC on to the Unix socket ``grpc``, the rest to ``http``.

    ``count`` hears of every connection, by kind: ``grpc``, ``http``, ``silent`` (said nothing in time, or hung up), and
    of those that were dropped: ``crowded`` (too many of one client), ``stalled`` (took nothing), ``idle``.
    With ``tls`` it is spoken here: the inner servers know nothing of it.
    """

    def __init__(
        self,
        *,
        grpc: str,
        http: str,
        limits: Limits = Limits(),  # noqa: B008  frozen
        half_closed: float = HALF_CLOSED,
        tls: ssl.SSLContext | None = None,
        count: Callable[[str], None] = lambda kind: None,
    ) -> None:
        self._grpc = grpc
        self._http = http
        self._limits = limits
        self._half_closed = half_closed
        self._tls = tls
        self._room = asyncio.Semaphore(limits.connections)
        self._count = count
        self._clients = Counted(limits.connections_per_client)
        self._socket: socket.socket | None = None
        self._accepting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> int:
        """How many connections there are."""
        return len(self._connections)

    def bind(self, host: str, port: int) -> int:
        """Take the port, and say which it is. Raises ``InputInvalid`` when it cannot be had."""
        try:
            self._socket = _bound(host, port)
        except OSError as error:
            raise InputInvalid(_refusal(host, port, error)) from error
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        """Let people in."""
        assert self._socket is not None, "bind first"
        self._socket.listen(BACKLOG)
        self._accepting = asyncio.ensure_future(self._accept(self._socket))

    async def stop_accepting(self) -> None:
        """Let nobody in any more; who is in stays."""
        if self._accepting is not None:
            self._accepting.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._accepting
            self._accepting = None
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def close(self) -> None:
        """Let nobody in, and hang up on everybody."""
        await self.stop_accepting()
        connections = list(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)

    async def _accept(self, listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._room.acquire()
            try:
                accepted, _ = await loop.sock_accept(listening)
            except asyncio.CancelledError:
                self._room.release()
                raise
            except OSError:
                # Too many open files, or a connection that was gone before we took it. Others may end meanwhile.
                self._room.release()
                await asyncio.sleep(0.05)
                continue
            task = asyncio.ensure_future(self._serve(accepted))
            self._connections.add(task)
            task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        self._room.release()

    async def _serve(self, accepted: socket.socket) -> None:
        with contextlib.suppress(OSError):
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            client = str(accepted.getpeername()[0])
            reader, writer = await self._opened(accepted)
        except OSError:
            # TLS that is none is one of them.
            accepted.close()
            self._count("silent")
            return
        if not self._clients.enter(client):
            self._count("crowded")
            _drop(writer)
            return
        try:
            first = await self._first(reader)
            if not first:
                self._count("silent")
                return
            is_grpc = first.startswith(PREFACE[:ENOUGH])
            self._count("grpc" if is_grpc else "http")
            await self._splice(reader, writer, first, is_grpc=is_grpc)
        except Stalled:
            self._count("stalled")
        except (OSError, TimeoutError):
            # They are gone, or the inner server is: either way nobody is left to tell.
            pass
        finally:
            self._clients.leave(client)
            _drop(writer)

    async def _opened(self, accepted: socket.socket) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """The streams of a connection. Raises ``OSError``."""
        if self._tls is None:
            return await asyncio.open_connection(sock=accepted, limit=CHUNK)
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=CHUNK, loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.connect_accepted_socket(
            lambda: protocol, accepted, ssl=self._tls, ssl_handshake_timeout=self._limits.first_bytes
        )
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)

    async def _first(self, reader: asyncio.StreamReader) -> bytes:
        """What a connection begins with, as far as is needed to know what it is; b"" when that does not come."""
        first = b""
        try:
            async with asyncio.timeout(self._limits.first_bytes):
                while len(first) < ENOUGH and PREFACE.startswith(first):
                    more = await reader.read(CHUNK)
                    if not more:
                        # Half of a preface: HTTP/1.1's server says what is wrong with it.
                        return first
                    first += more
        except TimeoutError:
            return b""
        return first

    async def _splice(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: bytes, *, is_grpc: bool
    ) -> None:
        path = self._grpc if is_grpc else self._http
        inner_reader, inner_writer = await asyncio.open_connection(sock=await _named(path, writer), limit=CHUNK)
        inner_writer.write(first)
        # The inner server may take its time: whoever sends it waits, and nobody else.
        upward, downward = _Pump(reader, inner_writer), _Pump(inner_reader, writer, self._limits.stalled)
        up, down = asyncio.ensure_future(upward.run()), asyncio.ensure_future(downward.run())
        try:
            await self._while_either_speaks(upward, downward, up, down)
            for pump in (up, down):
                if pump.done() and isinstance(pump.exception(), Stalled):
                    raise Stalled
            if up.done() and up.exception() is None and not down.done():
                # They have said all. HTTP/1.1's server would take that for a hang-up and keep its answer.
                if is_grpc:
                    inner_writer.write_eof()
                await self._while_it_flows(downward, down)
        finally:
            up.cancel()
            down.cancel()
            await asyncio.gather(up, down, return_exceptions=True)
            _drop(inner_writer)
        # What was sent last is still to be delivered.
        writer.close()
        async with asyncio.timeout(self._half_closed):
            await writer.wait_closed()

    async def _while_either_speaks(
        self, upward: _Pump, downward: _Pump, up: asyncio.Future[None], down: asyncio.Future[None]
    ) -> None:
        seen = -1
        while (now := upward.passed + downward.passed) > seen:
            seen = now
            done, _ = await asyncio.wait({up, down}, timeout=self._limits.idle, return_when=asyncio.FIRST_COMPLETED)
            if done:
                return
        self._count("idle")

    async def _while_it_flows(self, pump: _Pump, running: asyncio.Future[None]) -> None:
        seen = -1
        while not running.done() and pump.passed > seen:
            seen = pump.passed
            await asyncio.wait({running}, timeout=self._half_closed)


class _Pump:
    """Passes on what ``reader`` says for as long as it speaks, no faster than ``writer`` takes it: who takes nothing
    for ``patience`` seconds has ``Stalled``."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, patience: float | None = None
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._patience = patience
        self.passed = 0

    async def run(self) -> None:
        """Until ``reader`` has nothing more to say. Raises ``OSError`` when either is gone; ``Stalled``."""
        while chunk := await self._reader.read(CHUNK):
            self._writer.write(chunk)
            try:
                async with asyncio.timeout(self._patience):
                    await self._writer.drain()
            except TimeoutError:
                raise Stalled from None
            self.passed += len(chunk)


async def _named(path: str, writer: asyncio.StreamWriter) -> socket.socket:
    """A connection to ``path`` from a socket that is named after whom it is for, ``127.0.0.1:40302``, beside it: to the
    server there all connections would be the same one else.
    """
    host, port = writer.get_extra_info("peername")[:2]
    inner = socket.socket(socket.AF_UNIX)
    try:
        inner.setblocking(False)
        name = os.path.join(os.path.dirname(path), f"{host}:{port}")
        inner.bind(name)
        try:
            await asyncio.get_running_loop().sock_connect(inner, path)
        finally:
            os.unlink(name)
    except BaseException:
        inner.close()
        raise
    return inner


def _drop(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
    )[0]
    listening = socket.socket(family, kind, protocol)
    try:
        # A server that was stopped a moment ago leaves connections in TIME_WAIT; they do not keep the port.
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.setblocking(False)
        listening.bind(address)
    except BaseException:
        listening.close()
        raise
    return listening


def _refusal(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} of {host} is in use: stop what uses it, or take another with --port (0 takes a free one)"
    if error.errno == errno.EACCES:
        return f"port {port} of {host} is not ours to take: choose one above 1023 with --port"
    return f"cannot listen on {host}:{port}: {error.strerror or error}. Choose another with --host and --port"
