"""The guide to workflows: its code runs as it stands."""

import re
from pathlib import Path

import pytest

from tests.unit.authoring.user_modules import user_module

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "workflows.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)


def test_the_guide_has_code() -> None:
    assert len(BLOCKS) > 4


@pytest.mark.parametrize("index", range(len(BLOCKS)))
def test_its_code_runs(index: int, tmp_path: Path) -> None:
    with user_module(tmp_path, BLOCKS[index], f"guide_workflows_{index}"):
        pass
