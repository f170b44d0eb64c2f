"""G12, the browser's half: a run of ten thousand nodes from the address to the first click that is answered (goal: one
second), and a page that watches a run with about a thousand changes a second (goal: no lost frames, no growth).

`python benchmarks/g12_console.py [SECONDS]`, with the development requirements and Debian's Chromium; the console must
be built. The run that is watched lasts SECONDS (60). Frames are counted by the page's own clock; a browser without a
screen draws as often as it can, up to sixty times a second.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

WHIMBREL = str(Path(sys.executable).with_name("whimbrel"))
NODES = 10_000
OPENED = 5
PROGRAM = """
import asyncio, time
from whimbrel import eager, map_task, task, workflow

@task
def one(x: int) -> int:
    return x + 1

@workflow
def wide(xs: list[int]) -> list[int]:
    return map_task(one)(x=xs)

@eager
async def busy(seconds: float) -> int:
    end, count = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        count += len(await asyncio.gather(*(one(x=count + at) for at in range(200))))
    return count
"""
FRAMES = """() => {
  window.gaps = [];
  let last = performance.now();
  const next = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(next); };
  requestAnimationFrame(next);
}"""


def said(name: str, value: float, unit: str, note: str = "") -> None:
    """A figure, as a line of JSON."""
    print(json.dumps({"gate": "G12", "name": name, "value": round(value, 4), "unit": unit, "note": note}), flush=True)


def launch(url: str, name: str, inputs: dict[str, Any]) -> str:
    """Begin a run; its id."""
    body = {"project": "flytesnacks", "domain": "development", "kind": "workflow" if name == "wide" else "task"}
    data = json.dumps({**body, "name": f"program.{name}", "inputs": inputs}).encode()
    request = urllib.request.Request(f"{url}/api/v1/runs", data, {"content-type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        return str(json.load(answer)["run"])


def phase(url: str, run: str) -> str:
    """Where a run is."""
    with urllib.request.urlopen(f"{url}/api/v1/runs?text={run}") as answer:
        return str(json.load(answer)["runs"][0]["phase"])


def opened(page: Page, url: str) -> float:
    """Seconds from the address to a map that was unfolded by a click."""
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.get_by_role("button", name="Unfold").first.click()
    page.get_by_role("treeitem").nth(10).wait_for()
    return time.perf_counter() - begun


def main(seconds: float) -> None:
    """Both halves."""
    with tempfile.TemporaryDirectory() as place:
        program = Path(place, "program.py")
        program.write_text(PROGRAM)
        command = [WHIMBREL, "up", "--home", f"{place}/home", "--port", "0"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
            assert server.stdout is not None
            url = server.stdout.readline().split()[-1]
            try:
                subprocess.run([WHIMBREL, "register", "--url", url, str(program)], check=True, capture_output=True)
                measure(url, seconds)
            finally:
                server.terminate()


def measure(url: str, seconds: float) -> None:
    """The figures."""
    run = launch(url, "wide", {"xs": list(range(NODES))})
    while phase(url, run) != "SUCCEEDED":
        time.sleep(0.5)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        times = []
        for _ in range(OPENED + 1):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            times.append(opened(page, f"{url}/console/runs/{run}"))
            page.close()
        said("open a run of 10,000 nodes", statistics.median(times[1:]), "s", f"worst {max(times[1:]):.2f}, goal 1")
        run = launch(url, "busy", {"seconds": seconds})
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{url}/console/runs/{run}")
        page.get_by_role("treeitem").nth(5).wait_for()
        client = page.context.new_cdp_session(page)
        page.evaluate(FRAMES)
        heaps, at, nodes = [], time.monotonic(), 0
        while phase(url, run) == "RUNNING":
            time.sleep(seconds / 12)
            client.send("HeapProfiler.collectGarbage")
            heaps.append(page.evaluate("performance.memory.usedJSHeapSize") / 1e6)
        took = time.monotonic() - at
        page.get_by_text("succeeded", exact=False).first.wait_for()
        with urllib.request.urlopen(f"{url}/api/v1/runs/{run}/tree") as answer:
            nodes = len(json.load(answer)["nodes"])
        gaps = page.evaluate("window.gaps")
        # Each node is told at least when it is made, begins and ends.
        said("changes of nodes", 3 * nodes / took, "/s", f"{nodes} nodes in {took:.0f} s")
        said("frames", len(gaps) / (sum(gaps) / 1000), "/s", f"longest gap {max(gaps):.0f} ms")
        said("frames longer than 100 ms", sum(gap > 100 for gap in gaps) / len(gaps), "share")
        said(
            "heap of the page a node",
            (heaps[-1] - heaps[0]) * 1e6 / max(nodes, 1),
            "B",
            f"{heaps[0]:.0f} to {heaps[-1]:.0f} MB",
        )
        browser.close()


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 60.0)
