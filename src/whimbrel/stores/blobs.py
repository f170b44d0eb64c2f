"""Bytes too large for a row: files in a directory, or objects in a bucket, through obstore.

Knows: obstore, and that a local file must be flushed by hand. Must not know: what the bytes are.

Local URIs are relative (`blob:literals/<digest>`), so that a home that is moved keeps its values. URIs of remote stores
are whole.
"""

from __future__ import annotations

import errno
import os
import re
import uuid
from contextlib import suppress
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from whimbrel.errors import EntityNotFound, StoreError, StoreFull
from whimbrel.stores.flushing import begin_flush, flush_directory, flush_file
from whimbrel.stores.moving import Lent, lend

SCHEME = "blob:"

STAGING = "staging"
"""Where bytes stand whose name is not known yet. What a killed process leaves there belongs to nobody."""
FLUSHED_BYTES = 16 * 1024 * 1024
"""Bytes of a long file after which they are sent to the disk, which then works while the file goes on. Measured: 8 and
16 MiB are alike.
"""
_READABLE = 0o444
PART_BYTES = 5 * 1024 * 1024
"""The smallest part that S3 takes of an upload in parts; an upload holds at most two in memory."""

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}
_UNLINKABLE = {errno.EXDEV, errno.EPERM, errno.EACCES, errno.EMLINK, errno.EOPNOTSUPP, errno.ENOENT}
# obstore passes the system's error on in words only.
_OS_ERROR = re.compile(r"os error (\d+)")


class ObjectBlobs:
    """Implements the worker's ``BlobStore`` over any store of obstore's. Thread-safe, blocking.

    ``location`` is a directory, made at the first ``put``, or a URL such as ``s3://bucket/prefix``; another process
    that opens the same location finds the same blobs. What is put into a directory is flushed to the disk before
    ``put`` returns: obstore renames into place, but leaves flushing to the system. Raises ``StoreError`` for a URL that
    obstore does not take.
    """

    def __init__(self, location: str | Path) -> None:
        text = str(location)
        self._root: Path | None = None
        self._store: ObjectStore | None = None
        if isinstance(location, Path) or "://" not in text:
            self._root = Path(text).absolute()
            self._prefix = SCHEME
            self.location = str(self._root)
            return
        self._prefix = text if text.endswith("/") else f"{text}/"
        self.location = text
        try:
            self._store = from_url(text)
        except (BaseError, ValueError) as error:
            raise StoreError(f"{text} cannot be used for blobs: {_first_line(error)}") from error

    def put(self, name: str, data: bytes) -> str:
        """Keep ``data`` under a relative name and return its URI. Raises ``StoreFull`` or another ``StoreError``."""
        try:
            obstore.put(self._opened(), name, data)
            if self._root is not None:
                _flush(self._root, self._root / name)
        except (OSError, BaseError, ValueError) as error:
            raise _explained(self._prefix + name, error) from error
        return self._prefix + name

    def get(self, uri: str) -> bytes:
        """The bytes under ``uri``. Raises ``EntityNotFound``, or ``StoreError`` when they cannot be read."""
        name = self._name(uri)
        try:
            return bytes(obstore.get(self._opened(), name).bytes())
        except FileNotFoundError as error:
            raise _missing(uri) from error
        except (OSError, BaseError, ValueError) as error:
            raise _explained(uri, error) from error

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        """At most ``length`` bytes from ``start``; fewer at the end, none behind it. Raises ``EntityNotFound``."""
        name = self._name(uri)
        if length <= 0:
            return b""
        try:
            return bytes(obstore.get_range(self._opened(), name, start=start, length=length))
        except FileNotFoundError as error:
            raise _missing(uri) from error
        except (OSError, BaseError, ValueError) as error:
            # A range that begins behind the end is an error there.
            if start >= self.size(uri):
                return b""
            raise _explained(uri, error) from error

    def size(self, uri: str) -> int:
        """How many bytes stand under ``uri``. Raises ``EntityNotFound``, or ``StoreError``."""
        try:
            return int(obstore.head(self._opened(), self._name(uri))["size"])
        except FileNotFoundError as error:
            raise _missing(uri) from error
        except (OSError, BaseError, ValueError) as error:
            raise _explained(uri, error) from error

    def path(self, uri: str) -> str | None:
        """The file that holds ``uri``, not to be written; ``None`` in a bucket. Raises ``EntityNotFound``."""
        if self._root is None:
            return None
        found = self._root / self._name(uri)
        if not found.is_file():
            raise _missing(uri)
        return str(found)

    def writer(self) -> ObjectWriter | LocalWriter:
        """A place for bytes whose name is known only when the last of them is written."""
        if self._root is not None:
            return LocalWriter(self._root)
        return ObjectWriter(self._opened(), self._prefix)

    def mover(self, path: str) -> LocalMover | None:
        """What brings the local file itself in, uncopied; ``None`` where it has to be copied. Raises ``StoreError``."""
        if self._root is None or (lent := lend(path)) is None:
            return None
        return LocalMover(self._root, path, lent)

    def holds(self, uri: str) -> bool:
        """Whether ``uri`` is one of this store's."""
        return uri.startswith(self._prefix)

    def _name(self, uri: str) -> str:
        if not self.holds(uri):
            raise EntityNotFound(f"{uri} is not in this blob store ({self._prefix}…): open the one that wrote it")
        if self._root is not None and not self._root.is_dir():
            raise EntityNotFound(f"there is no blob {uri}: {self._root} is not there")
        name = uri.removeprefix(self._prefix)
        if "\0" in name or any(part in ("", ".", "..") for part in name.split("/")):
            # Code of users writes addresses: none of them leads out.
            raise EntityNotFound(f"{uri!r} is no name of a blob: use those that the store has given")
        return name

    def _opened(self) -> ObjectStore:
        if self._store is None:
            # Two threads may both get here: they open the same directory twice, and either will do.
            self._store = LocalStore(self._root, mkdir=True)
        return self._store


class LocalWriter:
    """Bytes on their way into a directory; see ``ObjectBlobs.writer``. For one thread.

    By the system's own calls: by obstore's, which copy each byte twice more, it takes four times the processor's time.
    Of a long one the disk writes what is there, while the rest comes.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._staged = root / STAGING / uuid.uuid4().hex
        try:
            self._staged.parent.mkdir(parents=True, exist_ok=True)
            self._file = open(self._staged, "xb", buffering=0)  # noqa: SIM115  closed by finish or abandon
        except OSError as error:
            raise _explained(f"{SCHEME}{STAGING}", error) from error
        self._size = 0
        self._begun = 0

    def write(self, data: bytes | memoryview) -> None:
        """Take more bytes. Raises ``StoreFull`` or another ``StoreError``."""
        view = memoryview(data)
        try:
            while view:
                count = self._file.write(view)
                view = view[count:]
                self._size += count
        except OSError as error:
            raise _explained(f"{SCHEME}{self._staged.name}", error) from error
        if self._size - self._begun >= FLUSHED_BYTES:
            begin_flush(self._file.fileno(), self._begun, self._size - self._begun)
            self._begun = self._size

    def finish(self, name: str) -> str:
        """Keep what was written under ``name``, durably, and return its URI. Raises ``StoreError``."""
        target = self._root / name
        try:
            _make_readable(self._root, self._file.fileno())
            # The name must not be there before the bytes are.
            os.fsync(self._file.fileno())
            self._file.close()
            _name(self._root, self._staged, target)
        except OSError as error:
            # A disk that is full needs what it takes.
            with suppress(OSError):
                self._staged.unlink(missing_ok=True)
            raise _explained(SCHEME + name, error) from error
        finally:
            self._file.close()
        return SCHEME + name

    def abandon(self) -> None:
        """Throw away what was written. Raises ``StoreError``."""
        try:
            self._file.close()
            self._staged.unlink(missing_ok=True)
        except OSError as error:
            raise _explained(f"{SCHEME}{self._staged.name}", error) from error


class LocalMover:
    """A local file on its way into a directory, by a second name for it; see ``ObjectBlobs.mover``. For one thread.

    The first name stays, until the attempt's scratch directory goes: other outputs may mean the same file.
    """

    def __init__(self, root: Path, path: str, lent: Lent) -> None:
        self._root, self._path, self._lent = root, path, lent
        self.descriptor = lent.descriptor
        # The disk works while the digest is taken.
        begin_flush(self.descriptor, 0, 0)

    def finish(self, name: str) -> str | None:
        """Keep the file under ``name``, durably, and return its URI; ``None`` when it has to be copied after all: the
        store is on another disk, or somebody would write to the file. Raises ``StoreError``.
        """
        target = self._root / name
        staged = self._root / STAGING / uuid.uuid4().hex
        try:
            staged.parent.mkdir(parents=True, exist_ok=True)
            os.fsync(self.descriptor)
            try:
                os.link(self._path, staged, follow_symlinks=False)
            except OSError as error:
                if error.errno in _UNLINKABLE:
                    return None
                raise
            if not self._lent.is_whole(staged):
                staged.unlink()
                return None
            _make_readable(self._root, self.descriptor)
            os.fsync(self.descriptor)
            _name(self._root, staged, target)
        except OSError as error:
            raise _explained(SCHEME + name, error) from error
        return SCHEME + name

    def close(self) -> None:
        """Let go of the file."""
        self._lent.close()


class ObjectWriter:
    """Bytes on their way into a bucket, in parts; see ``ObjectBlobs.writer``. For one thread."""

    def __init__(self, store: ObjectStore, prefix: str) -> None:
        self._store, self._prefix = store, prefix
        self._staged = f"{STAGING}/{uuid.uuid4().hex}"
        self._file = obstore.open_writer(store, self._staged, buffer_size=PART_BYTES, max_concurrency=2)

    def write(self, data: bytes | memoryview) -> None:
        """Take more bytes. Raises ``StoreError``."""
        try:
            self._file.write(bytes(data))
        except (OSError, BaseError, ValueError) as error:
            raise _explained(self._prefix + self._staged, error) from error

    def finish(self, name: str) -> str:
        """Keep what was written under ``name`` and return its URI. Raises ``StoreError``."""
        try:
            self._file.close()
            obstore.rename(self._store, self._staged, name)
        except (OSError, BaseError, ValueError) as error:
            raise _explained(self._prefix + name, error) from error
        return self._prefix + name

    def abandon(self) -> None:
        """Throw away what was written. Raises ``StoreError``."""
        try:
            self._file.close()
            obstore.delete(self._store, self._staged)
        except (OSError, BaseError, ValueError) as error:
            raise _explained(self._prefix + self._staged, error) from error


def _missing(uri: str) -> EntityNotFound:
    return EntityNotFound(f"there is no blob {uri}: it was removed, or its home was moved without it")


def _flush(root: Path, file: Path) -> None:
    """Make a new file durable: its bytes, its name, and the names of the directories that it may have brought."""
    flush_file(file)
    _flush_names(root, file)


def _make_readable(root: Path, descriptor: int) -> None:
    """Let those read a file who can read the store; nobody writes to it."""
    os.fchmod(descriptor, root.stat().st_mode & _READABLE)


def _name(root: Path, staged: Path, target: Path) -> None:
    """Give a staged file its name, for good."""
    target.parent.mkdir(parents=True, exist_ok=True)
    staged.replace(target)
    _flush_names(root, target)


def _flush_names(root: Path, file: Path) -> None:
    for directory in file.parents:
        flush_directory(directory)
        if directory == root:
            break


def _explained(what: str, error: Exception) -> StoreError:
    code = error.errno if isinstance(error, OSError) else None
    if code is None and (found := _OS_ERROR.search(str(error))):
        code = int(found[1])
    reason = os.strerror(code) if code is not None else _first_line(error)
    if code in _FULL:
        return StoreFull(f"{what}: {reason}. Free some space, then resume; nothing finished is lost")
    return StoreError(f"blob {what}: {reason}")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
