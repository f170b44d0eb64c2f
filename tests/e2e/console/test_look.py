"""How the console looks and is used: by the keyboard alone, by readers of the screen, on a phone, with hostile text."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Response, ViewportSize, expect

from tests.e2e.console.look_programs import ALL, MARKUP
from tests.e2e.console.watching import LIMIT, axe, launch, register
from tests.e2e.server.upping import Up, up

PROGRAMS = Path(__file__).with_name("look_programs.py")
PLACE = {"project": "flytesnacks", "domain": "development"}
CODE = "/console/projects/flytesnacks/domains/development"
MODULE = "look_programs"
DESK = ViewportSize(width=1280, height=800)
PHONE = ViewportSize(width=390, height=780)
UNSEEN = re.compile("[\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff\x1b]")


def registered(server: Up, program: Path = PROGRAMS, version: str = "v1") -> None:
    register(server, program, version)


def launched(server: Up, name: str, kind: str = "workflow", **inputs: Any) -> str:
    return launch(server, f"{MODULE}.{name}", kind=kind, inputs=inputs)


def found_by_axe(page: Page, *rules: str) -> list[str]:
    """What axe finds, all but the smallest."""
    return axe(page, *rules, spared=("minor",))


def wide(page: Page) -> list[str]:
    """Whether something sticks out of the page."""
    found = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    return [f"is {found[0]} wide of {found[1]}"] if found[0] > found[1] else []


# --- the keyboard

FOCUSED = """() => {
  const it = document.activeElement;
  return [it.tagName, (it.getAttribute('aria-label') || (it.labels?.[0] || it).textContent || '').trim()];
}"""


def tab_to(page: Page, name: str) -> None:
    """Press Tab until what has the focus is called ``name``."""
    met = []
    for _ in range(60):
        page.keyboard.press("Tab")
        tag, said = page.evaluate(FOCUSED)
        if re.match(name, said):
            return
        met.append(f"{tag} {said[:30]}")
    raise AssertionError(f"no {name} in {met}")


def test_a_workflow_is_launched_watched_answered_and_another_aborted_by_keyboard_alone(
    page: Page, server: Up, tmp_path: Path
) -> None:
    registered(server)
    door = tmp_path / "door"
    other = launched(server, "journey", x=9, door=str(tmp_path / "never"))
    keys = page.keyboard
    page.goto(f"{server.url}/console")
    expect(page.get_by_role("row").filter(has_text=other)).to_be_visible()
    # To the workflow.
    keys.press("Control+k")
    keys.type(f"{MODULE} journey")
    expect(page.get_by_role("option").filter(has_text="journey").last).to_be_visible()
    keys.press("Escape")
    expect(page.get_by_role("combobox", name="Go to")).to_have_count(0)
    page.goto(f"{server.url}{CODE}/workflows")
    keys.press("Tab")
    keys.press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to(page, rf"{MODULE}\.journey")
    keys.press("Enter")
    expect(page.get_by_role("heading", name=f"{MODULE}.journey")).to_be_focused()
    # Launch it.
    tab_to(page, "Launch…")
    keys.press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to(page, "x")
    keys.type("4")
    tab_to(page, "door")
    keys.type(str(door))
    tab_to(page, "Launch$")
    keys.press("Enter")
    expect(page.get_by_role("heading", name=f"{MODULE}.journey")).to_be_focused()
    expect(page).to_have_url(re.compile("/console/runs/"))
    # Watch it, and read the logs of what runs.
    items = page.get_by_role("treeitem")
    expect(items.filter(has_text="held")).to_contain_text("running")
    tab_to(page, "Nodes")
    while "held" not in (page.get_by_role("treeitem", selected=True).all_text_contents() or [""])[0]:
        keys.press("ArrowDown")
    expect(page.get_by_role("complementary", name="Node")).to_contain_text("held")
    tab_to(page, "About")
    keys.press("ArrowRight")
    expect(page.get_by_role("log")).to_contain_text("at the door")
    keys.press("Escape")
    expect(page.get_by_role("complementary", name="Run")).to_be_visible()
    expect(page.get_by_role("tree")).to_be_focused()
    # Answer.
    door.touch()
    expect(page.get_by_role("group", name="go on")).to_be_visible()
    keys.press("Control+k")
    expect(page.get_by_role("combobox", name="Go to")).to_be_focused()
    keys.press("Escape")
    expect(page.get_by_role("tree")).to_be_focused()
    page.get_by_role("link", name="to the content").focus()
    keys.press("Enter")
    tab_to(page, "Approve")
    keys.press("Enter")
    expect(page.locator("section.head")).to_contain_text("succeeded")
    expect(page.locator("body")).not_to_be_focused()
    # Abort the other.
    keys.press("Control+k")
    keys.type(other)
    expect(page.get_by_role("option", selected=True)).to_contain_text(other)
    keys.press("Enter")
    expect(page).to_have_url(re.compile(other))
    expect(page.get_by_role("heading", name=f"{MODULE}.journey")).to_be_focused()
    tab_to(page, "Abort…")
    keys.press("Enter")
    tab_to(page, "Why")
    keys.type("not needed")
    tab_to(page, "Abort the run")
    keys.press("Enter")
    expect(page.locator("section.head")).to_contain_text("aborted")
    expect(page.locator("section.head")).to_contain_text("not needed")
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("body")).not_to_be_focused()


def test_the_palette_does_what_the_page_can_do_and_keys_are_told(page: Page, server: Up) -> None:
    registered(server)
    run = launched(server, "breaks", text="no")
    page.goto(f"{server.url}/console/runs/{run}")
    expect(page.locator("section.head")).to_contain_text("failed")
    page.keyboard.press("Control+k")
    box = page.get_by_role("combobox", name="Go to")
    box.fill("fails")
    page.get_by_role("group", name="Nodes of this run").get_by_role("option", name="fails").click()
    expect(page.get_by_role("complementary", name="Node")).to_contain_text("fails")
    page.keyboard.press("Control+k")
    box.fill("compare")
    page.get_by_role("group", name="Here").get_by_role("option", name="Compare").click()
    expect(page.get_by_role("heading", name="Compare")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("search")
    assert found_by_axe(page) == []
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_panel_is_made_wider_by_keyboard_and_stays_so(page: Page, server: Up) -> None:
    registered(server)
    run = launched(server, "breaks", text="no")
    page.goto(f"{server.url}/console/runs/{run}")
    panel = page.get_by_role("complementary")
    edge = page.get_by_role("separator", name="Width of the panel")
    expect(edge).to_have_attribute("aria-valuenow", "400")
    edge.focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(edge).to_have_attribute("aria-valuenow", "464")
    page.reload()
    expect(edge).to_have_attribute("aria-valuenow", "464")
    box = panel.bounding_box()
    assert box is not None
    assert abs(box["width"] - 464) <= 1


# --- every page

VIEWS: dict[str, Callable[[Page], None]] = {
    "/console": lambda page: expect(page.get_by_role("row")).to_have_count(3),
    "/console?text=nothing-like-it": lambda page: expect(page.get_by_text("No run")).to_be_visible(),
    "/console/runs/{hostile}": lambda page: expect(page.locator("section.head")).to_contain_text("succeeded"),
    "/console/runs/{hostile}?view=graph": lambda page: expect(
        page.get_by_role("group", name="Graph").get_by_role("button").first
    ).to_be_visible(),
    "/console/runs/{breaks}?node=n1": lambda page: expect(
        page.get_by_role("group", name="Error").first
    ).to_contain_text("<img src=x"),
    "/console/runs/{breaks}?node=n0": lambda page: expect(page.get_by_role("complementary")).to_contain_text(
        "<img src=x"
    ),
    "/console/runs/{asks}": lambda page: expect(page.get_by_role("button", name="Approve")).to_be_visible(),
    "/console/runs/%3Cimg%20src=x%3E": lambda page: expect(page.get_by_role("heading", level=1)).to_be_visible(),
    f"{CODE}/workflows": lambda page: expect(page.get_by_role("link", name=f"{MODULE}.hostile")).to_be_visible(),
    f"{CODE}/tasks": lambda page: expect(page.get_by_role("link", name=f"{MODULE}.says")).to_be_visible(),
    f"{CODE}/launch-plans": lambda page: expect(page.get_by_role("link", name="<img src=x")).to_be_visible(),
    f"{CODE}/workflow/{MODULE}.hostile": lambda page: expect(
        page.get_by_role("group", name="Graph").get_by_role("button").first
    ).to_be_visible(),
    f"{CODE}/workflow/{MODULE}.hostile?view=about": lambda page: expect(
        page.get_by_role("region", name="Inputs")
    ).to_contain_text("texts"),
    f"{CODE}/workflow/{MODULE}.hostile?view=source": lambda page: expect(page.get_by_label("Source")).to_contain_text(
        "<script>"
    ),
    f"{CODE}/workflow/{MODULE}.hostile?view=versions": lambda page: expect(
        page.get_by_role("region", name="Differences")
    ).to_contain_text("one version"),
    f"{CODE}/workflow/{MODULE}.hostile?view=runs": lambda page: expect(
        page.get_by_role("main").get_by_role("listitem")
    ).to_have_count(1),
    "/console/schedules": lambda page: expect(page.get_by_role("main")).to_contain_text("schedule"),
    "/console/compare": lambda page: expect(page.get_by_role("heading", name="Which run?")).to_be_visible(),
    "/console/compare?a={hostile}": lambda page: expect(page.get_by_role("main")).to_contain_text("no other run"),
    "/console/compare?a={hostile}&b={breaks}&all=1": lambda page: expect(page.get_by_role("main")).to_contain_text(
        "<img src=x"
    ),
}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server on which everything that can be hostile is, and the ids of its runs."""
    home = tmp_path_factory.mktemp("look")
    program = home / "look_programs.py"
    plan = f"\n\nfrom whimbrel import LaunchPlan\nLaunchPlan.get_or_create(breaks, {MARKUP!r}, default_inputs={{}})\n"
    program.write_text(PROGRAMS.read_text() + plan)
    with up(home / "home") as server:
        registered(server, program)
        runs = {
            "hostile": launched(server, "hostile", texts=list(ALL)),
            "breaks": launched(server, "breaks", text=MARKUP),
        }
        runs["asks"] = launched(server, "asks", text=ALL[1])
        yield server, runs


def test_every_page_shows_what_is_hostile_and_is_at_ease_with_it(
    browser: Browser, told: tuple[Up, dict[str, str]]
) -> None:
    """In the light, in the dark, and on a phone."""
    server, runs = told
    context = browser.new_context(viewport=DESK, reduced_motion="reduce")
    context.set_default_timeout(LIMIT)
    page = context.new_page()
    wrong: list[str] = []
    page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.expose_function("violated", lambda what: wrong.append(what))
    page.add_init_script(
        "addEventListener('securitypolicyviolation', (e) => violated(`${e.violatedDirective} ${e.blockedURI}`))"
    )
    for path, shown in VIEWS.items():
        page.goto(server.url + path.format(**runs))
        shown(page)
        assert "taken" not in page.title()
        unseen = [repr(each) for each in UNSEEN.findall(page.locator("main").inner_text())]
        found = [*unseen, *wide(page), *found_by_axe(page)]
        page.emulate_media(color_scheme="dark")
        found += found_by_axe(page, "color-contrast")
        page.set_viewport_size(PHONE)
        found += [*wide(page), *found_by_axe(page)]
        page.emulate_media(color_scheme="light")
        page.set_viewport_size(DESK)
        wrong += [f"{path}: {each}" for each in found]
    context.close()
    assert not wrong, "\n".join(wrong)


# --- entities, two runs, a phone


def test_versions_are_told_apart(page: Page, server: Up, tmp_path: Path) -> None:
    program = tmp_path / "look_programs.py"
    program.write_text(PROGRAMS.read_text())
    registered(server, program, "one")
    after = PROGRAMS.read_text().replace("def journey(x: int, door", "def journey(x: int, shop: str = 'Harbour', door")
    after = after.replace("return x + 1", "return x + 2").replace(
        'door: str) -> int:\n    """W', 'door: str = \'\') -> int:\n    """W'
    )
    program.write_text(after)
    registered(server, program, "two")
    page.goto(f"{server.url}{CODE}/workflow/{MODULE}.journey")
    page.get_by_role("tab", name="Versions").click()
    told = page.get_by_role("region", name="Differences")
    expect(told).to_contain_text('input shop is new: str, "Harbour" by default')
    expect(told).to_contain_text("the code of step changed")
    expect(told).not_to_contain_text("the code of held")
    source = page.get_by_role("group", name="Differences of the source")
    expect(source).to_contain_text("gone: ")
    expect(source).to_contain_text("return x + 2")
    page.get_by_role("button", name="Side by side").click()
    expect(page).to_have_url(re.compile("diff=beside"))
    expect(source).to_contain_text("return x + 1")
    assert [*wide(page), *found_by_axe(page)] == []
    page.get_by_role("tab", name="Interface").click()
    expect(page.get_by_role("region", name="What it uses")).to_contain_text("look_programs.step")
    page.get_by_role("link", name="look_programs.step").click()
    expect(page.get_by_role("heading", name="look_programs.step")).to_be_focused()
    expect(page.get_by_role("region", name="What uses it")).to_contain_text("look_programs.journey")
    page.get_by_role("tab", name="Source").click()
    page.get_by_label("Source").get_by_text("15", exact=True).click()
    expect(page).to_have_url(re.compile("#L15$"))


def test_two_runs_are_compared_and_the_second_is_picked(page: Page, server: Up) -> None:
    registered(server)
    one = launched(server, "hostile", texts=["a", "b"])
    two = launched(server, "hostile", texts=["a", "b", "c"])
    page.goto(f"{server.url}/console/runs/{two}")
    expect(page.locator("section.head")).to_contain_text("succeeded")
    page.get_by_role("link", name="Compare").click()
    page.get_by_role("link").filter(has_text=one).click()
    expect(page).to_have_url(re.compile(f"a={two}&b={one}"))
    expect(page.get_by_role("row").filter(has_text="input texts")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="2 items, not 3")).to_have_count(1)
    expect(page.get_by_role("row").filter(has_text="version")).to_have_count(0)
    page.get_by_label("only differences").uncheck()
    expect(page.get_by_role("row").filter(has_text="version")).to_have_count(1)
    page.get_by_role("button", name="Swap").click()
    expect(page.get_by_role("row").filter(has_text="3 items, not 2")).to_have_count(1)


def test_a_phone_shows_a_run_and_its_nodes_in_sheets(page: Page, server: Up) -> None:
    registered(server)
    run = launched(server, "breaks", text="no")
    page.set_viewport_size(PHONE)
    page.goto(f"{server.url}/console/runs/{run}")
    sheet = page.get_by_role("complementary")
    expect(sheet.get_by_role("tab")).to_have_count(0)
    page.get_by_role("button", name="About the run").click()
    expect(sheet.get_by_role("tab", name="Logs")).to_be_visible()
    page.get_by_role("button", name="Less").click()
    page.get_by_role("treeitem").filter(has_text="fails").click()
    expect(sheet.get_by_role("group", name="Error").first).to_contain_text("ValueError")
    assert [*wide(page), *found_by_axe(page)] == []
    sheet.get_by_role("button", name="Close").click()
    expect(page.get_by_role("button", name="About the run")).to_be_visible()


# --- what it weighs


def test_a_first_view_is_small(page: Page, server: Up) -> None:
    """The list of runs, and a run that a link leads to: each below 120 kB of scripts and styles."""
    registered(server)
    run = launched(server, "breaks", text="no")
    weight: dict[str, int] = {}

    def weigh(response: Response) -> None:
        if re.search(r"/assets/.*\.(js|css)$", response.url):
            weight[response.url] = len(gzip.compress(response.body()))

    page.on("response", weigh)
    page.goto(f"{server.url}/console/nothing")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    page.goto(f"{server.url}/console/runs/{run}")
    expect(page.get_by_role("tree").get_by_role("treeitem").first).to_be_visible()
    page.wait_for_load_state("networkidle")
    assert sum(weight.values()) < 120_000, weight
    assert not any("Graph" in url for url in weight)


# --- what goes wrong


def test_what_went_wrong_is_said_with_what_to_do(page: Page, home: Path) -> None:
    with up(home) as server:
        registered(server)
        page.goto(f"{server.url}{CODE}/workflows")
        entity = page.get_by_role("link", name=f"{MODULE}.journey")
        expect(entity).to_be_visible()
        # Something before the server answers in its place.
        page.route("**/workflows/*/latest", lambda route: route.fulfill(status=429, body="slowly"))
        entity.click()
        expect(page.get_by_role("heading", name="The server has too much to do")).to_be_visible()
        page.unroute_all()
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_role("heading", name=f"{MODULE}.journey")).to_be_visible()
        page.goto(f"{server.url}{CODE}/workflow/{MODULE}.nothing")
        expect(page.get_by_role("main")).to_contain_text("nothing")
        expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
        page.goto(f"{server.url}{CODE}/workflows")
        expect(entity).to_be_visible()
        port = server.port
        server.end()
        entity.click()
        expect(page.get_by_role("heading", name="The server does not answer")).to_be_visible()
    with up(home, "--port", str(port)):
        expect(page.get_by_role("heading", name=f"{MODULE}.journey")).to_be_visible()


def test_a_page_older_than_the_server_is_loaded_again(page: Page, server: Up) -> None:
    page.goto(f"{server.url}/console")
    expect(page.get_by_role("heading", name="Nothing has run here yet")).to_be_visible()
    page.evaluate("window.first = true")
    # The names of a newer build's files are others.
    page.route("**/assets/Compare-*.js", lambda route: route.fulfill(status=404), times=1)
    page.evaluate("history.pushState(null, '', '/console/compare'); dispatchEvent(new PopStateEvent('popstate'))")
    expect(page.get_by_role("heading", name="Which run?")).to_be_visible()
    assert page.evaluate("window.first") is None
