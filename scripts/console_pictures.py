"""The pictures of the console's guide, taken anew: `python -m scripts.console_pictures` (the console must be built).

A server on a free port, a small shop's runs on it, Debian's Chromium.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "guide" / "pictures"
PROGRAM = ROOT / "scripts" / "console_program.py"
WHIMBREL = str(Path(sys.executable).with_name("whimbrel"))
MODULE = "scripts.console_program"
WIDE = (1280, 760)
PHONE = (390, 780)


class Picture(NamedTuple):
    """Which address, in which light, and what is clicked first."""

    name: str
    path: str
    dark: bool = False
    size: tuple[int, int] = WIDE
    click: tuple[tuple[str, str], ...] = ()


PLACE = "/console/projects/flytesnacks/domains/development"
ALL = (
    Picture("runs", "/console"),
    Picture("runs-dark", "/console", dark=True),
    Picture("timeline", "/console/runs/{search}"),
    Picture("eager-graph", "/console/runs/{search}?view=graph", dark=True),
    Picture("graph", "/console/runs/{restock}?view=graph"),
    Picture("failure", "/console/runs/{audit}?node=n2", dark=True),
    Picture("deck", "/console/runs/{forecasts}?node=n3", click=(("tab", "Decks"), ("button", "Forecast"))),
    Picture("logs", "/console/runs/{forecasts}?node=n3", click=(("tab", "Logs"),)),
    Picture("launch", f"{PLACE}/workflow/{MODULE}.forecasts", click=(("button", "Launch…"),)),
    Picture("schedules", "/console/schedules"),
    Picture("phone", "/console/runs/{restock}", size=PHONE),
)


def whimbrel(*arguments: str) -> None:
    """A command, which may fail: one of the runs is meant to."""
    subprocess.run([WHIMBREL, *arguments], capture_output=True, check=False, timeout=120)


def main() -> None:
    """Take all of them."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        command = [WHIMBREL, "up", "--home", str(Path(home) / "home"), "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            try:
                take(url)
            finally:
                server.terminate()


def take(url: str) -> None:
    """The runs, then the pictures."""
    whimbrel("register", "--url", url, "--activate", str(PROGRAM))
    for name, *inputs in (["forecasts"], ["audit"], ["search"], ["forecasts", "--days", "9"]):
        whimbrel("run", "--remote", "--url", url, str(PROGRAM), name, *inputs)
    launch = {"project": "flytesnacks", "domain": "development", "kind": "workflow", "name": f"{MODULE}.restock"}
    post(f"{url}/api/v1/runs", launch)
    ids: dict[str, str] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        for picture in ALL:
            context = browser.new_context(
                viewport={"width": picture.size[0], "height": picture.size[1]},
                color_scheme="dark" if picture.dark else "light",
            )
            page = context.new_page()
            if not ids:
                page.goto(f"{url}/console")
                page.get_by_role("region", name="Needs somebody").get_by_text("waits").wait_for()
                rows = json.load(urllib.request.urlopen(f"{url}/api/v1/runs"))["runs"]
                ids = {row["entity"].rpartition(".")[2]: row["run"] for row in rows}
            show(page, url + picture.path.format(**ids), picture)
            page.screenshot(path=PICTURES / f"{picture.name}.png")
            context.close()
        browser.close()


def show(page: Page, url: str, picture: Picture) -> None:
    """Open a page, and click what is to be clicked."""
    page.goto(url)
    page.wait_for_timeout(1_200)
    for role, name in picture.click:
        page.get_by_role(role, name=name, exact=True).first.click()  # type: ignore[arg-type]  # roles of the table above
        page.wait_for_timeout(500)


def post(url: str, body: dict[str, Any]) -> None:
    """Send JSON."""
    request = urllib.request.Request(url, json.dumps(body).encode(), {"content-type": "application/json"})
    urllib.request.urlopen(request).close()


if __name__ == "__main__":
    main()
