"""What a server takes from clients: beyond, they are told so, or hung up on, and it serves the others."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import grpc.aio
import httpx
import pytest

from tests.e2e.server.upping import FLOWS
from whimbrel.errors import Overloaded
from whimbrel.model.run import AttemptId, Phase, RunSummary
from whimbrel.runtime.loading import load_module, locate
from whimbrel.server.app import Server
from whimbrel.server.house import ServerConfig
from whimbrel.server.limits import Limits

PATIENCE = 60.0


@asynccontextmanager
async def serving(home: Path, limits: Limits) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    server = Server(ServerConfig(home, port=0, workers=1, drain=0.1, limits=limits))
    await server.start()
    try:
        async with httpx.AsyncClient(base_url=server.url, timeout=PATIENCE) as http:
            async with asyncio.timeout(PATIENCE):
                yield server, http
                assert (await http.get("/healthz")).status_code == 200
    finally:
        await server.stop()


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it has not come to that"
        await asyncio.sleep(0.01)


async def heard(server: Server, *said: bytes) -> bytes:
    """What a connection is told, that says this and then nothing, until it is hung up on."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    try:
        for each in said:
            writer.write(each)
            await writer.drain()
        return await reader.read()
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def test_who_asks_too_often_is_told_when_to_come_back(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path / "home", Limits(rate=0.01, burst=5)) as (server, http):
            answers = [await http.get("/api/v1/runs") for _ in range(7)]
            assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 2
            refused = answers[-1]
            assert refused.json()["type"] == "urn:whimbrel:problem:TooManyRequests"
            assert 1 <= int(refused.headers["retry-after"]) <= 200
            assert len({answer.headers["x-request-id"] for answer in answers}) == 7
            # Whoever watches over the server is not kept from it.
            assert {(await http.get("/readyz")).status_code for _ in range(9)} == {200}
            async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
                call: Any = channel.unary_unary("/flyteidl.service.AdminService/GetVersion")
                codes = [await code_of(call) for _ in range(7)]
            assert codes == [None] * 5 + [grpc.StatusCode.RESOURCE_EXHAUSTED] * 2

    asyncio.run(main())


async def code_of(call: Any) -> Any:
    try:
        await call(b"", timeout=PATIENCE)
    except grpc.aio.AioRpcError as error:
        return error.code()
    return None


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (b"GET /api/v1/runs HTTP/1.1\r\nhost: local", b"HTTP/1.1 408 "),
        (b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGET /", b"HTTP/1.1 408 "),
        (
            b"POST /api/v1/runs/r/abort HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
            b"content-length: 99\r\n\r\n{",
            b"HTTP/1.1 4",
        ),
        (b"PUT /uploads/a/b/c/d HTTP/1.1\r\nhost: localhost\r\ncontent-length: 99\r\n\r\nhalf", b"HTTP/1.1 408 "),
        (b"GET /" + b"x" * 70_000, b"HTTP/1.1 4"),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * 20_000, b"HTTP/1.1 4"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b""),
        (b"PRI", b""),
        (b"", b""),
    ],
)
def test_who_does_not_finish_is_hung_up_on(tmp_path: Path, said: bytes, told: bytes) -> None:
    async def main() -> None:
        limits = Limits(header_seconds=0.2, body_seconds=0.2, first_bytes=0.2, idle=1.0)
        async with serving(tmp_path / "home", limits) as (server, _):
            assert told in await heard(server, said)
        assert not list((tmp_path / "home").glob("uploads/**/*.part")), "half a file is left"

    asyncio.run(main())


def test_a_client_has_so_many_streams(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path / "home", Limits(streams=2)) as (_, http):
            opened = [http.stream("GET", "/api/v1/events") for _ in range(2)]
            answers = [await stream.__aenter__() for stream in opened]
            assert [answer.status_code for answer in answers] == [200, 200]
            third = await http.get("/api/v1/events")
            assert (third.status_code, third.json()["type"]) == (429, "urn:whimbrel:problem:TooManyStreams")
            await opened[0].__aexit__(None, None, None)
            while True:
                async with http.stream("GET", "/api/v1/events") as again:
                    if again.status_code == 200:
                        break
                    # Else every try is a connection of its own, and soon there are too many of those.
                    await again.aread()
                await asyncio.sleep(0.01)
            await opened[1].__aexit__(None, None, None)

    asyncio.run(main())


def test_a_client_has_so_many_connections(tmp_path: Path) -> None:
    async def main() -> None:
        async with serving(tmp_path / "home", Limits(connections_per_client=9)) as (server, http):
            held = [await asyncio.open_connection("127.0.0.1", server.port) for _ in range(12)]
            left = [asyncio.ensure_future(reader.read()) for reader, _ in held]
            done, _ = await asyncio.wait(left, return_when=asyncio.FIRST_COMPLETED)
            assert done
            for _, writer in held:
                writer.close()
            await asyncio.gather(*left, return_exceptions=True)
            await until(lambda: server.house.metrics.counted("whimbrel_connections_total", 'kind="crowded"') >= 3)
            deadline = time.monotonic() + PATIENCE
            while True:
                try:
                    assert (await http.get("/healthz")).status_code == 200
                    break
                except httpx.TransportError:
                    # Those who were let go have not all left yet.
                    assert time.monotonic() < deadline

    asyncio.run(main())


def test_who_does_not_read_is_dropped_and_can_come_back(tmp_path: Path) -> None:
    lines, letters = 600, 50_000

    async def main() -> None:
        async with serving(tmp_path / "home", Limits(stalled=0.3)) as (server, http):
            store = server.house.home.store
            await store.create(RunSummary("r", "wf", Phase.SUCCEEDED, 1.0, epoch=1), [])
            for number in range(lines):
                store.log_nowait(AttemptId("r", "n0", 1), "stdout", f"{number}:".ljust(letters), 1.0)
            slow = socket.socket()
            # Set before it connects: systems grow what is not said.
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", server.port))
            slow.setblocking(False)
            ask = b"GET /api/v1/runs/r/logs HTTP/1.1\r\nhost: localhost\r\naccept: text/event-stream\r\n\r\n"
            await asyncio.get_running_loop().sock_sendall(slow, ask)
            await until(lambda: server.house.metrics.counted("whimbrel_connections_total", 'kind="stalled"'))
            slow.close()
            # What it had seen is all that it says when it comes back.
            seen, numbers = "0", []
            for _ in range(2):
                async with http.stream(
                    "GET", "/api/v1/runs/r/logs", headers={"accept": "text/event-stream", "last-event-id": seen}
                ) as stream:
                    async for line in stream.aiter_lines():
                        if line.startswith("id: "):
                            seen = line.removeprefix("id: ")
                        elif line.startswith("data: {") and '"text"' in line:
                            numbers.append(int(json.loads(line.removeprefix("data: "))["text"].partition(":")[0]))
                            if len(numbers) == 7:
                                break
            assert numbers == list(range(lines))

    asyncio.run(main())


def test_a_launch_beyond_the_limit_is_refused_and_taken_later(tmp_path: Path) -> None:
    door = tmp_path / "door"
    where = locate(FLOWS)
    flow = load_module(where.module, where.root).waits
    literals = flow.signature.encode_inputs(flow.signature.bind((), {"x": 1, "door": str(door)}))

    async def main() -> None:
        async with serving(tmp_path / "home", Limits(runs=1)) as (server, http):
            plane = server.house.plane
            first = await plane.launch(flow.program(), flow.name, literals)
            with pytest.raises(Overloaded, match="1 runs are under way, and no more are taken; launch it again"):
                await plane.launch(flow.program(), flow.name, literals)
            assert [row["run"] for row in (await http.get("/api/v1/runs")).json()["runs"]] == [first]
            await server.house.home.store.create(RunSummary("broken", "wf", Phase.FAILED, 1.0, epoch=1), [])
            door.touch()
            assert (await plane.wait(first)).phase is Phase.SUCCEEDED
            second = await plane.launch(flow.program(), flow.name, literals)
            assert (await plane.wait(second)).phase is Phase.SUCCEEDED

    asyncio.run(main())


def test_requests_are_lines_in_the_log_without_what_they_carry(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with serving(tmp_path / "home", Limits()) as (_, http):
            answer = await http.post(
                "/api/v1/runs/nobody/abort?token=hunter2",
                json={"reason": "hunter2"},
                headers={"authorization": "Bearer hunter2"},
            )
            assert answer.status_code == 404
            (record,) = [each for each in caplog.records if getattr(each, "run", "") == "nobody"]
            said = vars(record)
            assert (said["method"], said["path"], said["status"]) == ("POST", "/api/v1/runs/nobody/abort", 404)
            assert (said["request"], said["client"]) == (answer.headers["x-request-id"], "127.0.0.1")
        # The client in this process has a log of its own.
        ours = [vars(each) for each in caplog.records if not each.name.startswith("http")]
        assert ours
        assert "hunter2" not in str(ours)

    with caplog.at_level(logging.INFO):
        asyncio.run(main())
