"""Lists of runs in a browser: filters, lists of any length, what needs somebody, executions by name, schedules."""

from __future__ import annotations

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.console.watching import LIMIT, PROGRAMS, axe, launch, register
from tests.e2e.server.upping import Up, up
from whimbrel.model.events import RunRequested
from whimbrel.model.interface import Interface
from whimbrel.model.program import Graph, Program
from whimbrel.model.run import Phase, RunOptions, RunOrigin, RunSummary
from whimbrel.stores.home import open_home

PLACE = "/console/projects/flytesnacks/domains/development"
ROW = 34
HOUR = 3600.0


def a_run(
    number: int,
    ago: float,
    entity: str = "shop.sales.forecast",
    phase: Phase = Phase.SUCCEEDED,
    message: str = "",
    origin: RunOrigin | None = None,
) -> RunSummary:
    at = time.time() - ago
    made = origin or RunOrigin("shop", "production", f"e{number}")
    return RunSummary(f"run{number:05}", entity, phase, at, at, at + 2.5, 1, "", "", message, 0.0, made)


def requested(run: RunSummary) -> RunRequested:
    """What a run begins with that has nothing to do."""
    nothing = Graph(run.entity, Interface(), (), {})
    return RunRequested(run.id, run.entity, Program({}, {run.entity: nothing}, {}), {}, RunOptions(), run.created_at)


def kept(home: Path, runs: list[RunSummary]) -> None:
    """A home in which these have run."""

    async def fill() -> None:
        opened = open_home(home, exclusive=True)
        await asyncio.gather(*(opened.store.create(run, [requested(run)]) for run in runs))
        opened.close()

    # This thread has an event loop that runs: the browser's.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, fill()).result(LIMIT / 1000)


def shown(page: Page) -> Locator:
    """The rows of the list."""
    return page.get_by_role("table", name="Runs").get_by_role("row")


def registered(server: Up) -> None:
    """The programs of the tests are on the server, at the version v1."""
    register(server, PROGRAMS, "v1", "--activate")


def launched(server: Up, name: str, **more: object) -> str:
    return launch(server, f"console_programs.{name}", **more)


def test_filters_are_in_the_address_and_taken_back(page: Page, home: Path) -> None:
    birds = RunOrigin("birds", "staging", "b1", labels={"team": "birds", "nightly": ""}, cause="schedule")
    again = RunOrigin("shop", "production", "e9", cause="recover", parent="run00000")
    kept(
        home,
        [
            a_run(0, 50 * HOUR, phase=Phase.FAILED, message="ValueError: no <b>bold</b> sales"),
            a_run(1, 3 * HOUR, "shop.stock.restock", origin=birds),
            a_run(2, 0.5 * HOUR, "shop.stock.restock", Phase.ABORTED),
            a_run(3, 0.2 * HOUR, origin=again),
        ],
    )
    with up(home) as server:
        page.goto(server.url)
        rows = shown(page)
        expect(rows).to_have_count(4)
        expect(rows.nth(3)).to_contain_text("ValueError: no <b>bold</b> sales")
        expect(rows.nth(1)).to_contain_text("restock")
        expect(rows.nth(0).get_by_role("link", name="run00000")).to_have_attribute("href", "/console/runs/run00000")
        assert axe(page) == []
        # What stands in a row, pressed.
        rows.nth(2).get_by_role("button", name="team=birds").click()
        expect(rows).to_have_count(1)
        expect(page).to_have_url(re.compile(r"label=team%3Dbirds"))
        page.go_back()
        expect(rows).to_have_count(4)
        rows.nth(1).get_by_role("button", name="shop.stock", exact=True).click()
        expect(rows).to_have_count(2)
        page.get_by_role("button", name="aborted", exact=True).click()
        expect(rows).to_have_count(1)
        page.reload()
        expect(rows).to_have_count(1)
        page.get_by_role("button", name="Without entity shop.stock.restock").click()
        expect(page).not_to_have_url(re.compile("entity"))
        page.go_back()
        page.go_back()
        expect(rows).to_have_count(2)
        page.go_forward()
        expect(rows).to_have_count(1)
        # What there is, suggested; all by keyboard.
        page.goto(f"{server.url}/console")
        page.keyboard.press("/")
        page.keyboard.type("bir")
        expect(page.get_by_role("listbox").get_by_role("option")).to_have_count(2)
        assert axe(page) == []
        page.keyboard.press("ArrowDown")
        expect(page.get_by_role("listbox").get_by_role("option", selected=True)).to_contain_text("team=birds")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(r"\?label=team%3Dbirds$"))
        expect(rows).to_have_count(1)
        page.keyboard.press("Backspace")
        expect(rows).to_have_count(4)
        page.keyboard.type("no <b>bold")
        expect(rows).to_have_count(1)
        page.keyboard.press("Escape")
        page.goto(f"{server.url}/console?project=birds&domain=staging")
        expect(rows).to_have_count(1)
        # Time: a span, and from … to.
        page.get_by_role("button", name="Clear").click()
        page.get_by_label("Begun within").select_option("the last day")
        expect(rows).to_have_count(3)
        expect(page).to_have_url(re.compile("since=24h"))
        page.get_by_label("Begun within").select_option("from … to …")
        page.get_by_label("to", exact=True).fill(time.strftime("%Y-%m-%dT%H:%M", time.localtime(time.time() - HOUR)))
        page.get_by_role("button", name="Show", exact=True).click()
        expect(rows).to_have_count(2)
        expect(page).to_have_url(re.compile("until="))
        # A name for it.
        page.get_by_text("Views", exact=True).click()
        page.get_by_label("Name of this view").fill("older")
        page.get_by_role("button", name="Keep this view").click()
        page.goto(f"{server.url}/console?phase=failed")
        expect(rows).to_have_count(1)
        page.get_by_text("Views", exact=True).click()
        page.get_by_role("button", name="older", exact=True).click()
        expect(rows).to_have_count(2)
        page.get_by_text("Views", exact=True).click()
        page.get_by_role("button", name="Forget older").click()
        page.reload()
        page.get_by_text("Views", exact=True).click()
        expect(page.get_by_role("button", name="Forget older")).to_have_count(0)


def test_a_long_list_is_scrolled_to_its_end_and_does_not_move_while_it_is_read(page: Page, home: Path) -> None:
    kept(home, [a_run(number, (5_000 - number) * 60.0) for number in range(5_000)])
    with up(home) as server:
        registered(server)
        page.goto(server.url)
        rows = shown(page)
        expect(rows.first).to_contain_text("run04999")
        expect(page.get_by_text("5,000 runs")).to_be_visible()
        page.keyboard.press("End")
        expect(rows.last).to_contain_text("run00000")
        assert rows.count() < 80
        page.keyboard.press("Home")
        expect(rows.first).to_contain_text("run04999")
        # Everywhere in between, page by page of the list.
        scroller = page.get_by_role("table", name="Runs")
        for at in range(500, 5_000, 500):
            scroller.evaluate("(list, top) => list.scrollTo(0, top)", at * ROW)
            expect(rows.filter(has_text=f"run{4_999 - at - 5:05}")).to_have_count(1)
            assert rows.count() < 80
        page.keyboard.press("PageDown")
        # In the middle: what is opened from there is gone back from to there.
        scroller.evaluate("(list, top) => list.scrollTo(0, top)", 2_000 * ROW)
        middle = rows.filter(has_text="run02995")
        expect(middle).to_be_visible()
        page.wait_for_function("top => history.state?.top === top", arg=2_000 * ROW)
        middle.click()
        expect(page).to_have_url(re.compile("/runs/run02995"))
        page.go_back()
        expect(middle).to_be_visible()
        before = middle.bounding_box()
        # New ones are said, and move nothing.
        launched(server, "wide", inputs={"xs": [1]})
        newer = page.get_by_role("button", name="1 new run")
        expect(newer).to_be_visible()
        assert middle.bounding_box() == before
        newer.click()
        expect(rows.first).to_contain_text("wide")
        expect(newer).to_have_count(0)
        # At the top they appear by themselves.
        launched(server, "wide", inputs={"xs": [1, 2]})
        expect(page.get_by_text("5,002 runs")).to_be_visible()
        expect(rows.nth(1)).to_contain_text("wide")
        expect(rows.nth(0)).to_contain_text("wide")


def test_what_waits_and_what_failed_come_first(page: Page, home: Path) -> None:
    kept(home, [a_run(0, HOUR, phase=Phase.FAILED, message="Boom")])
    with up(home) as server:
        registered(server)
        page.goto(server.url)
        needs = page.get_by_role("region", name="Needs somebody")
        expect(needs).to_contain_text("1 failed in the last week")
        needs.get_by_role("button", name="mark as seen").click()
        expect(needs).to_have_count(0)
        run = launched(server, "asks", inputs={"x": 4})
        expect(needs).to_contain_text("1 waits for an answer")
        expect(needs.get_by_role("link")).to_have_attribute("href", f"/console/runs/{run}")
        row = shown(page).filter(has_text=run)
        expect(row).to_contain_text("waits for release")
        expect(row.get_by_role("img")).to_have_attribute("aria-label", "1 of 3 nodes have ended")
        needs.get_by_role("button", name="show").click()
        expect(page).to_have_url(re.compile("phase=waiting"))
        expect(shown(page)).to_have_count(1)
        assert server.http.post(f"/api/v1/runs/{run}/approve", json={"gate": "release"}).status_code == 202
        expect(shown(page)).to_have_count(0)
        page.get_by_role("button", name="Show all").click()
        expect(row.get_by_text("succeeded", exact=True)).to_have_count(1)
        page.reload()
        expect(shown(page)).to_have_count(2)
        expect(needs).to_have_count(0)


def test_several_runs_are_ended_and_recovered_at_once(page: Page, home: Path, tmp_path: Path) -> None:
    with up(home) as server:
        registered(server)
        door = str(tmp_path / "door")
        runs = [launched(server, "waits", inputs={"x": number, "door": door}) for number in range(2)]
        page.goto(server.url)
        for run in runs:
            row = shown(page).filter(has_text=run)
            expect(row.get_by_text("running", exact=True)).to_have_count(1)
            row.get_by_role("checkbox").check()
        page.get_by_role("button", name="Abort 2…").click()
        dialog = page.get_by_role("dialog")
        expect(dialog.get_by_role("listitem")).to_have_count(2)
        assert axe(page) == []
        dialog.get_by_role("button", name="Abort 2 runs").click()
        for run in runs:
            expect(shown(page).filter(has_text=run).get_by_text("aborted", exact=True)).to_have_count(1)
        Path(door).touch()
        page.keyboard.press("Home")
        page.keyboard.press("x")
        page.get_by_role("button", name="Recover 1…").click()
        dialog.get_by_role("button", name="Recover 1 run").click()
        row = shown(page).filter(has_text="recovers")
        expect(row).to_contain_text(runs[1])
        expect(row.get_by_text("succeeded", exact=True)).to_have_count(1)


def test_executions_are_found_by_their_exact_names(page: Page, server: Up) -> None:
    registered(server)
    first = launched(server, "wide", run_name="one", inputs={"xs": [1]})
    # Others whose names have that of the first in them.
    for name in ("one-more", "none-one"):
        launched(server, "wide", run_name=name, inputs={"xs": [1, 2]})
    page.goto(f"{server.url}{PLACE}/executions/one/nodes/n0?duration=all")
    expect(page.locator("section.head")).to_contain_text("console_programs.wide")
    expect(page.locator("section.head")).to_contain_text("one")
    expect(page).to_have_url(re.compile(r"node=n0"))
    assert server.get("/projects/flytesnacks/domains/development/executions/one")["run"]["run"] == first
    # As Flyte's own console has its lists.
    page.goto(f"{server.url}/console/projects/flytesnacks/executions?domain=development&duration=all")
    expect(shown(page)).to_have_count(3)
    expect(page).to_have_url(f"{server.url}/console?project=flytesnacks&domain=development")
    page.goto(f"{server.url}/console/projects/flytesnacks/domains/development/launchPlans/nightly-wide/versions/v1")
    expect(page.get_by_role("heading", name="nightly-wide")).to_be_visible()
    page.goto(f"{server.url}/console/runs/%zz")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    page.goto(f"{server.url}{PLACE}/executions/on")
    expect(page.get_by_role("main")).to_contain_text("There is no execution on in flytesnacks/development")
    page.goto(f"{server.url}/console/projects/flytesnacks/domains/staging/executions/one")
    expect(page.get_by_role("main")).to_contain_text("There is no execution one in flytesnacks/staging")


def test_schedules_are_paused_and_activated(page: Page, server: Up) -> None:
    page.goto(f"{server.url}/console/schedules")
    expect(page.get_by_role("heading", name="Nothing is launched by the clock")).to_be_visible()
    assert axe(page) == []
    registered(server)
    row = page.get_by_role("row").filter(has_text="nightly-wide")
    expect(row).to_contain_text("every day at 02:00 UTC")
    page.get_by_role("button", name="Pause nightly-wide").click()
    dialog = page.get_by_role("dialog")
    assert axe(page) == []
    dialog.get_by_role("button", name="Pause it").click()
    expect(row).to_contain_text("paused")
    assert server.get("/schedules")["schedules"] == []
    page.get_by_role("button", name="Activate nightly-wide").click()
    dialog.get_by_role("button", name="Activate").click()
    expect(row).to_contain_text("in ")
    assert [each["name"] for each in server.get("/schedules")["schedules"]] == ["nightly-wide"]
    expect(row).not_to_contain_text("paused")


@pytest.mark.parametrize("off", [-5, 5])
def test_a_clock_that_is_wrong_by_hours_changes_nothing(page: Page, home: Path, off: int) -> None:
    kept(home, [a_run(0, 90.0), a_run(1, 3 * HOUR), a_run(2, 30 * HOUR)])
    page.clock.set_system_time(time.time() + off * HOUR)
    with up(home) as server:
        page.goto(f"{server.url}/console?since=24h")
        rows = shown(page)
        expect(rows).to_have_count(2)
        expect(rows.nth(0)).to_contain_text("2 min ago")
        expect(rows.nth(1)).to_contain_text("3 h ago")
