"""The console at size: ten thousand nodes, a thousand changes a second, a million lines, and clocks that are wrong."""

from __future__ import annotations

import asyncio
import re
import threading
from pathlib import Path

import pytest
from playwright.sync_api import CDPSession, Page, Route, expect

from tests.e2e.console.watching import LIMIT, axe, launch, ran, register
from tests.e2e.server.upping import Up, until, up
from whimbrel.model.attempt import AttemptId
from whimbrel.stores.home import open_home

PROGRAMS = Path(__file__).with_name("scale_programs.py")
MANY = 10_000
DRAWN = 2_500
"""Elements of a page, however large the run is."""
HEARING = """() => {
  window.heard = 0;
  const parse = JSON.parse;
  JSON.parse = (text) => { const read = parse(text); if (read.progress) window.heard += 1; return read; };
}"""


def launched(server: Up, kind: str, name: str, **inputs: object) -> str:
    """A run of a program of this module's, on its way."""
    register(server, PROGRAMS)
    return launch(server, f"scale_programs.{name}", kind=kind, inputs=inputs)


def ended(server: Up, run: str) -> bool:
    return bool(server.get("/runs", text=run)["runs"][0]["phase"] == "SUCCEEDED")


def elements(page: Page) -> int:
    return int(page.evaluate("document.querySelectorAll('*').length"))


def test_ten_thousand_nodes_open_and_answer(page: Page, server: Up) -> None:
    run = launched(server, "workflow", "nearly", xs=list(range(MANY)))
    until(lambda: ended(server, run))
    waiting: list[Route] = []
    page.route("**/tree", lambda route: waiting.append(route))
    page.goto(f"{server.url}/console/runs/{run}")
    # Said before there is any row, it holds for those that come.
    page.get_by_role("button", name="unfold all").click()
    until(lambda: waiting or page.wait_for_timeout(10))
    waiting[0].continue_()
    expect(page.get_by_role("treeitem").nth(10)).to_be_visible()
    assert elements(page) < DRAWN
    page.unroute_all()

    # The map as a strip: one of ten thousand has failed, and is there to be opened.
    page.get_by_role("button", name="fold all", exact=True).click()
    expect(page.get_by_role("treeitem")).to_have_count(1)
    strip = page.get_by_role("slider")
    expect(strip).to_have_attribute("aria-label", "Items: 9999 succeeded, 1 failed")
    strip.press("Home")
    strip.press("Enter")
    expect(page).to_have_url(re.compile("node=n0%2F[0-9]{1,2}$"))
    width = (strip.bounding_box() or {})["width"]
    strip.click(position={"x": width * 0.70005, "y": 4})
    expect(page).to_have_url(re.compile("node=n0%2F7000$"))
    expect(page.get_by_text("not this one").first).to_be_visible()
    assert axe(page) == []

    # As a table: what failed is found by its state and by its words, all of it stays within bounds.
    page.get_by_role("tab", name="List").click()
    table = page.get_by_role("grid", name="Nodes")
    expect(table).to_have_attribute("aria-rowcount", f"{MANY + 2}")
    assert elements(page) < DRAWN
    page.get_by_role("button", name="failed 1").click()
    expect(table.get_by_role("row")).to_have_count(2)
    expect(table.get_by_role("row").last).to_contain_text("ValueError")
    page.get_by_role("button", name="failed 1").click()
    page.get_by_role("button", name="Took").click()
    expect(table.get_by_role("columnheader", name="Took")).to_have_attribute("aria-sort", "ascending")
    table.press("End")
    expect(table.get_by_role("row", selected=True)).to_contain_text("map")
    assert axe(page) == []


def has_heard(page: Page, count: int) -> None:
    """Wait until the page has heard so often how far tasks are. The page's policy allows no words of ours in it."""
    until(lambda: page.evaluate("window.heard") > count or page.wait_for_timeout(20))


def heap(page: Page, client: CDPSession) -> float:
    """MB that the page really holds."""
    client.send("HeapProfiler.collectGarbage")
    return float(client.send("Runtime.getHeapUsage")["usedSize"]) / 1e6


def test_a_page_that_watches_loses_nothing_and_does_not_grow(page: Page, server: Up, tmp_path: Path) -> None:
    door, nodes = tmp_path / "door", 2_000
    run = launched(server, "task", "busy", nodes=nodes, door=str(door))
    page.goto(f"{server.url}/console/runs/{run}")
    client = page.context.new_cdp_session(page)
    page.evaluate(HEARING)
    expect(page.get_by_text(f"{nodes} succeeded, 2 running", exact=True)).to_be_visible()
    has_heard(page, 20)
    before = heap(page, client)
    has_heard(page, 100)
    # Nothing is new but how far two tasks are.
    assert heap(page, client) - before < 1.0
    assert elements(page) < DRAWN
    door.touch()
    expect(page.get_by_text(f"{nodes + 2} succeeded", exact=True)).to_be_visible()
    rows = server.get(f"/runs/{run}/tree")["nodes"]
    page.goto(f"{page.url}?view=list")
    expect(page.get_by_role("button", name=f"succeeded {len(rows):,}")).to_be_visible()


def write_a_million(home: Path, run: str) -> None:
    """Lines as a task of the run would have written them, straight into the store."""

    async def write() -> None:
        store = open_home(home, exclusive=False)
        attempt = AttemptId(run, "n0", 1)
        for at in range(0, 1_000_000, 100):
            text = "".join(f"\x1b[3{each % 8}mline {each:,}\x1b[0m of many\n" for each in range(at, at + 100))
            store.store.log_nowait(attempt, "stdout", text, 1.79e9)
            if at % 200_000 == 0:
                await store.store.logs(run, after=1 << 60)
        store.store.log_nowait(attempt, "stderr", "10 %\r50 %\rwarmed up\n", 1.79e9)
        for _ in range(128):
            store.store.log_nowait(attempt, "stdout", "x" * 8192, 1.79e9)
        store.store.log_nowait(attempt, "stdout", "the end of it\n", 1.79e9)
        store.store.log_nowait(attempt, "stderr", "\x07bell \u202eturned <img src=x onerror=alert(1)>\n", 1.79e9)
        await store.store.logs(run, after=1 << 60)
        store.close()

    # The browser's own loop runs in this thread.
    worker = threading.Thread(target=asyncio.run, args=(write(),))
    worker.start()
    worker.join()


def test_a_million_lines_are_followed_searched_and_left_where_they_are(page: Page, home: Path) -> None:
    run = ran(home, "decked", "--x", "1")
    write_a_million(home, run)
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?node=n0")
        page.get_by_role("tab", name="Logs").click()
        log = page.get_by_role("log")
        # The end first, and what is not to be seen or done is shown.
        expect(log).to_contain_text("␇bell ⟨RLO⟩turned <img")
        expect(log.get_by_text("warmed up", exact=True)).to_be_visible()
        expect(page.get_by_text("1,000,003 lines")).to_be_visible()
        assert elements(page) < DRAWN
        page.get_by_role("button", name="show all").click()
        expect(log).to_contain_text("the end of it")

        search = page.get_by_label("Search the logs")
        search.fill("LINE 777,777")
        search.press("Enter")
        expect(page.get_by_text("1 of 1", exact=True)).to_be_visible()
        expect(log.locator("mark")).to_have_text("line 777,777")
        expect(log.get_by_text("line 777,778")).to_be_in_viewport()
        search.fill("99,999")
        search.press("Enter")
        # The next one from where one is.
        expect(page.get_by_text("8 of 10", exact=True)).to_be_visible()
        expect(log.get_by_text("line 800,000", exact=True)).to_be_in_viewport()
        search.press("Shift+Enter")
        expect(page.get_by_text("7 of 10", exact=True)).to_be_visible()
        expect(log.get_by_text("line 700,000", exact=True)).to_be_in_viewport()
        search.fill("nowhere at all")
        search.press("Enter")
        expect(page.get_by_text("not there", exact=True)).to_be_visible()

        page.get_by_role("button", name="To the beginning").click()
        expect(log.get_by_text("line 0", exact=True)).to_be_in_viewport()
        page.get_by_label("Which lines").select_option("stderr")
        expect(page.get_by_text("2 lines", exact=True)).to_be_visible()
        with page.expect_download() as download:
            page.get_by_role("button", name="download").click()
        assert Path(download.value.path()).read_bytes().count(b"\n") == 2
        assert elements(page) < DRAWN


@pytest.mark.parametrize("off", [-5, 5])
def test_a_clock_that_is_wrong_by_hours_changes_no_duration(page: Page, server: Up, tmp_path: Path, off: int) -> None:
    door = tmp_path / "door"
    run = launched(server, "workflow", "waits", door=str(door))
    page.add_init_script(
        f"""const Real = Date, off = {off} * 3600e3;
        globalThis.Date = class extends Real {{
          constructor(...said) {{ if (said.length) super(...said); else super(Real.now() + off); }}
          static now() {{ return Real.now() + off; }}
        }};"""
    )
    page.goto(f"{server.url}/console/runs/{run}")
    row = page.get_by_role("treeitem").filter(has_text="held")
    # The last words of the row say how long it has been: seconds at most, and it goes on.
    short = re.compile(r"(^|[^\d.])(\d{1,3} ms|\d{1,2}(\.\d)? s)\s*$")
    expect(row).to_have_text(short)
    expect(row).to_have_text(re.compile(r"[2-9](\.\d)? s\s*$"))
    door.touch()
    expect(page.get_by_text("1 succeeded", exact=True)).to_be_visible()
    expect(row).to_have_text(short)
    assert page.evaluate("performance.now()") < LIMIT
