"""An eager run on a server; its driver, its workers and the server are killed with SIGKILL at random moments, fifty
times. A client that has registered and launched it follows all the while. It ends right, with one history and nothing
finished twice.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.chaos.generator import STEPS
from tests.e2e.chaos.history import violations
from tests.e2e.chaos.killing import LIMIT, SCRIPT, Patient, children, wait_until
from tests.e2e.chaos.steps import MODULUS
from whimbrel.client.configuration import Config
from whimbrel.client.remote import Remote
from whimbrel.engine.run import Run
from whimbrel.model.attempt import Lost
from whimbrel.model.events import OwnerChanged
from whimbrel.model.literals import IntLiteral
from whimbrel.model.run import Phase

KILLS = {"server": 17, "driver": 17, "worker": 16}
SEED = int(os.environ.get("SEED", "7"))
X = 5


class Served(Patient):
    """A run of ``rounds.main`` on a server of its own, on a port that stays."""

    def __init__(self, folder: Path, seed: int) -> None:
        super().__init__(folder, seed)
        shutil.copy(STEPS, folder)
        self.file = folder / "rounds.py"
        shutil.copy(Path(__file__).with_name("rounds.py"), self.file)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def serve(self) -> subprocess.Popen[str]:
        """Start the server, and wait until it is ready."""
        command = [SCRIPT, "up", "--port", str(self.port), "--workers", "2", "--log-level", "error"]
        with (self.folder / "stderr").open("ab") as stderr:
            server = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            )
        self.owners.append(server.pid)
        assert server.stdout is not None
        said = server.stdout.readline()
        assert said.startswith("whimbrel is ready at"), (self.folder / "stderr").read_text()
        return server

    def launch(self) -> None:
        """Register the program, and launch it."""
        url = f"http://127.0.0.1:{self.port}"
        register = [SCRIPT, "register", str(self.file), "--version", "v1", "--url", url]
        subprocess.run(register, cwd=self.folder, check=True, capture_output=True, timeout=LIMIT)
        wanted = {
            "project": "flytesnacks",
            "domain": "development",
            "kind": "task",
            "name": "rounds.main",
            "version": "v1",
            "inputs": {"x": X},
            "run_name": self.run,
        }
        answer = httpx.post(f"{url}/api/v1/runs", json=wanted, timeout=LIMIT)
        assert answer.status_code == 201, answer.text
        assert answer.json()["run"] == self.run

    def end(self, server: subprocess.Popen[str]) -> None:
        """Kill the server, and wait until its workers have gone too."""
        self.kill(server)  # type: ignore[arg-type]  # the same, with text in its pipes
        assert server.stdout is not None
        server.stdout.close()

    def strike(self, server: subprocess.Popen[str], wanted: str) -> str:
        """Kill that one at a moment that chance finds; "" if there was none to be killed then."""
        # Sometimes at once: in the middle of a start, of a resume, of a replacement.
        if self.chance.random() < 0.8:
            goal = _size(self.trace) + 24 * self.chance.randrange(1, 12)
            wait_until(lambda: _size(self.trace) >= goal)
        if self.chance.random() < 0.5:
            self.mark()
        if wanted == "server":
            self.end(server)
            return wanted
        there = set(children(server.pid))
        driver = self._last_driver()
        if wanted == "driver":
            return self._kill_child([pid for pid in there if pid == driver], wanted)
        # Of the others the one that has begun something last: it is likely to be in the middle of it.
        begun = (line.pid for line in reversed(self.lines()) if line.what == "begin" and line.pid in there)
        return self._kill_child([pid for pid in (next(begun, 0),) if pid], wanted)

    def rounds(self, value: int) -> int:
        """What so many rounds as made ``value`` give as plain Python, without an engine."""
        plain = {key: text for key, text in os.environ.items() if key != "CHAOS_TRACE"}
        plain["CHAOS_ROUNDS"] = str(value // MODULUS)
        command = [SCRIPT, "run", "--direct", str(self.file), "main", "--x", str(X)]
        return int(subprocess.run(command, cwd=self.folder, env=plain, capture_output=True, check=True).stdout)


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


class Follower(threading.Thread):
    """Follows a run to its end; what it was told, or what went wrong."""

    def __init__(self, port: int, run: str) -> None:
        super().__init__(daemon=True)
        self._config = Config(endpoint=f"127.0.0.1:{port}")
        self._run_id = run
        self.told: list[dict[str, Any]] = []
        self.problem: BaseException | None = None

    def run(self) -> None:
        try:
            with Remote(self._config, patience=LIMIT) as remote:
                for event in remote.events(self._run_id):
                    self.told.append(event)
        except BaseException as problem:
            self.problem = problem


@pytest.mark.slow
def test_driver_workers_and_server_are_killed_fifty_times(tmp_path: Path) -> None:
    patient = Served(tmp_path / "run", SEED)
    server = patient.serve()
    patient.launch()
    follower = Follower(patient.port, patient.run)
    follower.start()
    wanted = [what for what, times in KILLS.items() for _ in range(times)]
    patient.chance.shuffle(wanted)
    try:
        for what in wanted:
            wait_until(lambda now=server, one=what: patient.strike(now, one))
            if what == "server":
                server = patient.serve()
        Path(f"{patient.trace}.enough").touch()
        follower.join(LIMIT)
        assert not follower.is_alive(), "the run has not ended"
    finally:
        patient.end(server)
    assert follower.problem is None, follower.problem
    history = patient.history()
    told = f"seed {SEED}, {len(history.events)} events, in {tmp_path}"
    assert violations(history) == [], told
    run = Run.replay(history.events)
    run.check_invariants()
    assert run.phase is Phase.SUCCEEDED, (run.failure, told)
    (value,) = run.outputs.values()
    assert isinstance(value, IntLiteral)
    assert value.value == patient.rounds(value.value), told
    # The follower was told the history, each event of it once, and the end; whatever became of the server.
    assert follower.told[-1]["event"] == "end"
    assert [event["seq"] for event in follower.told[:-1]] == list(range(1, len(history.events) + 1))
    assert [event["event"] for event in follower.told[:-1]] == [
        str(event.__struct_config__.tag) for event in history.events
    ]
    # They met it: most servers got as far as to take the run over before they died.
    assert sum(isinstance(event, OwnerChanged) for event in history.events) > KILLS["server"] // 2, told
    lost = Counter(event.attempt.path == "n0" for event in history.events if isinstance(event, Lost))
    assert min(lost[True], lost[False]) > 3, told
