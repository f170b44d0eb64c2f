"""What hostile clients say, a server to say it to, and what must hold of it afterwards."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from tests.e2e.server.upping import FLOWS
from whimbrel.model.codec import encode
from whimbrel.model.program import CodeRef, Program
from whimbrel.runtime.loading import load_module, locate
from whimbrel.server.app import Server
from whimbrel.server.house import ServerConfig
from whimbrel.server.limits import Limits
from whimbrel.wire.rest.registering import Registration

T = TypeVar("T")

PLACE = "projects/flytesnacks/domains/development"
GATED = "flow_programs.asks"
RUN = "a-run"

NAMES = (
    "../../../../escaped",
    "..",
    ".",
    "a/../../b",
    "..%2f..%2fescaped",
    "/etc/passwd",
    "C:\\escaped",
    "'; DROP TABLE runs; --",
    '" OR 1=1 --',
    "%' OR '1'='1",
    "<script>alert(1)</script>",
    "{{constructor}}",
    "$(touch escaped)",
    "`id`",
    "\x00",
    "a\x00b",
    "\x1b[2J",
    "\r\nset-cookie: a=b",
    "\u202egnp.exe",
    "é\U0001f4a3",
    "x" * 3000,
    "-1",
    "1e999",
    "9" * 40,
    "NaN",
    "",
    " ",
    "*",
    "latest",
    "active",
    RUN,
    GATED,
    "v1",
    "flytesnacks",
    "development",
    "n0",
)
"""Some of them are there, so that what is behind them is reached."""


class Served:
    """A server in a thread of its own, so that tests may block."""

    def __init__(self, home: Path) -> None:
        self.root = home
        while self.root.name != "root":
            self.root = self.root.parent
        limits = Limits(first_bytes=2.0, header_seconds=2.0, body_seconds=2.0, idle=30.0, rate=0)
        self.server = Server(ServerConfig(home, port=0, workers=1, drain=0.1, limits=limits))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.do(self.server.start())
        self.http = httpx.Client(base_url=self.server.url, timeout=60)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """The result of ``work``, done where the server is."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(120)

    def close(self) -> None:
        self.http.close()
        self.do(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def furnish(self) -> None:
        """Register something, and launch it: it waits at a gate."""
        where = locate(FLOWS)
        program: Program = load_module(where.module, where.root).asks.program()
        tasks = {
            name: msgspec.structs.replace(task, code=CodeRef(task.code.module, task.code.name, ""))
            for name, task in program.tasks.items()
        }
        body = encode(Registration("v1", "", "3.11", msgspec.structs.replace(program, tasks=tasks)))
        said = self.http.post(
            f"/api/v1/{PLACE}/register", content=body, headers={"content-type": "application/msgpack"}
        )
        assert said.status_code == 200, said.text
        target = {"project": "flytesnacks", "domain": "development", "kind": "workflow", "name": GATED}
        said = self.http.post("/api/v1/runs", json={**target, "run_name": RUN, "inputs": {"x": 1}})
        assert said.status_code == 201, said.text

    def tree(self) -> set[str]:
        """Every path outside of the home, and the names at its top."""
        home = self.server.config.home
        outside = {str(path) for path in self.root.rglob("*") if not path.is_relative_to(home)}
        return outside | {path.name for path in home.iterdir()}

    def must_be_well(self) -> None:
        """It answers, and what was there is there."""
        assert self.http.get("/readyz").text == "ready\n"
        assert RUN in {row["name"] for row in self.http.get("/api/v1/runs", params={"limit": 500}).json()["runs"]}
        assert self.server.house.home.store.check_integrity() == []


class Faults(logging.Handler):
    """Hears of everything that the server takes for its own fault."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.heard.append(self.format(record))


@contextmanager
def served(directory: Path) -> Iterator[Served]:
    """A server; at its end it is well, it has complained of nothing, and nothing is where it should not be."""
    home = directory / "root" / "a" / "b" / "c" / "d" / "home"
    home.parent.mkdir(parents=True)
    faults = Faults()
    logging.getLogger("whimbrel").addHandler(faults)
    found = Served(home)
    try:
        found.furnish()
        before = found.tree()
        yield found
        found.must_be_well()
        # What the server keeps for itself, and nothing by a name that was sent.
        there = {name for name in found.tree() - before if not name.startswith("secrets")}
        assert there <= {"uploads", "bundles", "blobs", "commands"}, there
    finally:
        found.close()
        logging.getLogger("whimbrel").removeHandler(faults)
    assert not faults.heard, faults.heard[0]
