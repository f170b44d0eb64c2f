"""Schedules of a server that runs, and dies."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import math
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from flyteidl.admin import launch_plan_pb2

from tests.e2e.server.upping import LIMIT, Up, until, up
from tests.laws.schedule_world import DOMAIN, PROJECT, fired, kickoffs, plan
from whimbrel.model.launch_plan import CronSchedule, FixedRate
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


# --- asked for by clients --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """A server with two versions of a launch plan that ticks every second, both inactive."""
    home = tmp_path_factory.mktemp("schedules") / "home"

    async def write() -> None:
        with open_home(home, exclusive=True) as opened:
            for version in ("v1", "v2"):
                await opened.store.add_entity(plan("ticks", FixedRate(1.0, "at"), version))
            await opened.store.add_entity(plan("odd", CronSchedule("0 10 * * ? 2027")))

    asyncio.run(write())
    with up(home, "--workers", "1") as server:
        yield server


def set_state(server: Up, name: str, version: str, state: int) -> None:
    """Over gRPC, as clients of Flyte do."""
    request = launch_plan_pb2.LaunchPlanUpdateRequest(state=state)
    request.id.resource_type = 3
    request.id.project, request.id.domain, request.id.name, request.id.version = PROJECT, DOMAIN, name, version
    with grpc.insecure_channel(f"localhost:{server.port}") as channel:
        channel.unary_unary(
            "/flyteidl.service.AdminService/UpdateLaunchPlan",
            request_serializer=type(request).SerializeToString,
            response_deserializer=launch_plan_pb2.LaunchPlanUpdateResponse.FromString,
        )(request, timeout=LIMIT)


def latest(server: Up) -> dict[str, Any]:
    """The last firing of the ticking plan that has been fired, {} for none."""
    found = server.get(f"/schedules/{PROJECT}/{DOMAIN}/ticks")["firings"]
    return found[0] if found else {}


def test_activation_begins_a_schedule_and_moves_it_and_deactivation_ends_it(server: Up) -> None:
    assert server.get("/schedules") == {"schedules": [], "next": None}
    set_state(server, "ticks", "v1", 1)
    fired = until(lambda: latest(server))
    assert (fired["version"], fired["outcome"], fired["detail"]) == ("v1", "fired", "")
    [row] = server.get("/schedules", text="tick", project=PROJECT)["schedules"]
    assert (row["name"], row["version"], row["schedule"]["type"]) == ("ticks", "v1", "rate")
    assert len(row["next"]) == 5
    assert row["next"] == sorted(row["next"])
    run = until(lambda: ended(server, fired["run"]))
    assert run["inputs"]["at"].startswith(fired["due"][:19])
    set_state(server, "ticks", "v2", 1)
    until(lambda: latest(server)["version"] == "v2")
    set_state(server, "ticks", "v2", 0)
    until(lambda: server.get("/schedules")["schedules"] == [])
    first = server.get(f"/schedules/{PROJECT}/{DOMAIN}/ticks", limit=1)
    rest = server.get(f"/schedules/{PROJECT}/{DOMAIN}/ticks", cursor=first["next"])
    due = [firing["due"] for firing in (*first["firings"], *rest["firings"])]
    assert due == sorted(set(due), reverse=True)
    assert figure(server, "whimbrel_firing_late_seconds_count") == len(due)


def ended(server: Up, run: str) -> Any:
    detail = server.get(f"/runs/{run}")
    return detail if detail["phase"] == "SUCCEEDED" else None


def post(server: Up, path: str, body: Any, status: int) -> Any:
    answer = server.http.post(f"/api/v1/projects/{PROJECT}/domains/{DOMAIN}{path}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


def test_a_backfill_is_listed_and_launched(server: Up) -> None:
    since = math.floor(time.time()) - 100
    span = {"since": at(since), "until": at(since + 3)}
    dry = post(server, "/launch-plans/ticks/v2/backfill", {**span, "dry_run": True}, 200)
    assert (dry["state"], dry["id"], dry["version"]) == ("DRY", "", "v2")
    assert [time["phase"] for time in dry["times"]] == [None] * 4
    made = post(server, "/launch-plans/ticks/v2/backfill", span, 200)
    assert [time["execution"] for time in made["times"]] == [time["execution"] for time in dry["times"]]
    where = f"/projects/{PROJECT}/domains/{DOMAIN}/backfills/{made['id']}"
    done = until(lambda: next((row for row in [server.get(where)] if row["state"] == "DONE"), None))
    assert [time["phase"] for time in done["times"]] == ["SUCCEEDED"] * 4
    assert [row["id"] for row in server.get("/backfills", project=PROJECT)["backfills"]] == [made["id"]]
    again = post(server, "/launch-plans/ticks/v2/backfill", {**span, "dry_run": True}, 200)
    assert again["times"] == done["times"]
    assert post(server, f"/backfills/{made['id']}/stop", {}, 200)["state"] == "DONE"


def at(moment: float) -> str:
    return dt.datetime.fromtimestamp(moment, dt.UTC).isoformat()


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("/launch-plans/ticks/v2/backfill", {}, 400, "since"),
        ("/launch-plans/ticks/v2/backfill", {"since": ""}, 400, "since"),
        ("/launch-plans/ticks/v2/backfill", {"since": "yesterday"}, 400, "2026-01-31"),
        ("/launch-plans/ticks/v2/backfill", {"since": "2026-01-01", "until": "2999-01-01"}, 400, "yet to come"),
        ("/launch-plans/ticks/v2/backfill", {"since": "1026-01-01", "until": "2026-01-01"}, 400, "shorter"),
        ("/launch-plans/ticks/v2/backfill", {"since": "2026-01-01", "concurrency": 0}, 400, "concurrency"),
        ("/launch-plans/ticks/v9/backfill", {"since": "2026-01-01"}, 404, "not registered"),
        ("/launch-plans/nothing/active/backfill", {"since": "2026-01-01"}, 404, "active"),
        ("/backfills/nothing/stop", {}, 404, "no backfill"),
    ],
)
def test_what_makes_no_sense_is_refused(server: Up, path: str, body: Any, status: int, said: str) -> None:
    problem = post(server, path, body, status)
    assert said in problem["detail"]


def test_a_schedule_that_cannot_be_read_cannot_be_activated(server: Up) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        set_state(server, "odd", "v1", 1)
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "write five fields" in refused.value.details()
    for path in ("/schedules?cursor=x", f"/schedules/{PROJECT}/{DOMAIN}/ticks?cursor=x", "/backfills?cursor=-1"):
        assert server.http.get(f"/api/v1{path}").status_code == 400
