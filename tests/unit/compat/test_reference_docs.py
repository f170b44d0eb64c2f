"""docs/reference is what the code says; every test that it names exists."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from scripts.hurts import HURTS
from scripts.reference_docs import HERE, PAGES, ROOT


@pytest.mark.parametrize(("name", "make"), PAGES.items())
def test_the_pages_are_current(name: str, make: Callable[[], str]) -> None:
    assert (HERE / name).read_text(encoding="utf-8") == make(), "run `make docs`"


@pytest.mark.parametrize("test", [hurt.test for hurt in HURTS])
def test_the_tests_of_hurts_exist(test: str) -> None:
    file, _, function = test.partition("::")
    tree = ast.parse(Path(ROOT / file).read_text(encoding="utf-8"))
    assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
