"""What the tests of the console do to servers and pages."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from playwright.sync_api import ConsoleMessage, Error, Page

from tests.e2e.server.upping import SCRIPT, Up

PROGRAMS = Path(__file__).with_name("console_programs.py")
ROOT = Path(__file__).parents[3]
LIMIT = 60_000
"""Milliseconds after which something hangs."""


class Watched:
    """Collects what a page complains about. That a server is gone for a while is no complaint, and a deck that tries
    what it may not is no fault of the page's."""

    def __init__(self, page: Page) -> None:
        self.complaints: list[str] = []
        page.on("pageerror", self._fail)
        page.on("console", self._hear)

    def _fail(self, error: Error) -> None:
        if "Blocked a frame" not in str(error):
            self.complaints.append(str(error))

    def _hear(self, message: ConsoleMessage) -> None:
        gone = "ERR_CONNECTION" in message.text or "ERR_INCOMPLETE" in message.text or "ERR_NETWORK" in message.text
        refused = "Failed to load resource: the server responded with a status of 4" in message.text
        deck = "/decks/" in message.location.get("url", "")
        if message.type in ("error", "warning") and not gone and not refused and not deck:
            self.complaints.append(message.text)


def ran(home: Path, workflow: str, *arguments: str, program: Path = PROGRAMS) -> str:
    """The id of a run of a program, which has ended or rests."""
    subprocess.run(
        [SCRIPT, "run", "--home", str(home), "--quiet", str(program), workflow, *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=LIMIT / 1000,
    )
    return newest(home)


def register(server: Up, program: Path = PROGRAMS, version: str = "v1", *options: str) -> None:
    """What is in a program is on the server."""
    command = [SCRIPT, "register", "--url", server.url, "--version", version, *options, str(program)]
    subprocess.run(command, check=True, capture_output=True, timeout=LIMIT / 1000)


def launch(server: Up, name: str, **more: Any) -> str:
    """The id of a run of a workflow that is registered, on its way; ``more`` is said with it."""
    place = {"project": "flytesnacks", "domain": "development", "kind": "workflow"}
    answer = server.http.post("/api/v1/runs", json={**place, "name": name, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["run"])


def newest(home: Path) -> str:
    """The id of the newest run of a home."""
    said = subprocess.run(
        [SCRIPT, "runs", "--home", str(home), "--json"],
        capture_output=True,
        text=True,
        check=True,
        timeout=LIMIT / 1000,
    )
    found: list[dict[str, Any]] = json.loads(said.stdout)
    return str(found[0]["run"])


def left_at(home: Path, workflow: str, *arguments: str, begun: str) -> str:
    """The id of a run whose process was killed when a task had written ``begun``."""
    process = subprocess.Popen(
        [SCRIPT, "run", "--home", str(home), str(PROGRAMS), workflow, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if begun in line:
            break
    process.kill()
    process.wait()
    process.stdout.close()
    return newest(home)


def axe(page: Page, *rules: str, spared: tuple[str, ...] = ("minor", "moderate")) -> list[str]:
    """What axe finds on a page, but what is ``spared`` by its impact; by some ``rules`` alone, where they are said."""
    page.evaluate((ROOT / "console/node_modules/axe-core/axe.min.js").read_text())
    found = page.evaluate(
        "(rules) => axe.run(document, {resultTypes: ['violations'], ...(rules.length ? {runOnly: rules} : {})})",
        list(rules),
    )
    return [
        f"{each['impact']} {each['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:300]}"
        for each in found["violations"]
        if each["impact"] not in spared
        for node in each["nodes"]
    ]
