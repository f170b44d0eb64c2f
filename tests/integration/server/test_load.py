"""Many clients at once, for some seconds: the benchmark, made short."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

LOAD = Path(__file__).parents[3] / "benchmarks" / "load_clients.py"


@pytest.mark.slow
def test_fifty_clients_lose_nothing() -> None:
    done = subprocess.run(
        [sys.executable, str(LOAD), "--clients", "50", "--seconds", "8"], capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = json.loads(done.stdout)
    assert (found["lost"], found["errors"], found["complaints"], found["ready"]) == (0, {}, [], "ready")
    assert found["runs"] >= 50
    assert set(found["ms"]) == {"register", "launch", "follow", "list"}
