"""The disk is full, the database is locked: a run stops where it is, loses nothing, and carries on."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chaos.history import violations
from tests.e2e.chaos.killing import LIMIT, SCRIPT, Patient
from tests.e2e.chaos.test_kills import expected
from tests.e2e.chaos.test_owners import RAN, ShiftedClock, counted, executor, launch, plane, until
from whimbrel import eager, task
from whimbrel.engine.run import Run
from whimbrel.errors import StoreError
from whimbrel.model.literals import IntLiteral
from whimbrel.stores.sql.sqlite import SqliteDatabase
from whimbrel.stores.sql.store import SqlStore

NO_HOME = 74


def test_a_disk_that_is_full_in_the_middle_of_a_run(tmp_path: Path) -> None:
    """No file of these processes may grow past a limit: what the system then says is what a full disk says."""
    patient = Patient(tmp_path / "run", 21, length=20)
    refused = 0
    for kilobytes in (150, 200, 260, 330, 420, 550):
        arguments = (
            ["resume", patient.run]
            if patient.summary()[0]
            else ["run", "--run-id", patient.run, str(patient.file), "main", "--x", "5"]
        )

        def small(limit: int = kilobytes * 1024) -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        process = subprocess.Popen(
            [SCRIPT, *arguments, "--workers", "2"],
            cwd=patient.folder,
            env=patient.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=small,
        )
        patient.owners.append(process.pid)
        told = process.communicate(timeout=LIMIT)[1]
        if process.returncode == 0:
            break
        assert process.returncode == NO_HOME, told
        assert "Free some space, then resume; nothing finished is lost" in told
        refused += 1
        if patient.summary()[0]:
            patient.mark()
        else:
            patient.owners.clear()
    assert refused >= 2
    # Space returns.
    if patient.summary()[0] != "SUCCEEDED":
        assert patient.begin().wait(LIMIT) == 0
    history = patient.history()
    assert violations(history) == []
    assert Run.replay(history.events).outputs == {"o0": IntLiteral(expected(patient.file))}


@contextmanager
def locked(database: Path) -> Iterator[None]:
    connection = sqlite3.connect(database, isolation_level=None, timeout=LIMIT)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_a_database_that_others_lock_for_a_while(tmp_path: Path) -> None:
    patient = Patient(tmp_path / "run", 22, length=20)
    process = patient.begin()
    for _ in range(3):
        patient.until_lines(process, 4)
        with locked(patient.database):
            # What had finished waits to be written; nothing that follows from it begins.
            time.sleep(0.3)
            patient.mark()
    assert process.wait(LIMIT) == 0
    history = patient.history()
    assert violations(history) == []
    assert Run.replay(history.events).outputs == {"o0": IntLiteral(expected(patient.file))}


LOCKED: list[asyncio.Event] = []


@task
async def waits_for_the_lock(x: int) -> int:
    await LOCKED[0].wait()
    return x


@eager
async def adds_up() -> int:
    total = 0
    for x in range(10):
        total += await counted(x=x)
    total += await waits_for_the_lock(x=100)
    for x in range(10, 20):
        total += await counted(x=x)
    return total


def test_a_database_that_stays_locked_stops_the_run_which_can_be_resumed(tmp_path: Path) -> None:
    RAN.clear()
    path = tmp_path / "whimbrel.db"
    SqlStore.open(path).close()

    async def main() -> None:
        LOCKED[:] = [asyncio.Event()]
        store = SqlStore(SqliteDatabase(path, busy_timeout=0.05))
        control = plane(store, executor(counted, waits_for_the_lock, adds_up), "host:1", ShiftedClock())
        await control.start()
        await launch(control, adds_up)
        await until(lambda: len(RAN) == 10)
        async with asyncio.timeout(LIMIT):
            # The tenth has run; its outcome is kept a commit later. Reading gives way to the writer.
            while await finished(store) < 10:
                pass
        with locked(path):
            LOCKED[0].set()
            with pytest.raises(StoreError, match=r"was locked by another process for 0\.05 s"):
                await asyncio.wait_for(control.wait("r"), LIMIT)
        assert await finished(store) == 10
        await control.resume("r")
        result: Any = await asyncio.wait_for(control.wait("r"), LIMIT)
        assert result.outputs == {"o0": IntLiteral(sum(range(20)) + 100)}
        # What was on disk was not run again.
        assert list(range(20)) == RAN
        await control.close()
        store.close()

    async def finished(store: SqlStore) -> int:
        run = Run.replay(await store.events("r"))
        return sum(node.phase.has_outputs for path, node in run.nodes.items() if path != "n0")

    asyncio.run(main())
