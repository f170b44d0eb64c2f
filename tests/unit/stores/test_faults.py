"""A full disk, damaged and foreign files, locks: real ones, as far as one process can make them."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.unit.stores.later import HEAD, later
from tests.unit.stores.samples import event, key, summary
from whimbrel.errors import EntityNotFound, Fenced, HomeCorrupt, HomeTooNew, StoreError, StoreFull
from whimbrel.model.run import AttemptId
from whimbrel.stores.sql.revision import OURS, Migrations
from whimbrel.stores.sql.sqlite import HomeOutdated, SqliteDatabase
from whimbrel.stores.sql.store import SqlStore


class SmallDisk(SqliteDatabase):
    """A database that may not grow past ``pages``: SQLite then reports what it reports on a full disk."""

    pages = 0

    def connect(self, *, write: bool) -> sqlite3.Connection:
        connection = super().connect(write=write)
        if write and self.pages:
            connection.execute(f"PRAGMA max_page_count = {self.pages}")
        return connection


@contextmanager
def raw(path: Path) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        yield connection
    finally:
        connection.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A sound database with a run of some size in it."""
    path = tmp_path / "whimbrel.db"
    store = SqlStore.open(path)
    asyncio.run(store.create(summary("r"), [event(n, worker="w" * 1000) for n in range(1, 101)]))
    store.close()
    return path


def test_a_full_disk_is_told_and_survived(path: Path) -> None:
    async def main() -> None:
        disk = SmallDisk(path)
        disk.pages = 1  # SQLite makes that as many as it has.
        store = SqlStore(disk)
        large = event(101, worker="w" * 100_000)
        with pytest.raises(StoreFull, match=r"whimbrel\.db: database or disk is full\. Free some space, then resume"):
            await store.append("r", 1, 101, [large], summary("r", entity="changed"))
        # Nothing of it was kept, and reading goes on.
        assert await store.summary("r") == summary("r")
        assert len(await store.events("r")) == 100
        with pytest.raises(StoreFull):
            await store.create(summary("s"), [large])
        assert [row.id for row in await store.summaries()] == ["r"]
        outcomes = await asyncio.gather(
            *[store.append("r", 1, 101 + n, [large]) for n in range(5)], return_exceptions=True
        )
        # The writer may take them in several groups: an event whose predecessor was not kept is refused for that.
        kinds = [type(outcome) for outcome in outcomes]
        assert kinds == sorted(kinds, key=[StoreFull, Fenced].index)
        assert kinds[0] is StoreFull
        assert len(await store.events("r")) == 100
        # Logs wait for space; those that are on the disk can be read meanwhile.
        store.log_nowait(AttemptId("r", "n0", 1), "stdout", "x" * 100_000, 1.0)
        assert await store.logs("r") == []
        # Space returns. (The connection that failed has been replaced; the limit is the connection's.)
        disk.pages = 0
        await store.append("r", 1, 101, [large])
        assert (await store.events("r"))[100:] == [large]
        assert [len(line.text) for line in await store.logs("r")] == [100_000]
        assert store.check_integrity() == []
        store.close()

    asyncio.run(main())


def test_an_event_whose_predecessor_was_not_kept_is_refused(path: Path) -> None:
    async def main() -> None:
        store = SqlStore(SmallDisk(path))
        with pytest.raises(Fenced, match=r"is 101, not 102: what was to be written before it was not"):
            await store.append("r", 1, 102, [event(102)])
        with pytest.raises(Fenced, match=r"is 101, not 100: somebody else writes in its owner's name"):
            await store.append("r", 1, 100, [event(100)])
        store.close()

    asyncio.run(main())


def test_logs_that_find_no_space_are_lost_loudly(path: Path) -> None:
    disk = SmallDisk(path)
    disk.pages = 1
    store = SqlStore(disk)
    store.log_nowait(AttemptId("r", "n0", 1), "stdout", "x" * 100_000, 1.0)
    with pytest.raises(StoreFull, match="1 log chunks are lost"):
        store.close()


@pytest.mark.parametrize("content", [b"", b"x", b"not a database\n" * 100, b"SQLite format 3\0"])
@pytest.mark.parametrize("owner", [True, False])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes, owner: bool) -> None:
    path = tmp_path / "whimbrel.db"
    path.write_bytes(content)
    with pytest.raises(HomeCorrupt, match=r"whimbrel\.db is damaged .* backup") as caught:
        SqlStore.open(path, owner=owner)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content


def test_a_database_of_somebody_else(tmp_path: Path) -> None:
    path = tmp_path / "whimbrel.db"
    with raw(path) as connection:
        connection.execute("CREATE TABLE photos (id INTEGER)")
    with pytest.raises(HomeCorrupt, match="not of whimbrel's"):
        SqlStore.open(path)


def test_a_database_without_a_revision(path: Path) -> None:
    with raw(path) as connection:
        connection.execute("DELETE FROM alembic_version")
    with pytest.raises(HomeCorrupt, match="revision is missing"):
        SqlStore.open(path)


@pytest.mark.parametrize("left", [0.1, 0.5, 0.99])
def test_a_file_that_lost_its_end(path: Path, left: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * left)])
    with pytest.raises(HomeCorrupt, match="bytes are missing at its end"):
        SqlStore.open(path)


def test_a_damaged_page_is_told_when_it_is_read(path: Path) -> None:
    content = bytearray(path.read_bytes())
    for page in range(4, len(content) // 4096):
        if b"wwww" in content[page * 4096 : (page + 1) * 4096]:
            content[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(content)
    store = SqlStore.open(path)
    with pytest.raises(HomeCorrupt, match="malformed"):
        asyncio.run(store.events("r"))
    assert store.check_integrity()
    store.close()


def test_a_check_finds_a_gap_in_a_log(path: Path) -> None:
    store = SqlStore.open(path)
    assert store.check_integrity() == []
    with raw(path) as connection:
        connection.execute("DELETE FROM events WHERE seq = 50")
    assert store.check_integrity() == ["run r should have 100 events, and has 99"]
    with raw(path) as connection:
        connection.execute("UPDATE events SET seq = 200 WHERE seq = 100")
        connection.execute("INSERT INTO events SELECT run, 50, kind, at, payload FROM events WHERE seq = 49")
    assert store.check_integrity() == ["run r should have 100 events, and has 100"]
    with raw(path) as connection:
        connection.execute("UPDATE events SET run = 'nobody'")
    assert "events names a row of runs that is not there" in store.check_integrity()
    store.close()


def test_a_home_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EntityNotFound, match="run a workflow first"):
        SqlStore.open(tmp_path / "whimbrel.db", owner=False)
    assert not list(tmp_path.iterdir())


def test_a_database_half_made_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / "whimbrel.db.new").write_bytes(b"half")
    store = SqlStore.open(tmp_path / "whimbrel.db")
    assert store.check_integrity() == []
    store.close()
    assert [file.name for file in tmp_path.iterdir()] == ["whimbrel.db"]


def test_a_database_that_somebody_keeps_locked(path: Path) -> None:
    async def main() -> None:
        store = SqlStore(SqliteDatabase(path, busy_timeout=0.01))
        with raw(path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            with pytest.raises(StoreError, match=r"locked by another process for 0\.01 s: end it"):
                await store.append("r", 1, 101, [event(1)])
            # Readers are not held up.
            assert len(await store.events("r")) == 100
            connection.execute("COMMIT")
        await store.append("r", 1, 101, [event(1)])
        store.close()

    asyncio.run(main())


def test_two_stores_on_one_database_fence_each_other(path: Path) -> None:
    async def main() -> None:
        first, second = SqlStore.open(path), SqlStore.open(path, owner=False)
        claimed = await second.claim("r", "second")
        with pytest.raises(Fenced, match="epoch 2, not 1"):
            await first.append("r", 1, 101, [event(1)])
        await second.append("r", claimed.epoch, 101, [event(2)])
        assert (await first.events("r"))[100:] == [event(2)]
        await second.send("r", "abort", "enough", 1.0)
        (request,) = await first.requests("r")
        assert (request.request, request.detail, request.at) == ("abort", "enough", 1.0)
        assert await first.reserve(key(), "a", 2.0, 1.0)
        assert not await second.reserve(key(), "b", 2.0, 1.0)
        second.close()
        first.close()

    asyncio.run(main())


def test_a_closed_store_says_so(path: Path) -> None:
    store = SqlStore.open(path)
    store.close()
    store.close()
    for attempt in (store.summary("r"), store.claim("r", "me")):
        with pytest.raises(StoreError, match="closed"):
            asyncio.run(attempt)
    with pytest.raises(StoreError, match="closed"):
        store.log_nowait(AttemptId("r", "n0", 1), "log", "x", 1.0)


def test_closing_leaves_one_file(path: Path) -> None:
    async def main() -> None:
        store = SqlStore.open(path)
        await store.append("r", 1, 101, [event(1)])
        await store.events("r")
        store.log_nowait(AttemptId("r", "n0", 1), "log", "last words", 1.0)
        store.close()

    asyncio.run(main())
    assert [file.name for file in path.parent.iterdir()] == ["whimbrel.db"]
    store = SqlStore.open(path)
    assert [line.text for line in asyncio.run(store.logs("r"))] == ["last words"]
    store.close()


def test_an_older_home_is_migrated_with_what_is_in_it(path: Path, tmp_path: Path) -> None:
    with pytest.raises(HomeOutdated, match=rf"older whimbrel \(revision {OURS.head}\)"):
        SqlStore.open(path, owner=False, migrations=later(tmp_path))
    newer = Migrations(tmp_path / "100% later", HEAD)
    store = SqlStore.open(path, migrations=newer)
    assert len(asyncio.run(store.events("r"))) == 100
    store.close()
    with raw(path) as connection:
        assert connection.execute("SELECT * FROM labels").fetchall() == [("r", "m.t")]
    SqlStore.open(path, owner=False, migrations=newer).close()
    # And for this whimbrel it is now too new.
    for owner in (True, False):
        with pytest.raises(HomeTooNew, match=rf"newer whimbrel \(revision {HEAD}\): upgrade whimbrel"):
            SqlStore.open(path, owner=owner)


def test_a_migration_that_fails_changes_nothing(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such table: nowhere"):
        SqlStore.open(path, migrations=later(tmp_path, fails=True))
    with raw(path) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [(OURS.head,)]
        assert not connection.execute("SELECT name FROM sqlite_master WHERE name = 'labels'").fetchall()
    SqlStore.open(path).close()


def test_an_event_that_cannot_be_read(path: Path) -> None:
    store = SqlStore.open(path)
    with raw(path) as connection:
        connection.execute("UPDATE events SET payload = x'c1' WHERE seq = 50")
    with pytest.raises(HomeCorrupt, match="a row cannot be read"):
        asyncio.run(store.events("r"))
    store.close()


def test_a_cancelled_caller_learns_when_its_write_is_decided(path: Path) -> None:
    async def main() -> None:
        store = SqlStore.open(path)
        with raw(path) as connection:
            connection.execute("BEGIN IMMEDIATE")
            write = asyncio.ensure_future(store.append("r", 1, 101, [event(101)]))
            await asyncio.sleep(0)
            write.cancel()
            # Reading goes on meanwhile, and the caller waits.
            assert len(await store.events("r")) == 100
            assert not write.done()
            connection.execute("COMMIT")
        with pytest.raises(asyncio.CancelledError):
            await write
        assert len(await store.events("r")) == 101
        store.close()

    asyncio.run(main())


def test_connections_are_as_durable_as_is_said(path: Path) -> None:
    with raw(path) as connection:
        # Somebody's tool has taken the database out of WAL mode.
        assert connection.execute("PRAGMA journal_mode = DELETE").fetchone() == ("delete",)
    database = SqliteDatabase.open(path, owner=True)
    writer, reader = database.connect(write=True), database.connect(write=False)
    assert writer.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert writer.execute("PRAGMA synchronous").fetchone() == (2,)
    assert writer.execute("PRAGMA foreign_keys").fetchone() == (1,)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM runs")
    reader.close()
    writer.close()
