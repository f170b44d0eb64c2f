"""A browser, and pages that must not complain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.console.watching import LIMIT, Watched
from tests.e2e.server.upping import Up, up


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. No longer than the module: while it is there, this thread has an event loop that runs, and
    tests of other modules have loops of their own."""
    expect.set_options(timeout=LIMIT)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        )
        yield browser
        browser.close()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Where the runs of a test are kept."""
    return tmp_path / "home"


@pytest.fixture
def server(home: Path) -> Iterator[Up]:
    """`whimbrel up` over the home of the test."""
    with up(home) as server:
        yield server


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a browser that knows nothing yet. At the end of the test: nothing was refused by the policy, no script
    has failed, and what is hostile in names and values was shown and not done."""
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    context.set_default_timeout(LIMIT)
    page = context.new_page()
    watched = Watched(page)
    yield page
    assert watched.complaints == []
    assert "taken" not in page.title()
    context.close()
