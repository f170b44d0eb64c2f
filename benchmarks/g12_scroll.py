"""G12, the list in a browser: a hundred thousand runs, scrolled. Goals: the first rows within a second of the address,
any place within half a second of being scrolled to, no frame of more than 50 ms at the 99th percentile, and no more
than a hundred rows in the page and 64 MB in its heap wherever one is.

`python benchmarks/g12_scroll.py` takes the development requirements and Debian's Chromium; the console must be built,
and the machine quiet. What it says are lines of JSON.

**Steadily.** 6,000 pixels a second for ten seconds, in the list's own frames: pages are read ahead meanwhile.
**Anywhere.** Twenty places drawn by lot: the time from the jump to the rows of that place, none of them a placeholder.
**Busy.** While it is scrolled, runs come and end: twenty a second for ten seconds.
"""

from __future__ import annotations

import asyncio
import json
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from g12_lists import RUNS, fill
from harness import ENVIRONMENTS
from playwright.sync_api import Page, sync_playwright

from whimbrel.server.app import Server
from whimbrel.server.house import ServerConfig

ROW = 34
JUMPS = 20
SPEED = 6_000
SECONDS = 10
FIRST, PLACE, FRAME, HEAP, DRAWN = 1.0, 0.5, 50.0, 64e6, 100

LIST = "[role=table][aria-label=Runs]"
_SCROLL = """([selector, speed, seconds]) => new Promise((done) => {
  const list = document.querySelector(selector), frames = [], begun = performance.now(), from = list.scrollTop;
  let last = begun;
  const step = (now) => {
    frames.push(now - last);
    last = now;
    list.scrollTop = from + (speed * (now - begun)) / 1000;
    if (now - begun < seconds * 1000) requestAnimationFrame(step);
    else done(frames.slice(1));
  };
  requestAnimationFrame(step);
})"""
_THERE = """(selector) => {
  const rows = [...document.querySelectorAll(selector + ' [role=row]')];
  return rows.length > 0 && rows.every((row) => !row.querySelector('.skeleton'));
}"""


class Aside:
    """A server with a loop of its own: this thread's is the browser's."""

    def __init__(self, home: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._thread.start()
        self.do(fill(home))
        self.server = Server(ServerConfig(home, port=0, workers=1))
        self.do(self.server.start())

    def do(self, work: Any) -> Any:
        """What comes of it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def stop(self) -> None:
        """Stop both."""
        self.do(self.server.stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()


def there(page: Page, index: int) -> float:
    """Seconds from the jump to the rows of a place."""
    page.evaluate("([selector, top]) => document.querySelector(selector).scrollTo(0, top)", [LIST, index * ROW])
    begun = time.perf_counter()
    page.locator(f"{LIST} [role=row][aria-rowindex='{index + 3}'] a").first.wait_for()
    page.wait_for_function(_THERE, arg=LIST)
    return time.perf_counter() - begun


def frames_of(name: str, found: list[float]) -> float:
    """Says what the frames were like; the 99th percentile, in milliseconds."""
    worst = statistics.quantiles(found, n=100)[-1]
    said = {"frames": len(found), "median_ms": round(statistics.median(found), 1), "p99_ms": round(worst, 1)}
    print(json.dumps({"g12": name, **said, "longest_ms": round(max(found), 1)}))
    return worst


def busy(port: int, stop: threading.Event) -> None:
    """Runs that come and end, until told otherwise."""
    with tempfile.TemporaryDirectory() as directory:
        flow = Path(directory) / "busy.py"
        flow.write_text("from whimbrel import workflow\n\n@workflow\ndef nothing(x: int = 1) -> int:\n    return x\n")
        url = f"http://localhost:{port}"
        whimbrel = str(Path(sys.executable).with_name("whimbrel"))
        subprocess.run([whimbrel, "register", "--url", url, str(flow)], check=True, capture_output=True)
        launch = {"project": "flytesnacks", "domain": "development", "kind": "workflow", "name": "busy.nothing"}
        while not stop.wait(0.05):
            headers = {"content-type": "application/json"}
            asked = urllib.request.Request(f"{url}/api/v1/runs", json.dumps(launch).encode(), headers)
            urllib.request.urlopen(asked).read()


def main() -> int:
    """1 if a goal is missed."""
    missed = 0
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory, sync_playwright() as playwright:
        aside = Aside(Path(directory) / "home")
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--enable-precise-memory-info"]
        )
        try:
            page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
            begun = time.perf_counter()
            page.goto(f"http://localhost:{aside.server.port}/console")
            page.locator(f"{LIST} [role=row] a").first.wait_for()
            first = time.perf_counter() - begun
            page.get_by_text(f"{RUNS:,} runs").wait_for()
            whole = time.perf_counter() - begun
            print(json.dumps({"g12": "first rows", "s": round(first, 2), "counted_s": round(whole, 2)}))
            missed += first > FIRST
            steady = frames_of("steadily", page.evaluate(_SCROLL, [LIST, SPEED, SECONDS]))
            missed += steady > FRAME
            chance = random.Random(1)
            jumps = [there(page, chance.randrange(RUNS - 100)) for _ in range(JUMPS)]
            jumps.append(there(page, RUNS - 40))
            print(
                json.dumps(
                    {
                        "g12": "anywhere",
                        "median_ms": round(statistics.median(jumps) * 1e3),
                        "longest_ms": round(max(jumps) * 1e3),
                    }
                )
            )
            missed += max(jumps) > PLACE
            there(page, 10_000)
            stop = threading.Event()
            other = threading.Thread(target=busy, args=(aside.server.port, stop))
            other.start()
            page.get_by_role("button", name="new run").wait_for()
            missed += frames_of("busy", page.evaluate(_SCROLL, [LIST, SPEED, SECONDS])) > FRAME
            stop.set()
            other.join()
            drawn = page.locator(f"{LIST} [role=row]").count()
            page.evaluate("window.gc?.()")
            heap = page.evaluate("performance.memory.usedJSHeapSize")
            print(json.dumps({"g12": "memory", "rows_in_page": drawn, "heap_MB": round(heap / 1e6, 1)}))
            missed += drawn > DRAWN or heap > HEAP
        finally:
            browser.close()
            aside.stop()
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
