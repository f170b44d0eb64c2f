"""Law: libraries of asyncio, threads and arrays work in eager bodies as they are, and on replay too."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import for_each_write, with_always_replay

from .real_work import forecast, looks_then_waits


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on the loopback interface that answers with the number that is asked for."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Numbers) as server:
        server.daemon_threads = True
        server.block_on_close = False
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


class Numbers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        number = self.path.rpartition("/")[2].encode()
        self.send_response(200)
        self.send_header("content-length", str(len(number)))
        self.end_headers()
        self.wfile.write(number)

    def log_message(self, format: str, *args: object) -> None:
        """Nobody reads it."""


EXPECTED = [5.0, 15.0, 25.0, 29.5803989, 45.0]


def check(values: list[float]) -> None:
    assert [round(value, 7) for value in values] == EXPECTED


def test_an_ordinary_program(url: str) -> None:
    check(asyncio.run(plainly(url)))
    for skip_time in (True, False):
        check(TestEngine(skip_time=skip_time).run(forecast, url=url, days=4))


async def plainly(url: str) -> list[float]:
    return await forecast(url=url, days=4)


def test_an_ordinary_program_is_replayed(url: str) -> None:
    assert with_always_replay(forecast, {"url": url, "days": 4}).drivers
    assert for_each_write(forecast, {"url": url, "days": 4}).crashes


def test_a_time_out_that_was_met_is_not_met_again() -> None:
    """Its hour came while nobody drove the run: the work that it guarded is done again, and has its time."""
    engine = TestEngine()
    engine.crash_at(3)
    with pytest.raises(SimulatedCrash):
        engine.run(looks_then_waits, x=4)
    assert not engine.executed
    engine.world.elapsed += 24 * 3600
    assert engine.resume() == 80
