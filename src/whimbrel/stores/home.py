"""A home: the directory that holds a project's runs, on this machine. One process owns it; others may look.

Knows: the stores, locks of files. Must not know: the command line, where homes are looked for.

::

    .whimbrel/
        .gitignore      *
        lock            held by the owner; says who it is
        whimbrel.db     runs, events, cache, logs, inbox
        blobs/          values too large for a row
        bundles/        the code of what was registered, by its digest
        secrets.json    secrets, encrypted; secrets.key has their key, unless it is kept elsewhere
"""

from __future__ import annotations

import errno
import fcntl
import os
import shlex
import sys
import weakref
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec

from whimbrel.errors import EntityNotFound, HomeLocked, StoreError, StoreFull
from whimbrel.stores.blobs import ObjectBlobs
from whimbrel.stores.flushing import flush_directory
from whimbrel.stores.sql.revision import OURS, Migrations
from whimbrel.stores.sql.sqlite import HomeOutdated
from whimbrel.stores.sql.store import SqlStore

DATABASE = "whimbrel.db"
BLOBS = "blobs"
LOCK = "lock"

# The command line of a holder is for people: its start says enough.
_COMMAND_LENGTH = 300


class Home:
    """An open home: ``store`` and ``blobs`` in the directory ``path``. Close it, or use it as a context manager."""

    def __init__(self, path: Path, *, store: SqlStore, blobs: ObjectBlobs, lock: HomeLock | None) -> None:
        self.path = path
        self.store = store
        self.blobs = blobs
        self._lock = lock

    @property
    def owned(self) -> bool:
        """Whether this process is the owner."""
        return self._lock is not None

    def close(self) -> None:
        """Write what is queued and give the home up. Raises ``StoreError`` when the last logs could not be written."""
        try:
            self.store.close()
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> Home:
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def open_home(path: Path | str, *, exclusive: bool, migrations: Migrations = OURS) -> Home:
    """Open the home at ``path``; when ``exclusive``, as its only owner, who may run things, making it if need be.

    Without ``exclusive`` the home must be there (``EntityNotFound``); it can be read, and requests left in its inbox,
    beside a running owner. Raises ``HomeLocked`` (says by whom), ``HomeCorrupt``, ``HomeTooNew``, ``StoreFull`` or
    another ``StoreError``.
    """
    home = Path(path).absolute()
    database = home / DATABASE
    if home.exists() and not home.is_dir():
        raise StoreError(f"{home} is not a directory: move it away, or name another home with --home")
    if not exclusive:
        if not database.exists():
            raise EntityNotFound(f"there is no home in {home}: run a workflow first, or say where with --home")
        try:
            store = SqlStore.open(database, owner=False, migrations=migrations)
        except HomeOutdated:
            # Nobody runs anything, or we are told who does: then it can be migrated here and now.
            lock = HomeLock.take(home / LOCK)
            try:
                SqlStore.open(database, migrations=migrations).close()
            finally:
                lock.release()
            store = SqlStore.open(database, owner=False, migrations=migrations)
        return Home(home, store=store, blobs=ObjectBlobs(home / BLOBS), lock=None)
    _make(home)
    lock = HomeLock.take(home / LOCK)
    try:
        store = SqlStore.open(database, migrations=migrations)
    except BaseException:
        lock.release()
        raise
    return Home(home, store=store, blobs=ObjectBlobs(home / BLOBS), lock=lock)


def prepare_home(path: Path | str) -> None:
    """Make the directory of a home that is not there yet. Raises ``StoreError``."""
    _make(Path(path).absolute())


def _make(home: Path) -> None:
    try:
        new = [directory for directory in (home, *home.parents) if not directory.exists()]
        home.mkdir(parents=True, exist_ok=True)
        for directory in new:
            flush_directory(directory.parent)
        ignore = home / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n", encoding="utf-8")
    except OSError as error:
        raise _unusable(error) from error


def _unusable(error: OSError) -> StoreError:
    kind = StoreFull if error.errno in {errno.ENOSPC, errno.EDQUOT} else StoreError
    return kind(f"{error.filename}: {error.strerror}: mend that, or name another home with --home")


class Holder(msgspec.Struct, frozen=True):
    """Who holds a lock, as the lock file says."""

    pid: int
    command: str


class HomeLock:
    """The owner's lock: held for as long as the process lives, and let go by the system when it dies, however it dies.

    No child holds it on: the descriptor is closed on exec, and in the child of a bare fork.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        _held.add(self)

    @classmethod
    def take(cls, path: Path) -> HomeLock:
        """Take the lock. Raises ``HomeLocked`` when another process has it."""
        try:
            # Python opens descriptors close-on-exec.
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise _unusable(error) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sign(descriptor)
        except BlockingIOError as error:
            holder = _holder(descriptor)
            os.close(descriptor)
            raise HomeLocked(
                f"{path.parent} is in use by {holder}: wait until that ends, stop it, or name another home with --home"
            ) from error
        except OSError as error:
            os.close(descriptor)
            error.filename = str(path)
            raise _unusable(error) from error
        return cls(descriptor)

    def release(self) -> None:
        """Let go. Harmless a second time."""
        _held.discard(self)
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def forget(self) -> None:
        """In a forked child: close the descriptor, which leaves the parent its lock."""
        self.release()


def _sign(descriptor: int) -> None:
    command = shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]] if sys.argv else [])[:_COMMAND_LENGTH]
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, msgspec.json.encode(Holder(os.getpid(), command)), 0)


def _holder(descriptor: int) -> str:
    try:
        holder = msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Holder)
    except msgspec.DecodeError:
        # It holds the lock but has not yet signed.
        return "another process"
    return f"process {holder.pid} ({holder.command})"


# For the fork hook, which cannot be unregistered: it must not keep homes alive.
_held: weakref.WeakSet[Any] = weakref.WeakSet()


def _forget_all() -> None:
    for lock in list(_held):
        lock.forget()


os.register_at_fork(after_in_child=_forget_all)
