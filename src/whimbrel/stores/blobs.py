"""Bytes too large for a row: files in a directory, or objects in a bucket, through obstore.

Knows: obstore, and that a local file must be flushed by hand. Must not know: what the bytes are.

Local URIs are relative (`blob:literals/<digest>`), so that a home that is moved keeps its values. URIs of remote stores
are whole.
"""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, from_url

from whimbrel.errors import EntityNotFound, StoreError, StoreFull
from whimbrel.stores.flushing import flush_directory, flush_file

SCHEME = "blob:"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EFBIG}
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
        if not uri.startswith(self._prefix):
            raise EntityNotFound(f"{uri} is not in this blob store ({self._prefix}…): open the one that wrote it")
        if self._root is not None and not self._root.is_dir():
            raise EntityNotFound(f"there is no blob {uri}: {self._root} is not there")
        try:
            return bytes(obstore.get(self._opened(), uri.removeprefix(self._prefix)).bytes())
        except FileNotFoundError as error:
            raise EntityNotFound(f"there is no blob {uri}: it was removed, or its home was moved without it") from error
        except (OSError, BaseError, ValueError) as error:
            raise _explained(uri, error) from error

    def _opened(self) -> ObjectStore:
        if self._store is None:
            # Two threads may both get here: they open the same directory twice, and either will do.
            self._store = LocalStore(self._root, mkdir=True)
        return self._store


def _flush(root: Path, file: Path) -> None:
    """Make a new file durable: its bytes, its name, and the names of the directories that it may have brought."""
    flush_file(file)
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
