"""What examples/README.md says of each example, section by section, in a directory with a copy of the examples."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.e2e.pages import ROOT, blocks, run_all

EXAMPLES = ROOT / "examples"
TEXT = (EXAMPLES / "README.md").read_text()
SECTIONS = {part.partition("\n")[0]: part for part in TEXT.split("\n## ")[1:]}


@pytest.mark.parametrize("title", SECTIONS)
def test_an_example_does_what_its_section_says(title: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLES, tmp_path / "examples", ignore=shutil.ignore_patterns("__pycache__", ".whimbrel"))
    assert blocks(SECTIONS[title]), "a section without code shows nothing"
    run_all(tmp_path, SECTIONS[title], title)


def test_every_data_program_has_a_section() -> None:
    for program in (EXAMPLES / "data").glob("*.py"):
        assert f"(data/{program.name})" in TEXT, program.name
    for target in re.findall(r"\]\(([^)#:\s]+)\)", TEXT):
        assert (EXAMPLES / target).exists(), target
