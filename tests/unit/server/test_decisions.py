"""What was decided around an eager body, as it is told."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.server import tree_programs as programs
from whimbrel.engine.run import Run
from whimbrel.server.decisions import decisions
from whimbrel.server.trees import Tree
from whimbrel.testing.engine import TestEngine


def tree_of(engine: TestEngine) -> Tree:
    tree = Tree(engine.run_id, engine.store)
    asyncio.run(tree.look())
    return tree


@pytest.fixture(scope="module")
def tree() -> Tree:
    engine = TestEngine(seed=3)
    engine.run(programs.decides, x=1)
    return tree_of(engine)


def told(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["key"], row["outcome"]) for row in rows]


def test_everything_is_told_in_the_order_in_which_it_was_learnt(tree: Tree) -> None:
    page = decisions(tree.run.nodes["n0"], 0, 100)
    rows = page["decisions"]
    assert [row["seq"] for row in rows] == sorted(row["seq"] for row in rows)
    said = told(rows)
    assert said[:4] == [("1", "succeeded"), ("t1", "fired"), ("v1", "drawn"), ("2", "failed")]
    assert ("chain.1:1", "cancelled") in said
    assert said[-1] == ("t2", "fired")
    assert (page["next"], page["waiting"]) == (None, [])
    by_key = {(row["body"], row["key"]): row for row in rows}
    assert by_key["n0", "2"]["value"] == "ValueError: no 1"
    assert by_key["n0", "2"]["path"] == "n0/2"
    assert 0 <= float(by_key["n0", "v1"]["value"]) < 1
    assert by_key["n0", "t1"]["due"] <= by_key["n0", "t1"]["at"]


def test_a_body_inside_is_told_of_by_itself(tree: Tree) -> None:
    rows = decisions(tree.run.nodes["n0"], 0, 100)["decisions"]
    inner = next(row for row in rows if row["entity"].endswith("scalars"))
    assert told(decisions(tree.run.nodes[inner["path"]], 0, 100)["decisions"]) == [
        ("1", "succeeded"),
        ("2", "succeeded"),
    ]
    assert decisions(tree.run.nodes["n0/1"], 0, 100) == {"decisions": [], "next": None, "waiting": []}


def test_pages_follow_each_other(tree: Tree) -> None:
    node = tree.run.nodes["n0"]
    whole = decisions(node, 0, 100)["decisions"]
    found: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = decisions(node, after, 2)
        assert len(page["decisions"]) <= 2
        found += page["decisions"]
        after = page["next"]
    assert found == whole


def test_what_it_waits_for_is_told_with_when() -> None:
    engine = TestEngine(seed=3)
    engine.run(programs.decides, x=1)
    short = engine.events[: next(at for at, event in enumerate(engine.events) if type(event).__name__ == "FireTimer")]
    node = Run.replay(short).nodes["n0"]
    waiting = decisions(node, 0, 100)["waiting"]
    assert [(row["kind"], row["key"], row["outcome"]) for row in waiting] == [("timer", "t1", "")]
    assert waiting[0]["due"] > waiting[0]["at"]
