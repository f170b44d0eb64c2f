"""SQLite: opening a database file and looking whether it is sound, connections, and what its errors mean.

Knows: the sqlite3 driver, the file format's header. Must not know: what is kept. All SQL that only SQLite has is here.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from pathlib import Path

import msgspec

from whimbrel.errors import EntityNotFound, HomeCorrupt, HomeTooNew, StoreError, StoreFull
from whimbrel.stores.flushing import flush_directory
from whimbrel.stores.sql.database import Cursor
from whimbrel.stores.sql.migrate import is_known, upgrade
from whimbrel.stores.sql.revision import OURS, TABLE, Migrations
from whimbrel.stores.sql.sqlite_texts import SCHEMA, STATEMENTS

# How long a statement waits for another process's transaction, in seconds. Ours take milliseconds; a migration of a
# large home, or a backup tool, may take this long.
BUSY_TIMEOUT = 10.0

_MAGIC = b"SQLite format 3\x00"
_FULL_ERRNOS = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}


class HomeOutdated(StoreError):
    """The database's schema is older than this whimbrel's, and the one who opens it may not migrate it."""


class SqliteDatabase:
    """Implements ``Database`` over one file, in WAL mode: one writer, and readers that it does not hold up."""

    texts = STATEMENTS
    # Takes the write lock at once: a transaction that reads first could find at its first write that it came too late.
    begin = "BEGIN IMMEDIATE"

    def __init__(self, path: Path, *, busy_timeout: float = BUSY_TIMEOUT) -> None:
        self.path = path
        self._busy_timeout = busy_timeout

    @classmethod
    def open(
        cls, path: Path, *, owner: bool, busy_timeout: float = BUSY_TIMEOUT, migrations: Migrations = OURS
    ) -> SqliteDatabase:
        """The database at ``path``. Only the ``owner`` of a home may make or migrate it: nobody else uses it meanwhile.

        Raises ``EntityNotFound`` (there is none), ``HomeOutdated``, ``HomeCorrupt``, ``HomeTooNew``, ``StoreFull`` or
        another ``StoreError``.
        """
        database = cls(path, busy_timeout=busy_timeout)
        try:
            if not path.exists():
                if not owner:
                    raise EntityNotFound(f"there is no database {path}: run a workflow first, or name its home")
                database._make()
            _look_at_header(path)
            database._bring_up_to_date(migrations, migrate=owner)
        except (sqlite3.Error, OSError) as error:
            raise database.explained(error) from error
        return database

    def connect(self, *, write: bool) -> sqlite3.Connection:
        """A connection in autocommit mode. FULL: a commit returns when it would survive a loss of power."""
        writable = os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
        # Readers too may have to mend the log of a process that was killed, so they open for writing where they can.
        connection = self._connect(self.path, "rw" if writable else "ro")
        try:
            if write:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
            else:
                connection.execute("PRAGMA query_only = ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def give_up(self, connection: sqlite3.Connection) -> None:
        """See ``Database``."""
        try:
            # Closing alone would leave the lock where it is for as long as a statement is remembered anywhere.
            if connection.in_transaction:
                connection.rollback()
        except sqlite3.Error:
            # SQLite rolls back at the next opening what could not be rolled back now.
            pass
        finally:
            connection.close()

    def explained(self, error: Exception) -> StoreError:
        """See ``Database``."""
        if isinstance(error, StoreError):
            return error
        if isinstance(error, msgspec.DecodeError):
            return _corrupt(self.path, f"a row cannot be read: {error}")
        if isinstance(error, OSError):
            if error.errno in _FULL_ERRNOS:
                return StoreFull(
                    f"{self.path}: {error.strerror}. Free some space, then resume; nothing finished is lost"
                )
            return StoreError(
                f"{error.filename or self.path}: {error.strerror or error}: check that the home can be used"
            )
        match getattr(error, "sqlite_errorcode", 0) & 0xFF:
            case sqlite3.SQLITE_FULL | sqlite3.SQLITE_IOERR:
                return StoreFull(f"{self.path}: {error}. Free some space, then resume; nothing finished is lost")
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB:
                return _corrupt(self.path, str(error))
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                return StoreError(
                    f"{self.path} was locked by another process for {self._busy_timeout:g} s: end it, then try again"
                )
            case sqlite3.SQLITE_READONLY | sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_PERM:
                return StoreError(f"{self.path}: {error}: check who may write to it and to its directory")
        return StoreError(f"{self.path}: {type(error).__name__}: {error}")

    def is_of_statement(self, error: Exception) -> bool:
        """See ``Database``."""
        if isinstance(error, sqlite3.IntegrityError | sqlite3.DataError | sqlite3.ProgrammingError):
            return True
        return not isinstance(error, sqlite3.Error | OSError | MemoryError)

    def damage(self, cursor: Cursor) -> list[str]:
        """See ``Database``."""
        cursor.execute("PRAGMA integrity_check")
        found = [str(line) for (line,) in cursor.fetchall() if line != "ok"]
        cursor.execute("PRAGMA foreign_key_check")
        return found + [
            f"{table} names a row of {parent} that is not there" for table, _, parent, _ in cursor.fetchall()
        ]

    # --- opening -----------------------------------------------------------------------------------------------

    def _connect(self, path: Path, mode: str) -> sqlite3.Connection:
        return sqlite3.connect(
            f"{path.absolute().as_uri()}?mode={mode}",
            uri=True,
            timeout=self._busy_timeout,
            isolation_level=None,
            # The store sees to it that one thread at a time uses a connection; it closes them from another.
            check_same_thread=False,
        )

    def _make(self) -> None:
        # Made beside its place and moved there when whole: a database that is there and empty has been damaged.
        new = self.path.with_name(f"{self.path.name}.new")
        new.unlink(missing_ok=True)
        connection = self._connect(new, "rwc")
        try:
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("BEGIN")
            for statement in (TABLE, *SCHEMA):
                connection.execute(statement)
            connection.execute("INSERT INTO alembic_version VALUES (?)", (OURS.head,))
            connection.execute("COMMIT")
            connection.execute("PRAGMA journal_mode = WAL")
        finally:
            connection.close()
        new.replace(self.path)
        flush_directory(self.path.parent)

    def _bring_up_to_date(self, migrations: Migrations, *, migrate: bool) -> None:
        connection = self.connect(write=False)
        try:
            revision = self._revision(connection)
        finally:
            connection.close()
        if revision == migrations.head:
            return
        if not is_known(migrations, revision):
            raise HomeTooNew(f"{self.path} was written by a newer whimbrel (revision {revision}): upgrade whimbrel")
        if not migrate:
            raise HomeOutdated(
                f"{self.path} was written by an older whimbrel (revision {revision}) and must be migrated"
            )
        upgrade(migrations, lambda: self.connect(write=True))

    def _revision(self, connection: sqlite3.Connection) -> str:
        # Reads the schema, and with it the first page and those that the schema is on.
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"alembic_version", "runs", "events"} <= tables:
            raise _corrupt(self.path, "it is an SQLite database, but not of whimbrel's")
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        if row is None:
            raise _corrupt(self.path, "its schema revision is missing")
        return str(row[0])


def _corrupt(path: Path, detail: str) -> HomeCorrupt:
    return HomeCorrupt(
        f"{path} is damaged ({detail}). Put a backup in its place, or move the home away and start anew; "
        "`whimbrel doctor` looks at all of it"
    )


def _look_at_header(path: Path) -> None:
    """A glance that costs no page of the cache: the magic, and whether the file is as long as it says.

    Offsets are those of SQLite's file format. The length is the truth only when the write-ahead log is empty.
    """
    with path.open("rb") as file:
        header = file.read(100)
        size = os.fstat(file.fileno()).st_size
    if len(header) < 100:
        raise _corrupt(path, f"it is {size} bytes long")
    if not header.startswith(_MAGIC):
        raise _corrupt(path, "file is not a database")
    page_size = int.from_bytes(header[16:18], "big")
    pages = int.from_bytes(header[28:32], "big")
    page_size = 65536 if page_size == 1 else page_size
    log = path.with_name(f"{path.name}-wal")
    if size < page_size * pages and not (log.exists() and log.stat().st_size):
        raise _corrupt(path, f"{page_size * pages - size} bytes are missing at its end")
