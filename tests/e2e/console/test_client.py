"""The TypeScript client, in node, against a server that runs."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.e2e.server.upping import FLOWS, LIMIT, SCRIPT, Up

CONSOLE = Path(__file__).parents[3] / "console"


def test_it_lists_launches_follows_and_aborts(server: Up, tmp_path: Path) -> None:
    vitest = CONSOLE / "node_modules" / ".bin" / "vitest"
    assert vitest.exists(), "make console: its packages are not installed"
    register = [SCRIPT, "register", str(FLOWS), "--url", server.url, "--version", "v1"]
    registered = subprocess.run(register, capture_output=True, text=True, timeout=LIMIT)
    assert registered.returncode == 0, registered.stdout + registered.stderr
    environment = {**os.environ, "WHIMBREL_URL": server.url, "WHIMBREL_DOOR": str(tmp_path / "door"), "NO_COLOR": "1"}
    done = subprocess.run(
        [vitest, "run", "--config", "vitest.live.config.ts"],
        cwd=CONSOLE,
        env=environment,
        capture_output=True,
        text=True,
        timeout=3 * LIMIT,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout
