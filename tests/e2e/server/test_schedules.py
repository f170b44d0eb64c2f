"""Schedules of a server that runs, and dies."""

from __future__ import annotations

import asyncio
import contextlib
import math
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from tests.e2e.server.upping import Up, until, up
from tests.laws.schedule_world import fired, kickoffs, plan
from whimbrel.model.launch_plan import FixedRate
from whimbrel.stores.home import open_home

PLANS = 1_000
HOUR = 3600.0


def scheduled(home: Path, seconds: float) -> float:
    """Register and activate the launch plans as of almost an hour ago: all are due for the first time at the moment
    that is given, some ``seconds`` from now, and for the second time when nobody looks any more."""
    began = math.floor(time.time()) - HOUR + seconds

    async def write() -> None:
        with open_home(home, exclusive=True) as opened:
            plans = [plan(f"plan {number}", FixedRate(HOUR, "at")) for number in range(PLANS)]
            await asyncio.gather(*(opened.store.add_entity(entity) for entity in plans))
            await asyncio.gather(*(opened.store.set_entity_state(entity.id, "ACTIVE", began) for entity in plans))

    asyncio.run(write())
    return began + HOUR


def figure(server: Up, name: str) -> float:
    """A figure of `/metrics`."""
    lines = server.http.get("/metrics").text.splitlines()
    return next((float(line.split()[-1]) for line in lines if line.startswith(f"{name} ")), 0.0)


def succeeded(server: Up) -> float:
    return figure(server, 'whimbrel_runs{phase="SUCCEEDED"}')


def begun(home: Path) -> int:
    """How many runs the database has, whoever is writing to it."""
    with contextlib.closing(sqlite3.connect(f"file:{home}/whimbrel.db?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM runs").fetchone()[0])


@pytest.mark.parametrize("seed", [7])
def test_a_thousand_launch_plans_fire_once_each_whenever_the_server_is_killed(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    home = tmp_path / "home"
    due = scheduled(home, 4.0)
    for enough in (chance.randint(50, 300), chance.randint(350, 600)):
        with up(home, "--workers", "1") as server:
            until(lambda: begun(home) >= enough)  # noqa: B023  # called before the next round
            assert server.end(signal.SIGKILL) == -signal.SIGKILL
        assert enough <= begun(home) < PLANS, "it was not killed in the middle"
    with up(home, "--workers", "1") as server:
        until(lambda: succeeded(server) == PLANS)
        assert server.end() == 0

    async def read() -> None:
        with open_home(home, exclusive=True) as opened:
            found = await kickoffs(opened.store)
            assert found == sorted((f"plan {number}", "v1", due) for number in range(PLANS))
            for number in range(PLANS):
                assert await fired(opened.store, f"plan {number}") == [due]

    asyncio.run(read())
