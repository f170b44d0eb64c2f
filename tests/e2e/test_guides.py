"""The code of every guide and of the README runs as it stands, in the order of the page.

A ``python`` block is run as a script; one that imports nothing goes on where the one before it ended, and one that
begins with ``# name.py`` is kept under that name for what follows. An ``sh`` block is run by bash, which stops at
the first command that fails. Each page has a directory of its own. Blocks that only show something have another
info string (``console``, ``text``).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"^(import|from) ", re.MULTILINE)
LIMIT = 60.0


def blocks(page: Path) -> list[tuple[int, str, str]]:
    """Line, language and text of the blocks that run."""
    text = page.read_text()
    return [(text.count("\n", 0, match.start()) + 1, match[1], match[2]) for match in BLOCK.finditer(text)]


def run(folder: Path, language: str, text: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    if language == "sh":
        command = ["bash", "-euo", "pipefail", "-c", text]
    else:
        named = re.match(r"# (\w+\.py)\n", text)
        script = folder / (named[1] if named else "block.py")
        script.write_text(text)
        command = [sys.executable, "-W", "error", str(script)]
    return subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT
    )


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)], ids=name_of)
def test_the_code_of_a_page_runs(page: Path, tmp_path: Path) -> None:
    before = ""
    for line, language, text in blocks(page):
        if language == "python":
            text = before = text if IMPORT.search(text) else before + text
        done = run(tmp_path, language, text)
        assert done.returncode == 0, f"{page.name}:{line}\n{done.stdout}{done.stderr}"


def test_the_pages_that_have_code() -> None:
    have = {name_of(page): len(blocks(page)) for page in PAGES}
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
