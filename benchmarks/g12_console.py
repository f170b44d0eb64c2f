"""G12, the browser's half: a run of ten thousand nodes from the address to the first click that is answered (goal: one
second), and a page that watches a run with a thousand changes a second (goal: no lost frames, no growth).

`python benchmarks/g12_console.py` opens, and watches for a minute; `--soak SECONDS` only watches, for so long. It takes
the development requirements and Debian's Chromium; the console must be built, and the machine quiet. What it says are
lines of JSON.

**Opening.** A map of 10,000 items in a workflow. *cold*: the server has just been started, and folds the run for the
first time; *warm*: somebody has looked before. The time is from the address to the first row of an item that a click on
"Unfold" brought.

**Watching.** One eager run: at first it makes 10,000 nodes as fast as the engine can, and for all of the time a hundred
tasks, each in a process of its own, say ten times a second how far they are: a thousand changes a second, each a row of
the timeline that is on the screen, or is not. After a third of the time there are no new nodes: whatever grows from
there on is lost memory. Frames are counted by the page's own clock; a browser without a screen draws as often as it
can, up to sixty times a second. Before that a page follows the log of a task that writes a thousand lines a second.
Frames during which the heap is collected to be weighed are left out.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

WHIMBREL = str(Path(sys.executable).with_name("whimbrel"))
NODES = 10_000
OPENED = 5
TELLERS = 100
"""Tasks that say how far they are; an attempt is heard ten times a second."""
PROGRAM = """
import asyncio, time
from whimbrel import eager, map_task, progress, task, workflow

@task
def one(x: int) -> int:
    return x + 1

@workflow
def wide(xs: list[int]) -> list[int]:
    return map_task(one)(x=xs)

@task
def telling(at: int, until: float) -> int:
    begun, count = time.time(), 0
    while time.time() < until:
        count += 1
        progress(count % 1000, 1000, message=f"step {count}")
        time.sleep(max(0.0, begun + count / 10 - time.time()))
    return count

@task
def chatty(seconds: float) -> int:
    begun, count = time.time(), 0
    while time.time() < begun + seconds:
        print(f"line {count} of what somebody wants to read while it is written")
        count += 1
        time.sleep(max(0.0, begun + count / 1000 - time.time()))
    return count

@workflow
def talks(seconds: float) -> int:
    return chatty(seconds=seconds)

@eager
async def soak(until: float, tellers: int, nodes: int) -> int:
    told = [asyncio.create_task(telling(at=at, until=until)) for at in range(tellers)]
    for at in range(nodes // 200):
        await asyncio.gather(*(one(x=at * 200 + each) for each in range(200)))
    return sum(await asyncio.gather(*told))
"""
FRAMES = """() => {
  window.gaps = [];
  window.heard = 0;
  window.weighing = false;
  let last = performance.now();
  const next = (now) => {
    if (!window.weighing) window.gaps.push(now - last);
    last = now;
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
  const parse = JSON.parse;
  JSON.parse = (text) => {
    const read = parse(text);
    window.heard += Array.isArray(read) ? read.length : read.progress ? 1 : 0;
    return read;
  };
}"""


def said(name: str, value: float, unit: str, note: str = "") -> None:
    """A figure, as a line of JSON."""
    print(json.dumps({"gate": "G12", "name": name, "value": round(value, 4), "unit": unit, "note": note}), flush=True)


@contextmanager
def up(home: str, *options: str) -> Iterator[tuple[str, int]]:
    """The address and the process of a server."""
    command = [WHIMBREL, "up", "--home", home, "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().split()[-1], server.pid
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()


def asked(url: str, body: Any = None) -> Any:
    """The JSON at an address."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def launch(url: str, kind: str, name: str, inputs: dict[str, Any]) -> str:
    """Begin a run; its id."""
    body = {"project": "flytesnacks", "domain": "development", "kind": kind, "name": f"program.{name}"}
    return str(asked(f"{url}/api/v1/runs", {**body, "inputs": inputs})["run"])


def phase(url: str, run: str) -> str:
    """Where a run is."""
    return str(asked(f"{url}/api/v1/runs?text={run}")["runs"][0]["phase"])


def resident(pid: int) -> float:
    """MB of memory of a process, without its children."""
    (line,) = (line for line in Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1000


def opened(browser: Browser, url: str) -> float:
    """Seconds from the address to a map that was unfolded by a click."""
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    begun = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.get_by_role("button", name="Unfold", exact=True).first.click()
    page.get_by_role("treeitem").nth(10).wait_for()
    took = time.perf_counter() - begun
    page.close()
    return took


def opening(browser: Browser, place: str) -> None:
    """How long it takes until a large run answers."""
    home, cold = f"{place}/wide", []
    with up(home) as (url, _):
        subprocess.run([WHIMBREL, "register", "--url", url, f"{place}/program.py"], check=True, capture_output=True)
        run = launch(url, "workflow", "wide", {"xs": list(range(NODES))})
        while phase(url, run) != "SUCCEEDED":
            time.sleep(0.5)
        # The first page of a browser pays for the browser.
        opened(browser, f"{url}/console/runs/{run}")
        warm = [opened(browser, f"{url}/console/runs/{run}") for _ in range(OPENED)]
    for _ in range(OPENED):
        with up(home) as (url, _):
            phase(url, run)
            cold.append(opened(browser, f"{url}/console/runs/{run}"))
    for name, times in (("warm", warm), ("cold", cold)):
        note = f"worst {max(times):.2f}, goal 1"
        said(f"open a run of {NODES:,} nodes, {name}", statistics.median(times), "s", note)


def heap(page: Page, client: CDPSession) -> float:
    """MB that the page really holds."""
    page.evaluate("window.weighing = true")
    client.send("HeapProfiler.collectGarbage")
    used = float(client.send("Runtime.getHeapUsage")["usedSize"]) / 1e6
    page.evaluate("new Promise((done) => requestAnimationFrame(() => { window.weighing = false; done(); }))")
    return used


def watching(browser: Browser, place: str, seconds: float) -> None:
    """How a page does that watches a busy run for ``seconds``."""
    with up(f"{place}/soak", "--workers", str(TELLERS + 2)) as (url, pid):
        subprocess.run([WHIMBREL, "register", "--url", url, f"{place}/program.py"], check=True, capture_output=True)
        end = time.time() + seconds
        run = launch(url, "task", "soak", {"until": end, "tellers": TELLERS, "nodes": NODES})
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{url}/console/runs/{run}")
        page.get_by_role("treeitem").nth(5).wait_for()
        client = page.context.new_cdp_session(page)
        page.evaluate(FRAMES)
        begun, samples, early = time.time(), [], 0
        while time.time() < end:
            # A hundred processes are begun at first, and ten thousand nodes are made: that is told by itself.
            early = early or (time.time() > begun + seconds / 3 and page.evaluate("window.gaps.length"))
            time.sleep(max(0.0, min(seconds / 12, end - time.time())))
            elements = int(page.evaluate("document.querySelectorAll('*').length"))
            samples.append((time.time(), heap(page, client), resident(pid), elements))
        took = time.time() - begun
        gaps, heard = page.evaluate("[window.gaps, window.heard]")
        # All that was told is there: the page has counted each node, and each has ended.
        page.get_by_text(f"{NODES + TELLERS} succeeded", exact=True).wait_for(timeout=50_000)
        page.close()
    # From where nothing new is made. The last sample is taken as the tasks end.
    still = [each for each in samples if each[0] > begun + took / 3][:-1] or samples[-2:]
    minutes = (still[-1][0] - still[0][0]) / 60 or 1.0
    said("changes that the page heard", heard / took, "/s", f"{heard} in {took:.0f} s, goal 1,000")
    for when, some in (("while nodes are made", gaps[:early]), ("after that", gaps[early:])):
        said(f"frames, {when}", len(some) / (sum(some) / 1000), "/s", f"longest gap {max(some):.0f} ms")
        for most in (50, 100):
            long = sum(gap > most for gap in some)
            said(f"frames longer than {most} ms, {when}", long / len(some), "share", f"{long} of {len(some)}")
    note = f"{still[0][1]:.1f} to {still[-1][1]:.1f} MB; {samples[0][1]:.1f} at first"
    said("growth of the page's heap, no new nodes", (still[-1][1] - still[0][1]) / minutes, "MB/min", note)
    said("elements of the page", max(each[3] for each in samples), "most")
    note = f"{still[0][2]:.0f} to {still[-1][2]:.0f} MB"
    said("growth of the server, no new nodes", (still[-1][2] - still[0][2]) / minutes, "MB/min", note)


def following(browser: Browser, place: str, seconds: float = 20.0) -> None:
    """How a page does that follows a task which writes a thousand lines a second."""
    with up(f"{place}/talks") as (url, _):
        subprocess.run([WHIMBREL, "register", "--url", url, f"{place}/program.py"], check=True, capture_output=True)
        run = launch(url, "workflow", "talks", {"seconds": seconds})
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{url}/console/runs/{run}?node=n0")
        page.get_by_role("tab", name="Logs").click()
        page.get_by_role("log").get_by_text("line").first.wait_for()
        page.evaluate(FRAMES)
        while phase(url, run) != "SUCCEEDED":
            time.sleep(0.5)
        gaps = page.evaluate("window.gaps")
        total = asked(f"{url}/api/v1/runs/{run}/lines?node=n0&first=-1")["total"]
        page.get_by_role("log").get_by_text(f"line {total - 1} of").wait_for()
        page.close()
    said("lines that were followed", total / seconds, "/s", f"{total}, the last is there at the end")
    said("frames, following", len(gaps) / (sum(gaps) / 1000), "/s", f"longest gap {max(gaps):.0f} ms")
    long = sum(gap > 100 for gap in gaps)
    said("frames longer than 100 ms, following", long / len(gaps), "share", f"{long} of {len(gaps)}")


def main() -> None:
    """Both halves, or the second."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soak", type=float, metavar="SECONDS", help="only watch, for so long")
    asked_for = parser.parse_args()
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        Path(place, "program.py").write_text(PROGRAM)
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        if asked_for.soak is None:
            opening(browser, place)
            following(browser, place)
        watching(browser, place, asked_for.soak or 60.0)
        browser.close()


if __name__ == "__main__":
    main()
