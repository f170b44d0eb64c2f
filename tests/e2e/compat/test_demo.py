"""`flytectl demo`: a server in the background, found by clients without being told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Flytectl = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def flytectl(tmp_path: Path) -> Iterator[Flytectl]:
    """The program, for a user of its own. What it started is stopped at the end."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("WHIMBREL_", "FLYTE"))}

    def call(
        *arguments: str, code: int = 0, program: str = "flytectl", **variables: str
    ) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments],
            cwd=tmp_path,
            env={**kept, "HOME": str(tmp_path), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == code, done
        return done

    yield call
    call("demo", "teardown")


def address(tmp_path: Path) -> str:
    return str(json.loads((tmp_path / ".whimbrel" / "demo.json").read_text())["url"])


def test_it_starts_once_says_so_reloads_and_stops(flytectl: Flytectl, tmp_path: Path) -> None:
    assert flytectl("demo", "status", code=1).stdout.startswith("no demo server runs")
    started = flytectl("demo", "start", "--port", "0", "--image", "an-image", "--dev")
    url = address(tmp_path)
    assert started.stdout.startswith(f"whimbrel is ready at {url} (process ")
    assert f"export FLYTECTL_CONFIG={tmp_path}/.flyte/config-sandbox.yaml" in started.stdout
    assert started.stderr == "flytectl: --dev, --image speak to a container; without effect here\n"
    with urllib.request.urlopen(f"{url}/readyz", timeout=30) as response:
        assert response.status == 200

    again = flytectl("demo", "start", "--port", "0")
    assert again.stdout == f"a demo server runs already\n{started.stdout}"
    assert flytectl("demo", "status").stdout.startswith(f"whimbrel runs at {url} (process ")

    endpoint = "from flytekit.configuration import Config; print(Config.for_sandbox().platform.endpoint)"
    assert flytectl("-c", endpoint, program="python").stdout == f"{url.removeprefix('http://')}\n"

    reloaded = flytectl("demo", "reload")
    assert address(tmp_path) == url
    assert reloaded.stdout != started.stdout  # another process
    stopped = flytectl("demo", "stop")
    assert stopped.stdout.startswith("stopped; runs are kept in ")
    assert (tmp_path / ".whimbrel" / "demo" / "whimbrel.db").exists()
    assert flytectl("demo", "stop").stdout == "no demo server runs\n"
    assert flytectl("demo", "reload", code=2).stderr.startswith("flytectl: no demo server runs; start one")
    assert flytectl("-c", endpoint, program="python").stdout == "localhost:30080\n"
    assert "removed" in flytectl("demo", "teardown", "--volume").stdout
    assert not (tmp_path / ".whimbrel" / "demo").exists()


def test_one_that_was_killed_is_not_taken_for_running(flytectl: Flytectl, tmp_path: Path) -> None:
    flytectl("demo", "start", "--port", "0", WHIMBREL_HOME=str(tmp_path / "elsewhere"))
    pid = int(json.loads((tmp_path / ".whimbrel" / "demo.json").read_text())["pid"])
    assert str(tmp_path / "elsewhere") in flytectl("demo", "status").stdout
    os.kill(pid, signal.SIGKILL)
    lock = tmp_path / "elsewhere" / "lock"
    assert str(pid) in lock.read_text()  # its signature stays; the lock does not
    flytectl("demo", "start", "--port", "0")
    assert flytectl("demo", "status").stdout.startswith("whimbrel runs at ")


def test_why_it_did_not_start_is_said(flytectl: Flytectl, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    failed = flytectl("demo", "start", "--port", "0", WHIMBREL_HOME=str(tmp_path / "file" / "home"), code=2)
    assert "cannot be made" in failed.stderr
    home = tmp_path / "home"
    home.mkdir()
    (home / "whimbrel.db").write_text("no database at all, but long enough to be read as the head of one" * 99)
    failed = flytectl("demo", "start", "--port", "0", WHIMBREL_HOME=str(home), code=2)
    assert failed.stderr.startswith("flytectl: the server did not start: ")
    assert len(failed.stderr.splitlines()) < 10
    assert flytectl("demo", "exec", "ls", code=2).stderr.startswith("flytectl: there is no container")
