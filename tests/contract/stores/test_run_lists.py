"""RunStore: lists by filter, page by page, and executions as Flyte's clients list them."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.contract.stores.conftest import AnyStore
from tests.unit.stores.samples import summary
from whimbrel.errors import EntityNotFound
from whimbrel.model.registered import EntityKind, EntityQuery, Filter, Operator
from whimbrel.model.run import Phase, RunOrigin, RunPages, RunQuery, RunSummary
from whimbrel.stores.sql import run_lists
from whimbrel.stores.sql.store import SqlStore

numbers = itertools.count()

PHASES = (Phase.RUNNING, Phase.FAILED, Phase.SUCCEEDED)
LABELS: tuple[dict[str, str], ...] = ({}, {"team": "ml"}, {"team": "web", "nightly": ""}, {"100%": "'; --"})
ENTITIES = ("flow.wf", "a.flow.wf", "wf", "other", "xflow.wf")


@st.composite
def rows(draw: st.DrawFn) -> RunSummary:
    project = draw(st.sampled_from(["", "p", "q"]))
    origin = RunOrigin(project, draw(st.sampled_from(["dev", "prod"])) if project else "")
    if project:
        origin = msgspec.structs.replace(origin, name=f"e{next(numbers)}", labels=draw(st.sampled_from(LABELS)))
    row = summary(
        f"r{next(numbers)}",
        entity=draw(st.sampled_from(ENTITIES)),
        at=float(draw(st.integers(0, 4))),
        phase=draw(st.sampled_from(PHASES)),
    )
    waiting = draw(st.sampled_from([0, 0, 1, 3]))
    source = draw(st.sampled_from(["", "Straße_%.py", "x"]))
    return msgspec.structs.replace(row, source=source, origin=origin, waiting=waiting)


queries = st.builds(
    RunQuery,
    phases=st.lists(st.sampled_from([*PHASES, Phase.ABORTED, Phase.PAUSED]), max_size=3).map(tuple),
    project=st.sampled_from(["", "p", "none"]),
    domain=st.sampled_from(["", "dev"]),
    entity=st.sampled_from(["", "wf", "flow.wf", "other", "%"]),
    text=st.sampled_from(["", "STRASSE", "_%", "e1", "\n"]),
    since=st.sampled_from([0.0, 2.0]),
    until=st.sampled_from([0.0, 3.0]),
    labels=st.lists(
        st.sampled_from([("team", "ml"), ("team", None), ("team", "web"), ("nightly", ""), ("100%", "'; --")]),
        max_size=2,
    ).map(tuple),
    limit=st.integers(1, 4),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(added=st.lists(rows(), max_size=12), query=queries)
def test_pages_have_what_is_wanted_and_nothing_else_each_once(
    store: AnyStore, monkeypatch: pytest.MonkeyPatch, added: list[RunSummary], query: RunQuery
) -> None:
    # So few that pages end early: what is rare is found all the same.
    monkeypatch.setattr(run_lists, "_FIRST_LOOK", 2)
    monkeypatch.setattr(run_lists, "LOOKED_AT", 5)

    async def main() -> None:
        for row in added:
            await store.create(row, [])
        whole = [row for row in await store.summaries(limit=100_000) if query.takes(row)]
        paged: list[RunSummary] = []
        page = await store.find_runs(query)
        while page.next:
            assert len(page.runs) <= query.limit
            paged += page.runs
            page = await store.find_runs(msgspec.structs.replace(query, before=page.next))
        assert paged + page.runs == whole
        ends = [row.id for row in whole[query.limit - 1 :: query.limit]]
        assert await store.run_pages(query) == RunPages(len(whole), ends, True)
        if whole:
            later = msgspec.structs.replace(query, before=whole[0].id)
            assert (await store.run_pages(later)).count == len(whole) - 1

    asyncio.run(main())


def test_an_origin_is_written_once_and_read_back(store: AnyStore) -> None:
    async def main() -> None:
        labels = {"é": '<b>"', "tag": ""}
        origin = RunOrigin("p", "d", "e", "launch_plan", "lp", "v1", labels, "user:ada", "relaunch", "r0")
        row = msgspec.structs.replace(summary("r"), origin=origin, waiting=2, nodes=7, done=3)
        await store.create(row, [])
        assert await store.summary("r") == row
        moved = msgspec.structs.replace(
            row, phase=Phase.FAILED, message="Boom", origin=RunOrigin("x"), waiting=0, done=7
        )
        await store.append("r", 1, 1, [], moved)
        assert await store.summary("r") == msgspec.structs.replace(moved, origin=origin)
        for wanted in (RunQuery(text="bOOm"), RunQuery(labels=(("é", '<b>"'), ("tag", ""))), RunQuery(project="p")):
            page = await store.find_runs(wanted)
            assert ([found.id for found in page.runs], page.next) == (["r"], "")
        assert not (await store.find_runs(RunQuery(project="x"))).runs
        with pytest.raises(EntityNotFound):
            await store.find_runs(RunQuery(before="nobody"))

    asyncio.run(main())


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([], ["e2", "e1", "e0"]),
        ([Filter("phase", Operator.VALUE_IN, ("FAILED", "ABORTED"))], ["e1"]),
        ([Filter("phase", Operator.VALUE_IN, ())], []),
        ([Filter("launch_plan.name", Operator.EQ, ("t1",))], ["e1"]),
        ([Filter("task.name", Operator.NE, ("t0",))], ["e2"]),
        ([Filter("workflow.name", Operator.CONTAINS, ("m.",))], ["e2", "e1", "e0"]),
        ([Filter("created_at", Operator.GTE, (1.0,))], ["e2", "e1"]),
        (
            [Filter("execution_tag.key", Operator.EQ, ("k",)), Filter("execution_tag.value", Operator.EQ, ("2",))],
            ["e2"],
        ),
        ([Filter("execution_tag.key", Operator.EQ, ("x",)), Filter("execution_tag.value", Operator.EQ, ("2",))], []),
    ],
)
def test_executions_are_filtered(store: AnyStore, filters: list[Filter], names: list[str]) -> None:
    async def main() -> None:
        for number, phase in enumerate([Phase.SUCCEEDED, Phase.FAILED, Phase.RUNNING]):
            kind = "launch_plan" if number == 1 else "task"
            labels = {"k": str(number), "x": ""}
            origin = RunOrigin("p", "d", f"e{number}", kind, f"t{number}", "v", labels)
            row = summary(f"r{number}", at=float(number), phase=phase)
            await store.create(msgspec.structs.replace(row, origin=origin), [])
        # A run of a file is no execution.
        await store.create(summary("file"), [])

        async def listed(**asked: Any) -> list[str]:
            found = await store.executions(EntityQuery(EntityKind.EXECUTION, **asked), filters)
            return [row.origin.name for row in found]

        assert await listed(project="p", domain="d") == names
        assert await listed(descending=False, sort="name") == names[::-1]
        assert await listed(limit=1, offset=1) == names[1:2]
        assert await listed(project="q") == []

    asyncio.run(main())


@pytest.mark.parametrize("query", [EntityQuery(EntityKind.EXECUTION, sort="labels; DROP TABLE runs")])
def test_fields_that_there_are_not_are_refused(store: AnyStore, query: EntityQuery) -> None:
    async def main() -> None:
        with pytest.raises(ValueError, match="have no field"):
            await store.executions(query)
        with pytest.raises(ValueError, match="have no field"):
            await store.executions(EntityQuery(EntityKind.EXECUTION), [Filter("1=1", Operator.EQ, ("",))])

    asyncio.run(main())


def test_a_run_of_a_file_may_come_from_another(store: AnyStore) -> None:
    async def main() -> None:
        origin = RunOrigin(cause="recover", parent="r0")
        await store.create(msgspec.structs.replace(summary("r"), origin=origin), [])
        assert (await store.summary("r")).origin == origin
        assert await store.run_pages(RunQuery(project="p")) == RunPages(0, [], True)

    asyncio.run(main())


def test_what_is_counted_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In SQL: the first so many, whatever is asked; there may be more then."""
    monkeypatch.setattr(run_lists, "COUNTED", 5)
    store = SqlStore.open(tmp_path / "whimbrel.db")

    async def main() -> None:
        for number in range(9):
            await store.create(summary(f"r{number}", at=float(number), entity="a" if number % 2 else "b"), [])
        assert await store.run_pages(RunQuery(limit=2)) == RunPages(5, ["r7", "r5"], False)
        # Of r8 to r4, those that are called so.
        assert await store.run_pages(RunQuery(limit=2, text="r7")) == RunPages(1, [], False)

    asyncio.run(main())
    store.close()
