"""Acting in the console: forms of every type, forks and recoveries, two people at one run, logins."""

from __future__ import annotations

import io
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.cli.shell import wait_until
from tests.e2e.console.watching import LIMIT, Watched, axe, launch, register
from tests.e2e.server.upping import SCRIPT, Up, up
from tests.integration.auth.issuers import providing

PROGRAMS = Path(__file__).with_name("acting_programs.py")
PLACE = "/console/projects/flytesnacks/domains/development"
HERE = {"project": "flytesnacks", "domain": "development"}


def registered(server: Up, version: str = "v1", program: Path = PROGRAMS) -> None:
    register(server, program, version)


def launched(server: Up, name: str, **inputs: Any) -> str:
    return launch(server, f"acting_programs.{name}", version="v1", inputs=inputs)


def detail(server: Up, run: str) -> Any:
    return server.http.get(f"/api/v1/runs/{run}").json()


def form_of(page: Page, server: Up, name: str, query: str = "", kind: str = "workflow") -> Locator:
    page.goto(f"{server.url}{PLACE}/{kind}/{name}/version/v1{query}")
    if not query:
        page.get_by_role("button", name="Launch…").click()
    return page.get_by_role("dialog")


def head(page: Page) -> Locator:
    return page.locator("section.head")


def succeeded(page: Page, *, after: str = "") -> str:
    """The id of the run that the page has gone to, and which has succeeded."""
    expect(page).to_have_url(re.compile("/console/runs/"))
    if after:
        expect(page).not_to_have_url(re.compile(after))
    expect(head(page)).to_contain_text("succeeded")
    return page.url.rpartition("/")[2]


def filled(form: Locator, tmp_path: Path) -> None:
    """Every field of `everything`, as a person would."""
    folder = tmp_path / "folder"
    (folder / "inner").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "inner" / "b.txt").write_text("b")
    (tmp_path / "words.txt").write_text("as it is\n")
    table = io.BytesIO()
    pq.write_table(pa.table({"n": [1, 2], "t": ["x", "y"]}), table)
    (tmp_path / "rows.parquet").write_bytes(table.getvalue())
    field = form.get_by_role("textbox")

    def write(label: str, text: str) -> None:
        form.locator(f'[id="in-{label}"]').fill(text)

    write("n", "9007199254740993")
    write("f", "1e-7")
    write("s", "<b>two</b>")
    form.locator("#in-b").select_option("true")
    write("when", "2026-01-31T12:00:00+02:00")
    write("day", "2026-02-28")
    write("span", "1h 30m")
    write("raw", "aGVsbG8=")
    form.locator("#in-colour").select_option("blue")
    write("order.item", "egg")
    form.get_by_role("button", name="Add Order").click()
    form.get_by_role("button", name="Add Order").click()
    form.get_by_role("button", name="Add Order").click()
    write("orders.0.item", "ham")
    write("orders.1.item", "not this one")
    write("orders.2.item", "")
    form.get_by_role("button", name="Remove orders[1]").click()
    write("orders.1.item", "jam")
    write("orders.1.count", "3")
    write("xs", "1, 2,3")
    write("counts", '{"one": 1}')
    form.get_by_label("None for maybe").check()
    form.get_by_role("button", name="empty text").last.click()
    form.get_by_label("Type of either").select_option(label="str")
    write("either", "5")
    write("anything", '{"a": [1, 2.5, null]}')
    form.get_by_label("Upload a file for file").set_input_files(tmp_path / "words.txt")
    expect(form.locator("#in-file")).to_have_value(re.compile("blob:.*words.txt"))
    form.get_by_label("Upload a directory for folder").set_input_files(folder)
    expect(form.locator("#in-folder")).to_have_value(re.compile("blob:"))
    form.get_by_label("Upload a file for table").set_input_files(tmp_path / "rows.parquet")
    expect(form.locator("#in-table")).to_have_value(re.compile("blob:.*rows.parquet"))
    expect(field.first).to_be_visible()


def test_every_type_goes_through_the_form(page: Page, server: Up, tmp_path: Path) -> None:
    registered(server)
    form = form_of(page, server, "acting_programs.everything")
    expect(form.get_by_text("how many of them")).to_be_visible()
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.locator("#in-n")).to_be_focused()
    expect(form.locator("#in-n")).to_have_attribute("aria-invalid", "true")
    expect(form.locator("#in-n")).to_have_attribute("aria-describedby", re.compile("in-n-problem"))
    expect(form.locator("#in-s-problem")).to_contain_text("if it is to be empty")
    assert axe(page) == []
    filled(form, tmp_path)
    expect(form.get_by_role("alert")).to_have_count(0)
    # To JSON and back: all of it is there, also what is wrong.
    form.locator("#in-f").fill("a tenth")
    form.get_by_role("button", name="as JSON").click()
    text = form.get_by_label("Inputs as JSON")
    said = json.loads(text.input_value())
    assert (said["n"], said["f"], said["maybe"], said["perhaps"]) == (9007199254740993, "a tenth", None, "")
    text.fill(text.input_value().replace('"a tenth"', "1e-7"))
    form.get_by_role("button", name="as a form").click()
    expect(form.locator("#in-f")).to_have_value("1e-7")
    expect(form.locator('[id="in-orders.1.count"]')).to_have_value("3")
    form.get_by_role("button", name="Launch", exact=True).click()
    first = succeeded(page)
    found = json.loads(detail(server, first)["outputs"]["o0"])
    assert found == {
        "scalars": [9007199254740993, "1e-07", "<b>two</b>", True, "hello", "BLUE"],
        "times": ["2026-01-31T10:00:00+00:00", "2026-02-28", 5400.0],
        "structs": [
            "Order(item='egg', count=1)",
            ["Order(item='ham', count=1)", "Order(item='jam', count=3)"],
            [1, 2, 3],
            {"one": 1},
        ],
        "unions": [None, "", "5", {"a": [1, 2.5, None]}],
        "file": "as it is\n",
        "folder": ["a.txt", "inner/b.txt"],
        "table": {"n": [1, 2], "t": ["x", "y"]},
        "left": [7, "as ever"],
    }
    # Again: the form has all of it, to the digit.
    page.get_by_role("button", name="Run again…").click()
    expect(form.locator("#in-n")).to_have_value("9007199254740993")
    form.locator("#in-named").fill("")
    form.get_by_role("button", name="Launch", exact=True).click()
    again = json.loads(detail(server, succeeded(page, after=first))["outputs"]["o0"])
    assert again == {**found, "left": [7, ""]}


def test_a_form_is_sent_as_a_link_and_outlives_a_reload(page: Page, server: Up) -> None:
    registered(server)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    form = form_of(page, server, "acting_programs.chain", "?launch=1&in.x=21")
    expect(form.locator("#in-x")).to_have_value("21")
    form.locator("#in-x").fill("22")
    form.get_by_role("button", name="copy a link").click()
    expect(form.get_by_role("button", name="copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{server.url}{PLACE}/workflow/acting_programs.chain/version/v1?launch=1&in.x=22"
    form.get_by_role("button", name="Cancel").click()
    expect(page).not_to_have_url(re.compile("launch"))
    page.goto(link)
    form.locator("#in-x").fill("23x")
    page.goto(link.partition("?")[0])
    expect(form.locator("#in-x")).to_have_value("23x")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("a whole number")
    form.locator("#in-x").fill("")
    expect(form.locator("#in-x")).to_have_attribute("placeholder", "4")
    form.get_by_text("More").click()
    form.get_by_label("Name of the run").fill("No such name")
    form.get_by_label("Labels").fill("team=birds, stage=trial")
    form.get_by_role("button", name="Launch", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("cannot be the name of an execution")
    form.get_by_label("Name of the run").fill("by-this-name")
    form.get_by_role("button", name="Launch", exact=True).click()
    assert succeeded(page) == "by-this-name"
    found = detail(server, "by-this-name")
    assert (found["outputs"], found["labels"]) == ({"o0": 8}, {"team": "birds", "stage": "trial"})
    # What a launch plan says cannot be said otherwise.
    form = form_of(page, server, "fixed-chain", kind="launch_plan")
    expect(form).to_contain_text("fixed by the launch plan")
    expect(form.locator("#in-x")).to_have_count(0)
    form.get_by_role("button", name="Launch", exact=True).click()
    assert detail(server, succeeded(page))["outputs"] == {"o0": 22}


def test_a_fork_shows_what_it_keeps_and_keeps_it(page: Page, server: Up, tmp_path: Path) -> None:
    registered(server)
    changed = tmp_path / PROGRAMS.name
    changed.write_text(PROGRAMS.read_text().replace("FACTOR = 2", "FACTOR = 3"))
    run = launched(server, "chain", x=5)
    page.goto(f"{server.url}/console/runs/{run}")
    expect(head(page)).to_contain_text("succeeded")
    registered(server, "v2", changed)
    page.get_by_role("button", name="Fork…").click()
    form = page.get_by_role("dialog")
    expect(form.get_by_label("Version")).to_have_value("v2")
    preview = form.get_by_role("region", name="What will run")
    expect(preview.get_by_role("status")).to_have_text(re.compile("1 kept\\s+1 will run"))
    expect(preview.get_by_role("row").filter(has_text="fit")).to_contain_text("FACTOR has changed")
    expect(preview.get_by_role("row").filter(has_text="load")).to_contain_text("kept")
    assert axe(page) == []
    form.locator("#in-x").fill("6")
    expect(preview.get_by_role("status")).to_have_text(re.compile("0 kept\\s+2 will run"))
    expect(preview.get_by_role("row").filter(has_text="load")).to_contain_text("input x has changed")
    form.locator("#in-x").fill("six")
    expect(preview).to_be_visible()
    form.get_by_role("button", name="Fork", exact=True).click()
    expect(form.get_by_role("alert")).to_contain_text("a whole number")
    form.locator("#in-x").fill("5")
    form.get_by_label("Version").select_option("v1")
    expect(preview.get_by_role("status")).to_have_text(re.compile("2 kept\\s+0 will run"))
    form.get_by_label("Version").select_option("v2")
    expect(preview.get_by_role("status")).to_have_text(re.compile("1 kept\\s+1 will run"))
    form.get_by_role("button", name="Fork", exact=True).click()
    forked = succeeded(page, after=run)
    expect(page.get_by_role("treeitem").filter(has_text="load")).to_contain_text("taken over")
    expect(page.get_by_role("treeitem").filter(has_text="fit")).to_contain_text("succeeded")
    assert detail(server, forked)["outputs"] == {"o0": 15}


def test_a_recovery_says_what_it_will_run(page: Page, server: Up, tmp_path: Path) -> None:
    registered(server)
    door = tmp_path / "door"
    run = launched(server, "doors", x=5, door=str(door))
    page.goto(f"{server.url}/console/runs/{run}")
    expect(head(page)).to_contain_text("failed")
    page.get_by_role("button", name="Recover…").click()
    preview = page.get_by_role("region", name="What will run")
    expect(preview.get_by_role("row").filter(has_text="opened")).to_contain_text("the door is shut")
    assert axe(page) == []
    door.touch()
    # However often it is pressed, it is one run.
    page.get_by_role("button", name="Recover the run").dblclick()
    succeeded(page, after=run)
    assert len(server.http.get("/api/v1/runs").json()["runs"]) == 2


@pytest.fixture
def other(browser: Browser) -> Iterator[Page]:
    """Somebody else, at another machine."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(LIMIT)
    page = context.new_page()
    watched = Watched(page)
    yield page
    assert watched.complaints == []
    context.close()


def test_two_people_act_on_one_run(page: Page, other: Page, server: Up, tmp_path: Path) -> None:
    registered(server)
    run = launched(server, "asks", x=2)
    for each in (page, other):
        each.goto(f"{server.url}/console/runs/{run}")
    mine, theirs = (each.get_by_role("group", name="release", exact=True) for each in (page, other))
    expect(theirs).to_contain_text("value=4")
    mine.get_by_role("button", name="Reject…").click()
    mine.get_by_label("Reason").fill("not to")
    expect(mine).to_contain_text("The step fails")
    # My answer is on its way and comes after theirs.
    page.route("**/reject", lambda route: (answered(server, run), route.continue_()))
    mine.get_by_role("button", name="Reject it").click()
    expect(page.locator(".gates")).to_contain_text("Somebody has answered it")
    expect(page.locator(".gates")).to_contain_text("go on")
    expect(other.locator(".gates")).to_contain_text("Somebody has answered it")
    expect(head(page)).to_contain_text("succeeded")
    expect(head(other)).to_contain_text("succeeded")
    # A run that ends while one is about to end it.
    door = tmp_path / "door"
    run = launched(server, "waits", x=2, door=str(door))
    page.goto(f"{server.url}/console/runs/{run}")
    page.get_by_role("button", name="Abort…").click()
    page.get_by_label("Why").fill("too slow")
    door.touch()
    expect(page.get_by_role("dialog")).to_contain_text("Meanwhile it has ended: succeeded")
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_role("dialog")).to_have_count(0)


def answered(server: Up, run: str) -> None:
    said = {"gate": "release", "reason": "go on"}
    assert server.http.post(f"/api/v1/runs/{run}/approve", json=said).status_code == 202


def test_a_gate_takes_a_value_of_its_type(page: Page, server: Up) -> None:
    registered(server)
    run = launched(server, "wants", x=2)
    page.goto(f"{server.url}/console/runs/{run}")
    gate = page.get_by_role("group", name="order", exact=True)
    gate.get_by_role("textbox", name="item").fill("egg")
    gate.get_by_role("textbox", name="count").fill("many")
    gate.get_by_role("button", name="Send").click()
    expect(gate.get_by_role("alert")).to_contain_text("a whole number")
    expect(gate.get_by_role("textbox", name="count")).to_be_focused()
    assert axe(page) == []
    gate.get_by_role("textbox", name="count").fill("21")
    gate.get_by_role("button", name="Send").click()
    expect(head(page)).to_contain_text("succeeded")
    assert detail(server, run)["outputs"] == {"o0": 42}


def person(home: Path, name: str, role: str) -> None:
    command = [SCRIPT, "auth", "user", "create", name, "--role", role, "--home", str(home)]
    subprocess.run(command, input="correct horse battery\n", text=True, check=True, capture_output=True)


def log_in(page: Page, name: str) -> None:
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in and allow").click()


def test_what_one_may_not_is_not_offered_and_says_why(page: Page, home: Path, tmp_path: Path) -> None:
    with up(home) as server:
        registered(server)
        run = launched(server, "doors", x=5, door=str(tmp_path / "door"))
        wait_until(lambda: detail(server, run)["phase"] == "FAILED")
    person(home, "vi", "viewer")
    with up(home, "--auth", "builtin") as server:
        page.goto(f"{server.url}/console/runs/{run}")
        log_in(page, "vi")
        expect(head(page)).to_contain_text("failed")
        for name in ("Recover…", "Run again…", "Fork…"):
            expect(page.get_by_role("button", name=name)).to_be_disabled()
            expect(page.get_by_role("button", name=name)).to_have_attribute(
                "title", re.compile("vi may not launch runs")
            )
        assert axe(page) == []


def test_a_login_that_ends_keeps_what_is_shown_and_typed(page: Page, home: Path) -> None:
    with up(home) as server:
        registered(server)
        run = launched(server, "chain", x=5)
        wait_until(lambda: detail(server, run)["phase"] == "SUCCEEDED")
    person(home, "rue", "runner")
    with up(home, "--auth", "builtin") as server:
        page.goto(f"{server.url}/console/runs/{run}?view=graph")
        log_in(page, "rue")
        page.get_by_role("button", name="Run again…").click()
        form = page.get_by_role("dialog")
        form.locator("#in-x").fill("17")
        # Another password ends every login, as soon as the server looks again.
        token = json.loads(page.evaluate("sessionStorage.getItem('whimbrel.login')"))["access"]
        command = [SCRIPT, "auth", "user", "password", "rue", "--home", str(home)]
        subprocess.run(command, input="correct horse battery\n", text=True, check=True, capture_output=True)
        bearer = {"authorization": f"Bearer {token}"}
        wait_until(lambda: server.http.get("/api/v1/me", headers=bearer).status_code == 401)
        form.get_by_role("button", name="Launch", exact=True).click()
        ended = page.get_by_role("dialog", name="Your login has ended")
        expect(ended).to_be_visible()
        assert axe(page) == []
        # What is shown stays.
        expect(page.get_by_role("group", name="Graph", include_hidden=True)).to_contain_text("fit")
        ended.get_by_role("button", name="Log in").click()
        page.get_by_label("Name").fill("rue")
        page.get_by_label("Password").fill("correct horse battery")
        page.get_by_role("button", name="Log in and allow").click()
        expect(page).to_have_url(f"{server.url}/console/runs/{run}?view=graph")
        expect(form.locator("#in-x")).to_have_value("17")
        form.get_by_role("button", name="Launch", exact=True).click()
        succeeded(page, after=run)
        expect(page.get_by_role("complementary")).to_contain_text("34")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with providing() as address:
        yield address


def test_people_log_in_at_another_issuer(page: Page, home: Path, issuer: str) -> None:
    options = ["--auth", "oidc", "--oidc-issuer", issuer, "--oidc-audience", "urn:whimbrel"]
    options += ["--oidc-client", "whimbrel-people", "--oidc-role", "groups=everybody:viewer"]
    options += [part for scope in ("openid", "offline_access", "all") for part in ("--oidc-scope", scope)]
    with up(home, *options) as server:
        answer = server.http.get("/console")
        policy = answer.headers["content-security-policy"]
        assert re.findall("connect-src ([^;]*)", policy) == [f"'self' {issuer}"]
        # Its own page wants fonts of the web, which are nowhere here.
        page.route(re.compile("^https:"), lambda route: route.fulfill(body=""))
        page.goto(f"{server.url}/console?text=nothing")
        expect(page.get_by_role("heading", name="Who is looking?")).to_be_visible()
        page.get_by_role("button", name="Log in").click()
        page.locator("[name=login]").fill("ada")
        page.locator("[name=password]").fill("any")
        page.get_by_role("button", name="Sign-in").click()
        page.get_by_role("button", name="Continue").click()
        expect(page).to_have_url(f"{server.url}/console?text=nothing")
        expect(page.get_by_role("button", name="Log out")).to_be_visible()
        kept = json.loads(page.evaluate("sessionStorage.getItem('whimbrel.login')"))
        assert kept["refresh"]
        # A token that is no good any more is exchanged there, silently.
        page.evaluate(
            "sessionStorage.setItem('whimbrel.login', JSON.stringify({...JSON.parse(sessionStorage.getItem("
            "'whimbrel.login')), access: 'a.b.c'}))"
        )
        page.reload()
        expect(page.get_by_role("heading", name="No run is like that")).to_be_visible()
        page.wait_for_function("!sessionStorage.getItem('whimbrel.login').includes('a.b.c')")
        page.get_by_role("button", name="Log out").click()
        expect(page.get_by_role("heading", name="Who is looking?")).to_be_visible()
