"""The console in a browser, against a server."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.console.watching import LIMIT, PROGRAMS, axe, left_at, ran, register
from tests.e2e.server.upping import SCRIPT, Up, up


def test_an_empty_server_says_how_the_first_run_is_made_and_shows_it(page: Page, home: Path) -> None:
    with up(home) as server:
        page.goto(server.url)
        expect(page.get_by_role("heading", name="Nothing has run here yet")).to_be_visible()
        assert page.url == f"{server.url}/console"
        assert axe(page) == []
        port = server.port
        server.end()
    ran(home, "wide", "--xs", "[1, 2]")
    with up(home, "--port", str(port)):
        expect(page.get_by_role("row").filter(has_text="wide")).to_be_visible(timeout=LIMIT)


def test_runs_are_listed_filtered_and_opened_by_keyboard(page: Page, home: Path) -> None:
    succeeded = ran(home, "wide", "--xs", "[1, 2, 3]")
    failed = ran(home, "fails", "--x", "1")
    with up(home) as server:
        page.goto(server.url)
        rows = page.get_by_role("row")
        expect(rows).to_have_count(2)
        assert axe(page) == []
        page.get_by_role("button", name="failed", exact=True).click()
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text(failed)
        expect(page).to_have_url(re.compile("phase=failed"))
        page.reload()
        expect(rows).to_have_count(1)
        page.go_back()
        page.goto(server.url)
        expect(rows).to_have_count(2)
        page.keyboard.press("/")
        page.keyboard.type("wide")
        expect(rows).to_have_count(1)
        page.keyboard.press("Escape")
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(f"/console/runs/{succeeded}"))


def test_an_eager_run_grows_and_nothing_is_lost_when_it_is_aborted(page: Page, home: Path, tmp_path: Path) -> None:
    doors = [tmp_path / f"door{at}" for at in range(3)]
    said = json.dumps([str(door) for door in doors])
    run = left_at(home, "grows", "--doors", said, begun="at the door")
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}")
        items = page.get_by_role("treeitem")
        expect(items).to_have_count(3)
        doors[0].touch()
        expect(items).to_have_count(5)
        doors[1].touch()
        expect(items).to_have_count(7)
        # The logs of a node that runs.
        items.filter(has_text="held").last.click()
        page.get_by_role("tab", name="Logs").click()
        expect(page.get_by_role("log")).to_contain_text("at the door")
        page.get_by_role("button", name="Abort…").click()
        page.get_by_label("Why").fill("seen enough")
        page.get_by_role("button", name="Abort the run").click()
        expect(page.locator("section.head")).to_contain_text("aborted")
        expect(page.locator("section.head")).to_contain_text("seen enough")
        expect(items).to_have_count(7)
        expect(page.get_by_role("log")).to_contain_text("at the door")
        assert axe(page) == []


def test_a_failure_is_shown_as_it_is_and_recovered_from(page: Page, home: Path) -> None:
    run = ran(home, "fails", "--x", "1")
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}")
        page.get_by_role("treeitem").filter(has_text="broken").click()
        error = page.get_by_role("group", name="Error")
        expect(error).to_contain_text("not today <img src=x")
        expect(error).to_contain_text("in broken")
        page.get_by_role("treeitem").filter(has_text="double").click()
        page.get_by_role("tab", name="Logs").click()
        expect(page.get_by_role("log").locator(".ansi-red")).to_have_text("doubling")
        page.get_by_role("button", name="Recover…").click()
        expect(page.get_by_role("region", name="What will run")).to_contain_text("1 kept")
        page.get_by_role("button", name="Recover the run").click()
        expect(page).not_to_have_url(re.compile(run))
        expect(page.get_by_role("treeitem").filter(has_text="double")).to_contain_text("taken over")


def test_a_gate_is_approved(page: Page, home: Path) -> None:
    run = left_at(home, "asks", "--x", "4", begun="waits for")
    with up(home) as server:
        page.goto(f"{server.url}/console")
        page.get_by_role("region", name="Needs somebody").get_by_role("button").click()
        page.get_by_role("row").filter(has_text=run).click()
        gate = page.get_by_role("group", name="release")
        expect(gate).to_contain_text("value=8")
        assert axe(page) == []
        gate.get_by_role("button", name="Approve").click()
        expect(page.locator("section.head")).to_contain_text("succeeded")
        expect(page.get_by_role("complementary")).to_contain_text("16")


def test_a_deck_is_shown_and_can_do_nothing(page: Page, home: Path) -> None:
    run = ran(home, "decked", "--x", "4")
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?node=n0")
        page.get_by_role("tab", name="Decks").click()
        page.get_by_role("button", name="page").click()
        expect(page.frame_locator("iframe").locator("#told")).to_have_text("deck")


def test_the_graph_is_folded_and_unfolded(page: Page, home: Path) -> None:
    run = ran(home, "wide", "--xs", str(list(range(20))))
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        graph = page.get_by_role("group", name="Graph")
        expect(graph.get_by_role("button", name="double", exact=False)).to_have_count(1)
        graph.get_by_role("button", name="Unfold").click()
        expect(graph.get_by_role("button", name="double", exact=False)).to_have_count(21)
        graph.get_by_role("button", name="Fold", exact=True).click()
        expect(graph.get_by_role("button", name="double", exact=False)).to_have_count(1)
        assert axe(page) == []


def test_a_server_that_is_started_again_is_caught_up_with(page: Page, home: Path, tmp_path: Path) -> None:
    door = tmp_path / "door"
    run = left_at(home, "waits", "--x", "3", "--door", str(door), begun="at the door")
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}")
        expect(page.get_by_role("treeitem").filter(has_text="held")).to_contain_text("running")
        port = server.port
        server.process.kill()
        server.left()
    expect(page.get_by_role("status")).to_contain_text("does not answer")
    door.touch()
    with up(home, "--port", str(port)):
        expect(page.locator("section.head")).to_contain_text("succeeded")
        expect(page.get_by_role("status")).to_have_count(0)


def test_what_is_not_there_is_said(page: Page, server: Up) -> None:
    page.goto(f"{server.url}/console/runs/nothing")
    expect(page.get_by_role("main")).to_contain_text("nothing")
    expect(page.get_by_role("main").get_by_role("link", name="All runs")).to_be_visible()
    page.goto(f"{server.url}/console/elsewhere/altogether")
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()


def test_dark_is_remembered_and_can_be_read(page: Page, home: Path) -> None:
    run = ran(home, "fails", "--x", "1")
    with up(home) as server:
        page.goto(f"{server.url}/console/runs/{run}?node=n1")
        expect(page.get_by_role("group", name="Error")).to_be_visible()
        page.get_by_role("button", name="Dark").click()
        page.reload()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        expect(page.get_by_role("group", name="Error")).to_be_visible()
        assert axe(page) == []


def registered(server: Up) -> None:
    """The programs of the tests are on the server, at the version v1."""
    register(server, PROGRAMS, "v1", "--activate")


PLACE = "/console/projects/flytesnacks/domains/development"


def test_what_is_registered_is_launched_from_a_form_and_run_again(page: Page, server: Up) -> None:
    registered(server)
    page.goto(f"{server.url}{PLACE}/workflows")
    assert axe(page) == []
    page.get_by_role("link", name="console_programs.wide").click()
    expect(page.get_by_role("group", name="Graph")).to_contain_text("double")
    assert axe(page) == []
    page.get_by_role("button", name="Launch…").click()
    form = page.get_by_role("dialog")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("list[int]")
    form.get_by_label("xs").fill("[1, 2")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("JSON")
    form.get_by_label("xs").fill('["one"]')
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("[0] is no int")
    assert axe(page) == []
    form.get_by_label("xs").fill("[1, 2]")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(page.locator("section.head")).to_contain_text("succeeded")
    expect(page.get_by_role("complementary")).to_contain_text("[2, 4]")
    first = page.url
    page.get_by_role("button", name="Run again…").click()
    form.get_by_label("xs").fill("[3]")
    form.get_by_role("button", name="as JSON").click()
    expect(form.get_by_label("Inputs as JSON")).to_have_value(re.compile("3"))
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(page).not_to_have_url(first)
    expect(page.get_by_role("complementary")).to_contain_text("[6]")
    page.get_by_role("link", name="Compare").click()
    page.get_by_label("with").fill(first.rpartition("/")[2])
    page.get_by_label("with").press("Enter")
    expect(page.get_by_role("row").filter(has_text="input xs")).to_contain_text("[1, 2]")
    assert axe(page) == []


def test_links_that_clients_of_flyte_print_are_followed(page: Page, server: Up) -> None:
    registered(server)
    place = {"project": "flytesnacks", "domain": "development", "kind": "workflow", "name": "console_programs.wide"}
    launch = {**place, "run_name": "by-this-name", "inputs": {"xs": [1]}}
    assert server.http.post("/api/v1/runs", json=launch).status_code == 201
    page.goto(f"{server.url}{PLACE}/executions/by-this-name")
    expect(page.locator("section.head")).to_contain_text("console_programs.wide")
    expect(page.locator("section.head")).to_contain_text("succeeded")
    page.goto(f"{server.url}{PLACE}/executions/never")
    expect(page.get_by_role("main")).to_contain_text("There is no execution never")
    for kind, name in (("task", "double"), ("workflow", "wide"), ("launch_plan", "wide")):
        page.goto(f"{server.url}{PLACE}/{kind}/console_programs.{name}/version/v1")
        expect(page.get_by_role("heading", name=f"console_programs.{name}")).to_be_visible()
    page.get_by_role("button", name="Deactivate…").click()
    page.get_by_role("button", name="Deactivate it").click()
    expect(page.get_by_role("button", name="Activate…")).to_be_visible()


def test_what_is_due_is_shown(page: Page, server: Up) -> None:
    registered(server)
    page.goto(f"{server.url}/console/schedules")
    row = page.get_by_role("row").filter(has_text="nightly-wide")
    expect(row).to_contain_text("0 2 * * *")
    expect(row).to_contain_text("in ")
    assert axe(page) == []


def test_who_is_not_known_logs_in_and_sees_what_their_role_shows(page: Page, home: Path) -> None:
    run = ran(home, "decked", "--x", "4")
    command = [SCRIPT, "auth", "user", "create", "ada", "--role", "viewer", "--home", str(home)]
    subprocess.run(command, input="correct horse battery\n", text=True, check=True, capture_output=True)
    with up(home, "--auth", "builtin") as server:
        page.goto(f"{server.url}/console/runs/{run}?node=n0")
        expect(page.get_by_role("heading", name="Who is looking?")).to_be_visible()
        assert axe(page) == []
        page.get_by_role("button", name="Log in").click()
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("wrong")
        page.get_by_role("button", name="Log in and allow").click()
        expect(page.get_by_role("alert")).to_contain_text("password")
        page.get_by_label("Name").fill("ada")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Log in and allow").click()
        expect(page).to_have_url(f"{server.url}/console/runs/{run}?node=n0")
        expect(page.get_by_role("treeitem")).to_have_count(1)
        page.get_by_role("tab", name="Decks").click()
        page.get_by_role("button", name="page").click()
        expect(page.frame_locator("iframe").locator("#told")).to_have_text("deck")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Who is looking?")).to_be_visible()
        page.get_by_role("button", name="Log in").click()
        page.get_by_role("button", name="Refuse").click()
        expect(page.get_by_role("alert")).to_be_visible()
        deck = server.http.get(f"/decks/{run}/1/0000000000000000/n0")
        assert deck.status_code == 401
