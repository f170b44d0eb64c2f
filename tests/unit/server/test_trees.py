"""The rows of a tree: what pages draw of a run."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.unit.server import tree_programs as programs
from whimbrel.server.trees import Tree
from whimbrel.testing.engine import TestEngine

Rows = dict[str, dict[str, Any]]


def rows_of(engine: TestEngine) -> Rows:
    """The rows by path; whoever watched all the time sees the same."""
    whole = asyncio.run(Tree(engine.run_id, engine.store).look())[1]
    assert asyncio.run(watched(engine)) == {row["path"]: row for row in whole}
    return {row["path"]: row for row in whole}


class Slow:
    """A store whose events come one at a time."""

    def __init__(self, engine: TestEngine) -> None:
        self._inner = engine.store

    async def events(self, run: str, after: int = 0) -> list[Any]:
        return (await self._inner.events(run, after=after))[:1]


async def watched(engine: TestEngine) -> Rows:
    slow: Any = Slow(engine)
    tree = Tree(engine.run_id, slow)
    seen: Rows = {}
    after = -1
    while after != tree.seq:
        after = tree.seq
        _, changed = await tree.look(after)
        seen.update({row["path"]: row for row in changed})
    return seen


def ran(entity: Any, **inputs: Any) -> Rows:
    engine = TestEngine(seed=1)
    engine.run(entity, **inputs)
    return rows_of(engine)


@pytest.mark.parametrize(
    ("entity", "inputs", "edges"),
    [
        (programs.pipeline, {"n": 40}, {"n0/2": ["n0/1"], "n0/3": ["n0/1", "n0/2"]}),
        (programs.pipeline, {"n": 2}, {}),
        (programs.scalars, {"n": 1}, {}),
        (programs.gathered, {"n": 40}, {"n0/4": ["n0/1", "n0/2", "n0/3"]}),
        (programs.the_same_twice, {"n": 40}, {}),
        (programs.passed_around, {"xs": list(range(1000, 1100))}, {}),
        (programs.handed_back, {"n": 40}, {}),
        # Beyond what is kept inline: a large value by its digest.
        (programs.pipeline, {"n": 60_000}, {"n0/2": ["n0/1"], "n0/3": ["n0/1", "n0/2"]}),
    ],
    ids=["taken", "small", "scalars", "inside-a-list", "given-twice", "of-the-inputs", "known-before", "large"],
)
def test_edges_of_a_body_are_what_its_values_prove(
    entity: Any, inputs: dict[str, Any], edges: dict[str, list[str]]
) -> None:
    rows = ran(entity, **inputs)
    assert {path: row["data"] for path, row in rows.items() if row["data"]} == edges


def test_a_body_s_large_inputs_are_followed_into_its_calls() -> None:
    rows = ran(programs.passed_around, xs=list(range(1000, 1100)))
    assert {path: row["takes"] for path, row in rows.items()} == {
        "n0": {"xs": ["xs"]},
        "n0/1": {"xs": ["xs"]},
        "n0/2": {"xs": ["xs"]},
    }


def test_calls_of_one_task_are_told_apart() -> None:
    rows = ran(programs.gathered, n=3)
    assert [rows[f"n0/{at}"]["hint"] for at in (1, 2, 3, 4)] == ["n=3", "n=4", "n=5", ""]


def test_a_graph_says_where_its_inputs_go() -> None:
    rows = ran(programs.outer, x=5, y=1)
    taken = {row["path"]: row["takes"] for row in rows.values()}
    assert taken["n0"] == {"x": [], "y": []}, "the branch looks at it, and gives it on to its arms"
    assert taken["n1"] == {"x": ["a"]}
    assert taken["n1/n0"] == {"b": ["x"]}
    assert rows["n1"]["data"] == ["n0"]


def groups(rows: Rows) -> dict[str, list[str]]:
    """The hints of the calls in each group."""
    found: dict[str, list[str]] = {}
    for row in rows.values():
        found.setdefault(row["group"], []).append(row["hint"])
    return {group: sorted(hints) for group, hints in found.items()}


@pytest.mark.parametrize("always_replay", [False, True])
def test_calls_stand_in_the_tasks_that_made_them(always_replay: bool) -> None:
    engine = TestEngine(seed=1, always_replay=always_replay)
    engine.run(programs.nested, x=1)
    assert groups(rows_of(engine)) == {
        "": ["x=1", "x=12"],
        "TaskGroup#1/chain.1": ["x=6"],
        "TaskGroup#1/chain.1/gather#1": ["x=1", "x=2"],
        "TaskGroup#1": ["x=200"],
        "TaskGroup#2": ["x=100"],
        "chain.2": ["x=46"],
        "chain.2/gather#1": ["x=11", "x=12"],
        "gather#1": ["x=0", "x=1"],
        "gather#2/chain.3": ["x=86"],
        "gather#2/chain.3/gather#1": ["x=21", "x=22"],
        "as_completed#1": ["x=300"],
    }


def test_a_task_that_another_puts_into_a_group_stands_where_that_one_does() -> None:
    rows = ran(programs.shared_group)
    assert groups(rows) == {"": [""], "TaskGroup#1/joins.1": ["x=7", "x=8"]}


def test_a_body_inside_a_body_begins_its_groups_anew() -> None:
    rows = ran(programs.within, x=1)
    assert {row["group"] for row in rows.values() if row["parent"] == "n0"} == {"gather#1"}
    assert {row["group"] for row in rows.values() if row["parent"] == "n0/1"} >= {"", "gather#1", "TaskGroup#1"}
