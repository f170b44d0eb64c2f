"""Who follows a run hears all of it, once, although its server is killed and started again in between."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
from pathlib import Path
from typing import Any

from tests.e2e.client import remote_flows as flows
from tests.e2e.server.upping import LIMIT, SCRIPT, Up, until, up
from whimbrel.client.asynchronous import AsyncRemote
from whimbrel.client.configuration import Config
from whimbrel.client.executions import Execution

FLOWS = str(Path(flows.__file__))


def again(home: Path, server: Up, begun: Path) -> Up:
    """The same server, killed once the task has begun, and started once more at its address."""
    until(begun.exists)
    begun.unlink()
    server.end(signal.SIGKILL)
    return Up(home, "--port", str(server.port))


def test_nothing_is_lost_or_heard_twice(tmp_path: Path) -> None:
    home, door = tmp_path / "home", tmp_path / "door"
    begun = Path(f"{door}.begun")
    server = Up(home)

    async def main() -> None:
        nonlocal server
        async with AsyncRemote(Config(endpoint=server.url)) as remote:
            execution = await remote.execute(flows.waits, {"x": 1, "door": str(door)})
            heard: list[dict[str, Any]] = []
            lines: list[str] = []

            async def listen() -> None:
                async for event in remote.events(execution):
                    heard.append(event)

            async def read() -> None:
                async for line in remote.logs(execution, follow_on=True):
                    lines.append(line.text)

            async def fold() -> int:
                return len([said async for said in remote.exact_events(execution)])

            following = [asyncio.ensure_future(work) for work in (listen(), read(), fold())]
            waiting = asyncio.ensure_future(remote.wait(execution, timeout=2 * LIMIT))
            for _ in range(2):
                server = await asyncio.to_thread(again, home, server, begun)
            await asyncio.to_thread(until, begun.exists)
            door.touch()
            ended: Execution = await waiting
            assert ended.result() == 4
            await asyncio.gather(*following)
            assert [event["seq"] for event in heard[:-1]] == list(range(1, len(heard)))
            assert heard[-1]["event"] == "end"
            assert "".join(lines) == "doubling 1\ndoubling 2\n"
            # The same once more, of a run that is over.
            late = [event async for event in remote.events(execution)]
            assert late == heard

    try:
        asyncio.run(main())
    finally:
        server.end()


def test_a_command_follows_through_the_death_of_the_server(tmp_path: Path) -> None:
    home, door = tmp_path / "home", tmp_path / "door"
    begun = Path(f"{door}.begun")
    server = Up(home)
    command = [SCRIPT, "run", "--url", server.url, "--json", FLOWS, "waits", "--x", "2", "--door", str(door)]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        server = again(home, server, begun)
        until(begun.exists)
        door.touch()
        said, told = running.communicate(timeout=LIMIT)
    finally:
        running.kill()
        running.wait(LIMIT)
        server.end()
    assert running.returncode == 0, told
    assert json.loads(said)["outputs"] == {"o0": 8}
    assert "is away; trying again" in told
    assert "the server is back" in told
    # What was over before is told once.
    assert told.count("n0 double SUCCEEDED") == 1


def test_ctrl_c_leaves_the_run_alone(tmp_path: Path) -> None:
    home, door = tmp_path / "home", tmp_path / "door"
    with up(home) as server:
        command = [SCRIPT, "run", "--url", server.url, FLOWS, "waits", "--x", "2", "--door", str(door)]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        until(Path(f"{door}.begun").exists)
        running.send_signal(signal.SIGINT)
        said, told = running.communicate(timeout=LIMIT)
        assert running.returncode == 130, told
        assert said == ""
        assert "goes on on the server. Follow it again with:" in told
        advice = told.strip().splitlines()[-1].split()
        door.touch()
        watched = subprocess.run([SCRIPT, *advice[1:]], capture_output=True, text=True, timeout=LIMIT)
        assert (watched.returncode, watched.stdout) == (0, "8\n"), watched.stderr


def test_a_launch_that_is_asked_while_the_server_is_away_is_made_once(tmp_path: Path) -> None:
    home = tmp_path / "home"
    server = Up(home)

    async def main() -> None:
        nonlocal server
        async with AsyncRemote(Config(endpoint=server.url)) as remote:
            assert (await remote.execute(flows.chain, {"x": 1}, wait=True)).result() == 4
            server.end(signal.SIGKILL)
            asked = [asyncio.ensure_future(remote.execute(flows.chain, {"x": 2}, name="late")) for _ in range(2)]
            server = await asyncio.to_thread(Up, home, "--port", str(server.port))
            begun = await asyncio.gather(*asked)
            assert {each.run for each in begun} == {"late"}
            assert (await remote.wait(begun[0], timeout=LIMIT)).result() == 8
            assert len(await remote.recent()) == 2

    try:
        asyncio.run(main())
    finally:
        server.end()
