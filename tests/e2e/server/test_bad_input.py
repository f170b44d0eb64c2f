"""What users get wrong, and what happens to machines: a sentence each, and a server that goes on."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.e2e.server.upping import FLOWS, LIMIT, SCRIPT, up
from whimbrel.client.configuration import Config
from whimbrel.client.remote import Remote
from whimbrel.errors import CallMismatch, EntityNotFound, WhimbrelError
from whimbrel.model.run import Phase
from whimbrel.runtime.loading import load_module, locate
from whimbrel.server import app
from whimbrel.server.app import Server
from whimbrel.server.house import ServerConfig


def test_a_home_of_a_newer_whimbrel_is_left_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with up(home) as server:
        assert server.end() == 0
    database = home / "whimbrel.db"
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    before = database.read_bytes()
    done = subprocess.run(
        [SCRIPT, "up", "--port", "0", "--home", str(home)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 74
    assert done.stdout == ""
    assert "was written by a newer whimbrel (revision 9999): upgrade whimbrel" in done.stderr
    assert "Traceback" not in done.stderr
    assert database.read_bytes() == before


def test_what_users_get_wrong_is_said_in_a_sentence(tmp_path: Path) -> None:
    flow = tmp_path / "mine.py"
    flow.write_text("from whimbrel import workflow\n\n@workflow\ndef wf(x: int) -> int:\n    return x\n")
    with up(tmp_path / "home") as server, Remote(Config(endpoint=server.url)) as remote:
        remote.register(flow, version="v1", root=tmp_path)
        wf = remote.fetch_workflow("mine.wf")
        said: list[tuple[type[WhimbrelError], str]] = []

        def wrong(kind: type[WhimbrelError], words: str, act: object) -> None:
            with pytest.raises(kind) as told:
                act()  # type: ignore[operator]
            assert words in str(told.value)
            assert "Traceback" not in str(told.value)
            said.append((kind, str(told.value)))

        wrong(CallMismatch, "lacks the input 'x' (int)", lambda: remote.execute(wf, inputs={}))
        wrong(WhimbrelError, "'x'", lambda: remote.execute(wf, inputs={"x": "three"}))
        wrong(EntityNotFound, "mine.nothing", lambda: remote.fetch_workflow("mine.nothing"))
        nowhere = {"project": "nowhere", "domain": "development", "kind": "workflow", "name": "mine.wf"}
        answer = server.http.post("/api/v1/runs", json={**nowhere, "inputs": {"x": 1}})
        assert answer.status_code in (400, 404)
        assert "nowhere" in answer.json()["detail"]
        assert len(said) == 3
        assert server.get("/runs")["runs"] == []
        # And what is right works.
        run = remote.execute(wf, inputs={"x": 3})
        assert remote.wait(run).outputs == {"o0": 3}
        assert server.http.get("/readyz").text == "ready\n"


class Jumping:
    """A wall clock that is set."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.real = app.SystemClock()

    def now(self) -> float:
        return self.real.now() + self.ahead


@pytest.mark.parametrize("jumps", [(-3600.0, 7200.0), (86_400.0, -86_400.0), (-1e9, 1e9)])
def test_a_clock_that_jumps_keeps_no_run_from_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jumps: tuple[float, float]
) -> None:
    clock = Jumping()
    monkeypatch.setattr(app, "SystemClock", lambda: clock)
    door = tmp_path / "door"
    begun_at = tmp_path / "door.begun"
    where = locate(FLOWS)
    flows = load_module(where.module, where.root)

    async def begun(server: Server, name: str, **inputs: object) -> str:
        flow = getattr(flows, name)
        given = flow.signature.encode_inputs(flow.signature.bind((), inputs))
        return await server.house.plane.launch(flow.program(), flow.name, given)

    async def main() -> None:
        config = ServerConfig(tmp_path / "home", port=0, workers=3, drain=0.1)
        server = Server(config)
        await server.start()
        runs = [await begun(server, "waits", x=1, door=str(door)), await begun(server, "naps", x=2)]
        deadline = asyncio.get_running_loop().time() + LIMIT
        while not begun_at.exists():
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.01)
        clock.ahead += jumps[0]
        runs.append(await begun(server, "naps", x=3))
        assert (await asyncio.wait_for(server.house.plane.wait(runs[2]), LIMIT)).phase is Phase.SUCCEEDED
        # Left in the middle, and carried on under another time.
        await server.stop()
        clock.ahead += jumps[1]
        server = Server(config)
        await server.start()
        door.touch()
        try:
            async with httpx.AsyncClient(base_url=server.url, timeout=LIMIT) as http:
                for run in runs:
                    while True:
                        row = (await http.get(f"/api/v1/runs/{run}")).json()
                        if row["ended_at"]:
                            break
                        assert asyncio.get_running_loop().time() < deadline + LIMIT
                        await asyncio.sleep(0.02)
                    assert row["phase"] == "SUCCEEDED", row["failure"]
                listed = (await http.get("/api/v1/runs")).json()["runs"]
                assert sorted(row["run"] for row in listed) == sorted(runs)
                assert (await http.get("/readyz")).text == "ready\n"
        finally:
            await server.stop()

    asyncio.run(main())
