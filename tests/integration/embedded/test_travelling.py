"""What goes with a call: context variables, options, and values drawn by the body."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType

import pytest

from whimbrel.runtime.loading import load_module, locate
from whimbrel.stores.home import open_home

from .test_across_processes import execute, value_of


@pytest.fixture(scope="module")
def programs() -> ModuleType:
    where = locate(Path(__file__).with_name("travelling_programs.py"))
    return load_module(where.module, where.root)


def test_declared_variables_reach_tasks_workflows_and_nested_bodies(programs: ModuleType, tmp_path: Path) -> None:
    with open_home(tmp_path, exclusive=True) as home:
        result = asyncio.run(execute(home, programs.carries, {}))
        before, *during, after = value_of(home, programs.carries, result)
    assert before == "nobody {} unset True"
    assert during == ["acme {'cpu': 2} unset True"] * 3
    assert after == "nobody {'cpu': 2} unset True"


def test_options_hold_for_every_call_in_the_block(programs: ModuleType, tmp_path: Path) -> None:
    with open_home(tmp_path / "home", exclusive=True) as home:
        result = asyncio.run(execute(home, programs.retries_apply, {"folder": str(tmp_path)}))
        assert value_of(home, programs.retries_apply, result) == [3, 3, 2, 0, 4]
    assert {name: len((tmp_path / name).read_text()) for name in "abcde"} == {"a": 3, "b": 3, "c": 2, "d": 1, "e": 4}


def test_a_new_driver_draws_the_same_values(programs: ModuleType, tmp_path: Path) -> None:
    with open_home(tmp_path / "home", exclusive=True) as home:
        result = asyncio.run(execute(home, programs.draws, {"folder": str(tmp_path)}))
        *drawn, steps = value_of(home, programs.draws, result)
    assert drawn == (tmp_path / "first").read_text().split("\n")
    assert steps == "1"
    assert (tmp_path / "steps").read_text() == "x"
