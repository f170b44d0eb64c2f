"""Graphs in a browser: what eager runs show, and looking around."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, ViewportSize, expect

from tests.e2e.console.watching import LIMIT, axe, newest, ran
from tests.e2e.server.upping import SCRIPT, up

ALL: ViewportSize = {"width": 2400, "height": 1000}
"""Of a window in which every box is seen: what is far out of view is not drawn."""
PROGRAMS = Path(__file__).with_name("graph_programs.py")


def left(home: Path, program: Path, workflow: str, *arguments: str, begun: str) -> str:
    """The id of a run whose process was killed when a task had written ``begun``."""
    with subprocess.Popen(
        [SCRIPT, "run", "--home", str(home), str(program), workflow, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if begun in line:
                break
        process.kill()
    return newest(home)


def graph_of(page: Page) -> Locator:
    return page.get_by_role("group", name="Graph")


def box(graph: Page | Locator, path: str) -> Locator:
    """The box of a node, by its path."""
    return graph.locator(f'button.name[title^="{path}:"]')


def test_calls_stand_in_their_scopes_and_what_flowed_is_drawn(page: Page, home: Path, tmp_path: Path) -> None:
    door = tmp_path / "door"
    door.touch()
    run = ran(home, "search", "--n", "40", "--door", str(door), program=PROGRAMS)
    page.set_viewport_size(ALL)
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        graph = graph_of(page)
        group = graph.get_by_role("group", name="TaskGroup")
        expect(group.get_by_role("group", name="refine 1").get_by_role("group", name="gather")).to_contain_text(
            "rate=0.05"
        )
        expect(group.get_by_role("group", name="refine 2").get_by_role("group", name="gather")).to_contain_text(
            "rate=0.1"
        )
        expect(group.locator("button.name[aria-pressed]")).to_have_count(6)
        # The list went from `extract` to `clean` to `total`; numbers prove nothing.
        expect(graph.locator("svg.lines path.data")).to_have_count(2)
        assert axe(page) == []
        group.get_by_role("button", name="TaskGroup").click()
        expect(graph.get_by_role("group", name="refine 1")).to_have_count(0)
        expect(group.get_by_role("img", name="6 succeeded")).to_be_visible()
        group.get_by_role("button", name="TaskGroup").click()
        expect(graph.get_by_role("group", name="refine 1")).to_be_visible()


def test_decisions_are_told_in_order_and_lead_to_their_nodes(page: Page, home: Path, tmp_path: Path) -> None:
    door = tmp_path / "door"
    run = left(home, PROGRAMS, "search", "--n", "40", "--door", str(door), begun="at the door")
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph&node=n0/1")
        expect(page.get_by_role("tab", name="About")).to_be_visible()
        expect(page.get_by_role("tab", name="Decisions")).to_have_count(0)
        page.goto(f"{server.url}/console/runs/{run}?view=graph&node=n0")
        page.get_by_role("tab", name="Decisions").click()
        rows = page.get_by_role("list", name="Decisions").get_by_role("listitem")
        expect(rows.nth(0)).to_contain_text("extract")
        expect(rows.nth(1)).to_contain_text("clean")
        expect(rows.nth(2)).to_contain_text("value drawn")
        expect(rows.nth(3)).to_contain_text("refine")
        expect(rows.filter(has_text="timer")).to_contain_text("fired")
        waits = page.get_by_role("list", name="Waits for")
        expect(waits).to_contain_text("held")
        assert axe(page) == []
        rows.nth(0).get_by_role("button").first.click()
        expect(graph_of(page).locator(".node.hinted")).to_contain_text("extract")
        before = rows.count()
        door.touch()
        expect(rows).to_have_count(before + 1)
        expect(waits).to_have_count(0)
        rows.nth(0).get_by_role("button", name="Open extract").click()
        expect(page.get_by_role("heading", name="extract")).to_be_visible()


def test_what_a_timer_waits_for_is_said(page: Page, home: Path, tmp_path: Path) -> None:
    door = tmp_path / "door"
    run = left(home, PROGRAMS, "sleeps", "--door", str(door), begun="at the door")
    door.touch()
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?node=n0")
        page.get_by_role("tab", name="Decisions").click()
        expect(page.get_by_role("list", name="Waits for")).to_contain_text(re.compile(r"timer.*waits until .*in \d+ h"))


BEFORE = """
from pathlib import Path
import time
from whimbrel import eager, task

@task
def first(x: int) -> int:
    return x

@task
def second(x: int) -> int:
    return x + 1

@task
def third(x: int) -> int:
    return x + 2

@task
def held(door: str) -> int:
    print("at the door", flush=True)
    while not Path(door).exists():
        time.sleep(0.01)
    return 0

@eager
async def changes(door: str) -> int:
    a = await first(x=1)
    b = await second(x=2)
    c = await third(x=3)
    return a + b + c + await held(door=door)
"""


def test_where_a_replay_took_another_road_is_plain(page: Page, home: Path, tmp_path: Path) -> None:
    door = tmp_path / "door"
    program = tmp_path / "changing.py"
    program.write_text(BEFORE)
    run = left(home, program, "changes", "--door", str(door), begun="at the door")
    # `second` is left out: what came after it stands one place before, and is kept.
    program.write_text(BEFORE.replace("    b = await second(x=2)\n", "    b = 0\n"))
    door.touch()
    subprocess.run(
        [SCRIPT, "resume", "--home", str(home), "--quiet", run],
        stdin=subprocess.DEVNULL, capture_output=True, timeout=LIMIT / 1000,
    )  # fmt: skip
    page.set_viewport_size(ALL)
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        graph = graph_of(page)
        said = page.get_by_role("note")
        expect(said).to_contain_text("The code has changed since: 2 calls replaced, 2 kept.")
        expect(said.get_by_role("button", name="second → third")).to_be_visible()
        expect(graph.locator(".node.replaced")).to_have_count(2)
        expect(graph.locator(".node.grafted")).to_have_count(1)
        expect(graph.locator(".node.grafted")).to_contain_text("kept")
        expect(graph.locator("svg.lines path.swap")).not_to_have_count(0)
        assert axe(page) == []
        graph.locator(".node.grafted button.name").click()
        expect(page.get_by_role("complementary")).to_contain_text("kept the outcome of n0/3")


def test_nothing_disappears_when_a_run_is_aborted(page: Page, home: Path, tmp_path: Path) -> None:
    run = left(home, PROGRAMS, "search", "--n", "3", "--door", str(tmp_path / "door"), begun="at the door")
    page.set_viewport_size(ALL)
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        graph = graph_of(page)
        boxes = graph.locator("button.name[aria-pressed]")
        expect(boxes).to_have_count(14)
        expect(graph.locator(".node.runs")).to_have_count(1)
        page.get_by_role("button", name="Abort…").click()
        page.get_by_role("button", name="Abort the run").click()
        expect(page.locator("section.head")).to_contain_text("aborted")
        expect(boxes).to_have_count(14)
        expect(graph.locator(".node.runs")).to_have_count(0)
        expect(graph.get_by_role("group", name="refine 2")).to_be_visible()


def test_arrows_go_along_the_edges(page: Page, home: Path) -> None:
    run = ran(home, "wide", "--xs", json.dumps([1, 2, 3]), "--other", "[4, 5]", program=PROGRAMS)
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        graph = graph_of(page)
        inner = box(graph, "n0/n0")
        inner.focus()
        page.keyboard.press("ArrowRight")
        expect(box(graph, "n0/n1")).to_be_focused()
        page.keyboard.press("ArrowLeft")
        expect(inner).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile("node=n0%2Fn0"))
        box(graph, "n0").focus()
        page.keyboard.press("ArrowRight")
        expect(box(graph, "n1")).to_be_focused()
        page.keyboard.press("ArrowRight")
        expect(box(graph, "n3")).to_be_focused()


def placed(transform: str) -> tuple[float, ...]:
    """Left, top and scale."""
    return tuple(map(float, re.findall(r"-?[\d.]+", transform)))


def test_the_wheel_zooms_and_the_pointer_drags(page: Page, home: Path) -> None:
    run = ran(home, "wide", "--xs", "[1]", "--other", "[4, 5]", program=PROGRAMS)
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        graph = graph_of(page)
        expect(box(graph, "n0")).to_be_visible()
        plane = graph.locator(".plane")
        around = graph.bounding_box()
        assert around is not None
        fitted = plane.evaluate("each => each.style.transform")
        page.mouse.move(around["x"] + 20, around["y"] + 20)
        page.mouse.wheel(0, -200)
        page.wait_for_function(
            "([plane, before]) => plane.style.transform !== before", arg=[plane.element_handle(), fitted]
        )
        zoomed = plane.evaluate("each => each.style.transform")
        page.mouse.down()
        page.mouse.move(around["x"] + 60, around["y"] + 90)
        page.mouse.up()
        dragged = plane.evaluate("each => each.style.transform")
        (_, _, first), (left, top, second), (right, bottom, third) = map(placed, (fitted, zoomed, dragged))
        assert first < second == third
        assert right - left == pytest.approx(40, abs=1)
        assert bottom - top == pytest.approx(70, abs=1)
        graph.dblclick(position={"x": 5, "y": 5})
        page.wait_for_function(
            "([plane, before]) => plane.style.transform === before", arg=[plane.element_handle(), fitted]
        )


def test_the_way_of_an_input_is_lit(page: Page, home: Path) -> None:
    run = ran(home, "wide", "--xs", json.dumps([1, 2, 3]), "--other", "[4, 5]", program=PROGRAMS)
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        graph = graph_of(page)
        page.get_by_label("Way of an input").select_option("other")
        # It goes into `doubled`, which makes nothing of it, and into the dynamic node.
        expect(graph.locator(".node.faded", has=box(page, "n0/n0"))).to_have_count(1)
        page.get_by_label("Way of an input").select_option("xs")
        expect(graph.locator(".node.faded", has=box(page, "n0/n0"))).to_have_count(0)
        expect(graph.locator("svg.lines path.way")).not_to_have_count(0)
        assert axe(page) == []


def test_a_wide_graph_can_be_read_and_looked_around_in(page: Page, home: Path) -> None:
    run = ran(home, "many", "--count", "300", program=PROGRAMS)
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        graph = graph_of(page)
        graph.get_by_role("button", name="gather").click()
        expect(graph.locator("svg.map")).to_be_visible()
        _, _, scale = placed(graph.locator(".plane").evaluate("each => each.style.transform"))
        assert scale >= 0.6, "it can be read"
        page.get_by_role("button", name="all", exact=True).click()
        expect(graph.locator("svg.map")).to_have_count(0)
        expect(graph.locator("button.name[aria-pressed]")).to_have_count(301)
        graph.dblclick(position={"x": 5, "y": 5})
        expect(graph.locator("svg.map")).to_be_visible()


@pytest.mark.parametrize("motion", ["reduce", "no-preference"])
def test_what_runs_moves_only_for_who_wants_it(page: Page, home: Path, tmp_path: Path, motion: str) -> None:
    run = left(home, PROGRAMS, "search", "--n", "3", "--door", str(tmp_path / "door"), begun="at the door")
    page.emulate_media(reduced_motion="reduce" if motion == "reduce" else "no-preference")
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        running = graph_of(page).locator(".node.runs")
        expect(running).to_have_count(1)
        name = running.evaluate("each => getComputedStyle(each, '::after').animationName")
        assert (name == "none") is (motion == "reduce")
