"""What a node and a run are about, in a browser: values as what they are, downloads, failures, large outputs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.sync_api import Download, Locator, Page, Response, expect

from tests.e2e.console.values_programs import HOSTILE, ROWS, SIDE, SVG, png
from tests.e2e.console.watching import axe, launch, register
from tests.e2e.server.upping import Up, up

PROGRAM = Path(__file__).with_name("values_programs.py")
LARGE = 50_000_000
PANEL = 400_000
"""Bytes that a panel may cost, whatever its node has made."""


class Shop(NamedTuple):
    """A server with runs of registered code, by what they are called here."""

    server: Up
    runs: dict[str, str]

    def node(self, page: Page, run: str, node: str) -> Locator:
        """The panel of a node."""
        page.goto(f"{self.server.url}/console/runs/{self.runs[run]}?node={node}")
        panel = page.get_by_role("complementary", name="Node")
        expect(panel.get_by_role("heading", name="Tries")).to_be_visible()
        return panel


RUNS: dict[str, list[str]] = {
    "shown": ["shown"],
    "broken": ["broken"],
    "unsteady": ["unsteady"],
    "together": ["together"],
    "first": ["again", "--x", "5"],
    "same": ["again", "--x", "5"],
    "other": ["again", "--x", "6"],
    "wide": ["wide_output", "--bytes", str(LARGE)],
    "long": ["long_output", "--length", "5000000"],
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    home = tmp_path_factory.mktemp("shop") / "home"
    runs: dict[str, str] = {}
    with up(home) as server:
        register(server, PROGRAM)
        for name, said in RUNS.items():
            runs[name] = launched(server, *said)
        yield Shop(server, runs)


def launched(server: Up, workflow: str, *inputs: str) -> str:
    """The id of a run, which has ended."""
    given = {name.removeprefix("--"): int(value) for name, value in zip(inputs[::2], inputs[1::2], strict=True)}
    run = launch(server, f"values_programs.{workflow}", version="v1", inputs=given)
    with server.http.stream("GET", f"/api/v1/runs/{run}/events", params={"form": "end"}) as stream:
        assert any(line.startswith("event: end") for line in stream.iter_lines())
    return run


def output(panel: Locator, name: str) -> Locator:
    """An output by its name."""
    outputs = panel.locator("section").filter(has=panel.page.get_by_role("heading", name="Outputs"))
    return outputs.locator("> ul > li").filter(has=panel.page.locator(f".name code:text-is('{name}')"))


def saved(download: Download) -> bytes:
    return Path(download.path()).read_bytes()


def fetched(page: Page, link: Locator) -> tuple[str, bytes]:
    """What a link downloads: its name and bytes."""
    with page.expect_download() as coming:
        link.click()
    return coming.value.suggested_filename, saved(coming.value)


def test_simple_values_are_what_they_are(page: Page, shop: Shop) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = shop.node(page, "shown", "n0")
    whole = output(panel, "o0")
    expect(whole).to_contain_text("1\u202f152\u202f921\u202f504\u202f606\u202f846\u202f977")
    whole.get_by_role("button", name=re.compile("^(copy|copied:) o0")).click()
    expect(whole.get_by_role("button", name=re.compile("^(copy|copied:) o0"))).to_have_text("copied")
    assert page.evaluate("navigator.clipboard.readText()") == str(2**60 + 1)
    real = output(panel, "o1").locator(".figure")
    expect(real).to_have_text("0.3")
    expect(real).to_have_attribute("title", "0.30000000000000004")
    expect(output(panel, "o2")).to_contain_text("True")
    expect(output(panel, "o3").locator(".text")).to_have_text(f"two\nlines {HOSTILE}", use_inner_text=True)
    expect(output(panel, "o4")).to_contain_text("None")

    page.keyboard.press("]")
    expect(page).to_have_url(re.compile("node=n1"))
    expect(panel.get_by_role("heading", name="moments")).to_be_visible()
    expect(output(panel, "o0").locator("code").last).to_have_text("2026-01-31T12:00:00.000250+00:00")
    expect(output(panel, "o1").locator("time")).to_have_text("2026-02-01")
    expect(output(panel, "o2")).to_contain_text("24 h 2 min")
    expect(output(panel, "o2")).to_contain_text("P1DT123S")
    expect(output(panel, "o3").locator(".tag")).to_have_text("blue")
    expect(output(panel, "o4")).to_contain_text("8 bytes")
    expect(output(panel, "o4").locator(".hex")).to_contain_text("00 01 62")
    assert axe(page) == []


def test_lists_and_structs_are_trees_that_go_on(page: Page, shop: Shop) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    panel = shop.node(page, "shown", "n2")
    numbers = output(panel, "o0")
    expect(numbers.get_by_role("img", name="a line through 200 numbers")).to_be_visible()
    for last in ("399", "499"):
        numbers.get_by_role("button", name="Next").click()
        expect(numbers.locator(".line .figure").last).to_have_text(last)
    expect(numbers.get_by_role("button", name="Next")).to_have_count(0)
    _, whole = fetched(page, numbers.get_by_role("link", name="Download o0"))
    assert json.loads(whole) == list(range(500))
    points = output(panel, "o1")
    expect(points.locator("> .value > details > ul > li").first.locator("> .key")).to_have_text(HOSTILE)
    expect(points).to_contain_text("Point")
    name = points.locator("li li").filter(has_text="first").first
    name.hover()
    name.get_by_role("button", name="path to").click()
    expect(name.get_by_text("copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == f'o1[{json.dumps(HOSTILE)}]["name"]'
    expect(output(panel, "o2")).to_contain_text("a union")
    rows = output(panel, "o3").get_by_role("table")
    expect(rows.get_by_role("columnheader").last).to_have_text("at")
    expect(rows.get_by_role("row")).to_have_count(4)
    assert axe(page) == []


def test_a_table_has_its_first_rows(page: Page, shop: Shop) -> None:
    panel = shop.node(page, "shown", "n3")
    table = panel.get_by_role("table")
    expect(table.get_by_role("row")).to_have_count(51)
    expect(table.get_by_role("columnheader").nth(1)).to_contain_text(HOSTILE)
    expect(table.get_by_role("columnheader").first).to_contain_text("int64")
    expect(table.get_by_role("row").nth(3).get_by_role("cell").nth(1)).to_have_text(f"{HOSTILE}2")
    expect(panel).to_contain_text(f"the first 50 of {ROWS} rows, 3 columns")
    name, data = fetched(page, panel.get_by_role("link", name="Download"))
    assert (name, data[:4]) == ("data.parquet", b"PAR1")
    assert axe(page) == []


def test_files_are_pictures_and_text_and_downloads(page: Page, shop: Shop) -> None:
    panel = shop.node(page, "shown", "n4")
    for place, wanted in (("o0", png(SIDE)), ("o1", SVG.encode())):
        picture = output(panel, place).get_by_role("img")
        picture.scroll_into_view_if_needed()
        page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=picture.element_handle())
        assert picture.evaluate("image => [image.naturalWidth, image.naturalHeight]") == [SIDE, SIDE]
        _, data = fetched(page, output(panel, place).get_by_role("link", name="Download", exact=True))
        assert data == wanted
    expect(output(panel, "o2").locator("pre")).to_contain_text(f"first line\n{HOSTILE}")
    expect(output(panel, "o3").locator("pre")).to_contain_text("<script>document.title='taken'</script>")
    # By itself it is a download, and no page.
    name, data = fetched(page, output(panel, "o3").get_by_role("link", name="Download"))
    assert name == "page.html"
    assert data.startswith(b"<script>")
    assert axe(page) == []


def test_a_directory_lists_its_files(page: Page, shop: Shop) -> None:
    panel = shop.node(page, "shown", "n5")
    expect(panel.get_by_role("button", name=HOSTILE)).to_be_visible()
    panel.get_by_role("button", name="inner/1.txt").click()
    expect(panel.locator("pre")).to_have_text("entry 1")
    _, data = fetched(page, panel.get_by_role("link", name="Download inner/2.txt"))
    assert data == b"entry 2"
    expect(panel).to_contain_text("4 files")
    assert axe(page) == []


def test_how_a_node_is_run_and_why_it_ran(page: Page, shop: Shop) -> None:
    panel = shop.node(page, "first", "n0")
    for said in ("500m", "200Mi", "5 min a try", "MODE", "shop/token"):
        expect(panel).to_contain_text(said)
    expect(panel).not_to_contain_text("careful")
    expect(panel.get_by_role("link", name="values_programs.costly")).to_have_attribute(
        "href", re.compile("/version/v1$")
    )
    panel = shop.node(page, "other", "n0")
    expect(panel).to_contain_text("It ran: never run with these inputs: x differs from the nearest that is cached")
    expect(panel.get_by_role("link", name="n0")).to_have_count(1)
    panel = shop.node(page, "same", "n0")
    expect(panel).to_contain_text("Its outputs came from the cache (version 7). They were computed by")
    panel.get_by_role("link", name=f"{shop.runs['first']}/n0").click()
    expect(page).to_have_url(re.compile(f"{shop.runs['first']}.node=n0"))


def test_a_failure_has_the_authors_lines_first(page: Page, shop: Shop) -> None:
    panel = shop.node(page, "broken", "n0")
    error = panel.get_by_role("group", name="Error")
    expect(error.get_by_text("RuntimeError", exact=True).first).to_be_visible()
    expect(error).to_contain_text(f"could not find it {HOSTILE}")
    lines = PROGRAM.read_text().split("\n")
    here = error.locator(".row.here").first
    number = int(here.locator("i").inner_text())
    assert lines[number - 1].strip().startswith("raise RuntimeError")
    expect(here).to_contain_text(lines[number - 1].strip())
    expect(error.locator("pre").first).to_contain_text('return values["missing"]')
    cause = error.get_by_role("group", name="What it came from")
    expect(cause).to_contain_text("KeyError")
    expect(cause.locator(".row.here")).to_contain_text('return values["missing"]')
    whole = error.get_by_label("Traceback").first
    expect(whole).to_be_hidden()
    error.get_by_text("The whole traceback").first.click()
    expect(whole).to_contain_text("Traceback (most recent call last)")
    assert axe(page) == []
    error.get_by_role("link", name=f"values_programs.py:{number}").click()
    expect(page.locator(".line.here")).to_contain_text("raise RuntimeError")


def test_earlier_tries_notes_and_groups_are_told(page: Page, shop: Shop) -> None:
    panel = shop.node(page, "unsteady", "n0")
    error = panel.get_by_role("group", name="Error")
    expect(error).to_contain_text("the text was 'no json'")
    expect(error.locator(".row.here").first).to_contain_text("json.loads(text)")
    expect(error).to_contain_text("raised in json/decoder.py")
    expect(panel.locator(".attempt")).to_have_count(2)
    earlier = panel.locator("details.earlier")
    expect(earlier).to_have_count(1)
    expect(earlier.get_by_role("group", name="Error")).to_be_hidden()
    earlier.locator("> summary").click()
    expect(earlier.get_by_role("group", name="Error")).to_contain_text("JSONDecodeError")
    panel = shop.node(page, "together", "n0")
    error = panel.get_by_role("group", name="Error")
    expect(error.locator(".row.here").first).to_contain_text('raise ExceptionGroup("two at once"')
    expect(error).to_contain_text("2 failures in it")
    inner = error.get_by_role("group", name="What it came from")
    expect(inner).to_have_count(2)
    expect(inner.first).to_contain_text("ValueError")
    expect(inner.last).to_contain_text("KeyError")
    assert axe(page) == []


@pytest.mark.parametrize("run", ["wide", "long"])
def test_fifty_megabytes_open_at_once(page: Page, shop: Shop, run: str) -> None:
    sizes: dict[str, int] = {}

    def heard(response: Response) -> None:
        if "/about" in response.url:
            sizes[response.url] = int(response.headers["content-length"])

    page.on("response", heard)
    panel = shop.node(page, run, "n0")
    value = output(panel, "o0")
    if run == "wide":
        expect(value).to_contain_text("the beginning of 50 MB")
        value.get_by_role("button", name="More").click()
        value.get_by_role("button", name="Read on").click()
        expect(value.get_by_role("button", name="Read on")).to_be_enabled()
        page.wait_for_function("text => text.textContent.length > 60000", arg=value.locator(".text").element_handle())
        name, data = fetched(page, value.get_by_role("link", name="Download o0"))
        assert (name, len(data), data[:10]) == ("o0.txt", LARGE, b"0123456789")
    else:
        expect(value).to_contain_text("200 of 5\u202f000\u202f000 items")
    panel.get_by_role("button", name="Close").click()
    expect(page.get_by_role("complementary", name="Run")).to_contain_text("o0")
    assert sizes
    assert max(sizes.values()) < PANEL


def test_a_gate_says_who_has_answered(page: Page, shop: Shop, tmp_path: Path) -> None:
    server = shop.server
    place = {"project": "flytesnacks", "domain": "development", "kind": "workflow", "version": "v1"}
    body = {**place, "name": "values_programs.agreed", "inputs": {"x": 3}}
    run = server.http.post("/api/v1/runs", json=body).json()["run"]
    page.goto(f"{server.url}/console/runs/{run}?node=n0")
    panel = page.get_by_role("complementary", name="Node")
    expect(panel).to_contain_text("waits for an approval")
    said = {"gate": "release", "by": f"ada {HOSTILE}"}
    assert server.http.post(f"/api/v1/runs/{run}/approve", json=said).status_code == 202
    expect(panel).to_contain_text(f"Answered by ada {HOSTILE}")


def test_what_is_looked_at_stays_when_another_node_is_picked(page: Page, shop: Shop) -> None:
    panel = shop.node(page, "shown", "n0")
    panel.get_by_role("tab", name="Logs").click()
    expect(page).to_have_url(re.compile("tab=logs"))
    page.keyboard.press("]")
    expect(page).to_have_url(re.compile("node=n1"))
    expect(panel.get_by_role("tab", name="Logs")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("[")
    expect(page).to_have_url(re.compile("node=n0"))
    page.reload()
    expect(panel.get_by_role("tab", name="Logs")).to_have_attribute("aria-selected", "true")


def test_on_a_phone_nothing_is_wider_than_the_page(page: Page, shop: Shop) -> None:
    page.set_viewport_size({"width": 390, "height": 780})
    for run, node in (("broken", "n0"), ("shown", "n3"), ("shown", "n2"), ("shown", "n4")):
        panel = shop.node(page, run, node)
        if node == "n3":
            expect(panel.get_by_role("table")).to_be_visible()
        wide: Any = page.evaluate("[document.documentElement.scrollWidth, document.querySelector('aside').scrollWidth]")
        assert max(wide) <= 390, (run, node, wide)
