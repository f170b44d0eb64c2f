"""Homes of before runs had places: what lists need of their runs is found in what else they kept."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from tests.unit.stores.samples import event
from whimbrel.model.codec import encode
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.model.run import Phase, RunOrigin, RunQuery
from whimbrel.stores.sql.revision import OURS
from whimbrel.stores.sql.store import SqlStore
from whimbrel.wire.flyte.executions import ExecutionRecord, record_bytes


def older(path: Path, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(OURS.scripts))
    engine = sa.create_engine(f"sqlite:///{path}", poolclass=sa.NullPool)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def test_runs_of_before_are_found_by_place_label_and_text(tmp_path: Path) -> None:
    path = tmp_path / "whimbrel.db"
    older(path, "0004")
    target = EntityId(EntityKind.LAUNCH_PLAN, "p", "d", "lp", "v1")
    record = ExecutionRecord("r1", "m.wf", target, {"team": "ml"}, ("nightly",))
    connection = sqlite3.connect(path)
    run = "INSERT INTO runs VALUES (?, 'm.wf', 'FAILED', ?, 0, 0, 1, 'me', '', 'BOOM', 2, 0)"
    connection.executemany(run, [("r1", 1.0), ("r2", 2.0)])
    connection.executemany(
        "INSERT INTO events VALUES (?, 1, 'started', 0, ?)", [("r1", encode(event(1))), ("r2", encode(event(1)))]
    )
    connection.execute(
        "INSERT INTO entities VALUES ('execution', 'p', 'd', 'e', '', X'', ?, '', 1, 1)", (record_bytes(record),)
    )
    connection.commit()
    connection.close()
    store = SqlStore.open(path)

    async def found(query: RunQuery) -> list[str]:
        return [row.id for row in (await store.find_runs(query)).runs]

    async def main() -> None:
        origin = RunOrigin("p", "d", "e", "launch_plan", "lp", "v1", {"team": "ml", "nightly": ""})
        assert (await store.summary("r1")).origin == origin
        assert (await store.summary("r2")).origin == RunOrigin()
        assert await found(RunQuery(project="p", phases=(Phase.FAILED,))) == ["r1"]
        assert await found(RunQuery(labels=(("nightly", ""),))) == ["r1"]
        assert await found(RunQuery(entity="wf", text="boom")) == ["r2", "r1"]

    asyncio.run(main())
    assert store.check_integrity() == []
    store.close()


def test_runs_of_before_wait_as_they_say(tmp_path: Path) -> None:
    path = tmp_path / "whimbrel.db"
    older(path, "0007")
    connection = sqlite3.connect(path)
    said = "waits for an answer: first, second"
    for id, phase, message in [("r1", "RUNNING", said), ("r2", "FAILED", said), ("r3", "RUNNING", "")]:
        connection.execute(
            "INSERT INTO runs (id, entity, phase, created_at, started_at, ended_at, epoch, owner, source, message, "
            "next_seq) VALUES (?, 'm.wf', ?, 1, 1, 0, 1, 'me', '', ?, 2)",
            (id, phase, message),
        )
        connection.execute("INSERT INTO events VALUES (?, 1, 'started', 0, ?)", (id, encode(event(1))))
    connection.commit()
    connection.close()
    store = SqlStore.open(path)

    async def main() -> None:
        found = (await store.find_runs(RunQuery(phases=(Phase.PAUSED,)))).runs
        assert [(row.id, row.waiting) for row in found] == [("r1", 2)]

    asyncio.run(main())
    assert store.check_integrity() == []
    store.close()
