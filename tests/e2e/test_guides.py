"""The code of every guide and of the README runs as it stands, in the order of the page, in a directory of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.e2e.pages import ROOT, blocks, run, run_all

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page.read_text())], ids=name_of)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    run_all(tmp_path, page.read_text(), page.name)


def test_the_pages_that_have_code() -> None:
    have = {name_of(page): len(blocks(page.read_text())) for page in PAGES}
    assert have["docs/guide/eager.md"] >= 8
    assert have["docs/guide/workflows.md"] >= 5
    assert have["docs/guide/types.md"] >= 3
    assert have["README.md"] >= 1


def test_the_index_names_every_page() -> None:
    index = (ROOT / "docs" / "guide" / "README.md").read_text()
    for page in (ROOT / "docs" / "guide").glob("*.md"):
        assert page.name == "README.md" or f"({page.name})" in index


@pytest.mark.parametrize(
    ("language", "text"), [("python", "assert 1 == 2"), ("sh", "false\ntrue"), ("sh", "false | true")]
)
def test_wrong_code_is_noticed(language: str, text: str, tmp_path: Path) -> None:
    assert run(tmp_path, language, text).returncode != 0


def test_links_of_the_guide_lead_somewhere() -> None:
    for page in PAGES[1:]:
        for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
