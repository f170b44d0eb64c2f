"""The pictures of the console's guide, taken anew: `python -m scripts.console_pictures` (the console must be built).

A server on a free port, a small shop's runs on it, Debian's Chromium. With names, only those: `… runs graph`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "guide" / "pictures"
PROGRAM = ROOT / "scripts" / "console_program.py"
WHIMBREL = str(Path(sys.executable).with_name("whimbrel"))
MODULE = "shop"
WIDE = (1280, 760)
PHONE = (390, 780)
PLACE = {"project": "flytesnacks", "domain": "development"}
CODE = "/console/projects/flytesnacks/domains/development"
LIMIT = 120.0
"""Seconds for all runs to come to their ends."""
CHANGES = (
    ("60 < each < 168", "50 < each < 180"),
    ("sold * 1.04", "sold * 1.06"),
    ("def forecasts(days: int = 28)", 'def forecasts(days: int = 28, shop: str = "Harbour")'),
)
"""From the shop's program of October to that of November."""


class Picture(NamedTuple):
    """Which address, in which light, and what is clicked (a role and a name) or pressed (a key) first."""

    name: str
    path: str
    dark: bool = False
    size: tuple[int, int] = WIDE
    first: tuple[tuple[str, str] | str, ...] = ()


ALL = (
    Picture("runs", "/console"),
    Picture("runs-dark", "/console", dark=True),
    Picture("timeline", "/console/runs/{october}"),
    Picture("graph", "/console/runs/{restock}?view=graph"),
    Picture("eager-graph", "/console/runs/{train}?view=graph", dark=True),
    Picture("node", "/console/runs/{forecasts}?node=n3"),
    Picture("failure", "/console/runs/{audit}?node=n2", dark=True),
    Picture("logs", "/console/runs/{forecasts}?node=n4&tab=logs", dark=True),
    Picture("deck", "/console/runs/{forecasts}?node=n4&tab=decks", first=(("button", "Forecast"),)),
    Picture("launch", f"{CODE}/workflow/{MODULE}.forecasts", first=(("button", "Launch…"),)),
    Picture("fork", "/console/runs/{october}", first=(("button", "Fork…"),)),
    Picture("palette", "/console/runs/{forecasts}", first=("Control+k", "f", "o", "r", "e")),
    Picture("code", f"{CODE}/workflows"),
    Picture("entity", f"{CODE}/workflow/{MODULE}.forecasts?view=about"),
    Picture("versions", f"{CODE}/workflow/{MODULE}.forecasts?view=versions", dark=True),
    Picture("compare", "/console/compare?a={october}&b={forecasts}"),
    Picture("schedules", "/console/schedules"),
    Picture("phone", "/console/runs/{restock}", size=PHONE),
    Picture("phone-runs", "/console", dark=True, size=PHONE),
    Picture("phone-node", "/console/runs/{audit}?node=n2", size=PHONE),
)


@contextmanager
def up(home: Path, *arguments: str) -> Iterator[str]:
    """A server, and its address."""
    command = [WHIMBREL, "up", "--home", str(home), "--port", "0", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[-1]
        finally:
            server.terminate()


def register(url: str, program: Path, version: str) -> None:
    """The shop's program, as it is written now."""
    command = [WHIMBREL, "register", "--url", url, "--version", version, "--activate", program.name]
    subprocess.run(command, cwd=program.parent, capture_output=True, check=True, timeout=LIMIT)


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """Ask for JSON; with a ``body``, send that."""
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"content-type": "application/json"})) as answer:
        return json.load(answer)


def launch(url: str, name: str, **inputs: Any) -> str:
    """A run of the shop, and its id."""
    kind = "task" if name == "train" else "workflow"
    launched = ask(f"{url}/api/v1/runs", {**PLACE, "kind": kind, "name": f"{MODULE}.{name}", "inputs": inputs})
    return str(launched["run"])


def wait(url: str, *runs: str) -> None:
    """Until those have ended, or wait for somebody."""
    until = time.monotonic() + LIMIT
    for run in runs:
        while time.monotonic() < until:
            row = ask(f"{url}/api/v1/runs/{run}")
            if row["ended_at"] or row["waiting"]:
                break
            time.sleep(0.2)


def traded(url: str, home: Path) -> dict[str, str]:
    """What the shop did in two months, quickly; the runs that pictures are of."""
    program = home / f"{MODULE}.py"
    program.write_text(PROGRAM.read_text())
    register(url, program, "2026-10")
    wait(url, *(launch(url, "forecasts", days=days) for days in (14, 21, 18)))
    october = launch(url, "forecasts", days=24)
    wait(url, october, launch(url, "audit", days=12))
    text = program.read_text()
    for before, after in CHANGES:
        text = text.replace(before, after)
    program.write_text(text)
    register(url, program, "2026-11")
    audit = launch(url, "audit")
    train = launch(url, "train")
    wait(url, audit, train)
    wait(url, launch(url, "forecasts", days=9, shop="Station"), launch(url, "restock", days=7))
    forecasts = launch(url, "forecasts")
    wait(url, forecasts)
    restock = launch(url, "restock")
    wait(url, restock)
    return {"october": october, "audit": audit, "train": train, "forecasts": forecasts, "restock": restock}


def show(page: Page, url: str, picture: Picture) -> None:
    """Open a page, and do what is to be done first."""
    page.goto(url)
    page.wait_for_load_state("load")
    page.wait_for_timeout(1_500)
    for each in picture.first:
        if isinstance(each, str):
            page.keyboard.press(each)
        else:
            page.get_by_role(each[0], name=each[1], exact=True).first.click()  # type: ignore[arg-type]  # as above
        page.wait_for_timeout(300)
    page.wait_for_timeout(500)
    # What is still being read is not looked at yet.
    page.wait_for_function("document.querySelectorAll('main .skeleton').length === 0")
    page.wait_for_timeout(200)


def take(browser: Browser, url: str, picture: Picture) -> None:
    """One picture."""
    context = browser.new_context(
        viewport={"width": picture.size[0], "height": picture.size[1]},
        color_scheme="dark" if picture.dark else "light",
        reduced_motion="reduce",
    )
    page = context.new_page()
    show(page, url, picture)
    page.screenshot(path=PICTURES / f"{picture.name}.png")
    context.close()


def main(names: list[str]) -> None:
    """Take them: all, or those that are named."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    wanted = [picture for picture in ALL if not names or picture.name in names]
    with tempfile.TemporaryDirectory() as kept, sync_playwright() as playwright:
        home = Path(kept)
        os.environ["TZ"] = "UTC"
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        with up(home / "home") as url:
            runs = traded(url, home)
            # A run that is under way while the list is looked at.
            launch(url, "train", rounds=5)
            for picture in wanted:
                take(browser, url + picture.path.format(**runs), picture)
        if not names or "login" in names:
            with up(home / "other", "--auth", "builtin") as url:
                take(browser, f"{url}/console", Picture("login", "/console", size=(1280, 520)))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
