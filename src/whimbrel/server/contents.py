"""What is in the files, directories and tables that values refer to.

A value is written by somebody's code, and says where its content is: only this server's blob store and the directories
of its home that files are fetched from are looked into, whatever it says. What is elsewhere is not fetched.

Knows: the blob store, directories that may be read, Arrow's datasets. Must not know: HTTP, who asks.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from msgspec import DecodeError, ValidationError

from whimbrel.errors import EntityNotFound, InputInvalid, UnsupportedType, UserError
from whimbrel.model.literals import BlobLiteral, DatasetLiteral
from whimbrel.runtime.ports import BlobStore
from whimbrel.server.showing import name_of
from whimbrel.types.blobs import Entry, Storage, local_files, read_entries
from whimbrel.types.libraries import bounded
from whimbrel.types.tables import open_dataset
from whimbrel.wire.rest.values import Column, TableHead

ROWS = 50
COLUMNS = 60
CELL = 200
"""Characters of a cell."""
LISTED = 16 * 1024 * 1024
"""Bytes of the list of a directory's files; a longer one is not read."""
_LOCAL = "file://"
_COUNTED = ("", "parquet", "feather")
"""Formats of which a file says how many rows it has."""
_TABLES = {".parquet": "parquet", ".feather": "feather"}

Stored = BlobLiteral | DatasetLiteral


class Content(NamedTuple):
    """Bytes that can be fetched: ``read(start, length)`` gives at most ``length`` of them."""

    name: str
    size: int
    read: Callable[[int, int], bytes]


class Contents:
    """See the module. ``readable`` gives the real path of a file or a directory that may be read, and raises
    ``EntityNotFound`` for any other. Blocking, thread-safe."""

    def __init__(self, blobs: BlobStore, readable: Callable[[str], Path]) -> None:
        self._blobs = blobs
        self._readable = readable

    def here(self, uri: str) -> bool:
        """Whether what stands there can be looked into at all."""
        return uri.startswith((_LOCAL, "/")) or self._blobs.holds(uri)

    def file(self, literal: Stored, entry: str = "") -> Content:
        """A file, a table of one file, or the file ``entry`` of a directory. Raises ``EntityNotFound``."""
        if entry:
            for each in self.entries(literal):
                if each.path == entry:
                    return self._content(each.uri, name_of(entry))
            raise EntityNotFound(f"the directory has no file {entry[:200]!r}.")
        return self._content(literal.uri, name_of(literal.uri))

    def entries(self, literal: Stored) -> list[Entry]:
        """The files of a directory. Raises ``EntityNotFound``, ``InputInvalid`` for a list that is too long."""
        uri = literal.uri
        if self._is_local(uri):
            return list(self._local(uri))
        self._must_hold(uri)
        if self._blobs.size(uri) > LISTED:
            raise InputInvalid("the directory has too many files for a page: fetch it with the command line.")
        try:
            return list(read_entries(self._blobs, uri))
        except (DecodeError, ValidationError, UnicodeDecodeError):
            raise EntityNotFound(f"there is no directory at {uri}.") from None

    def table(self, literal: Stored) -> TableHead:
        """The first rows of a table. Raises ``EntityNotFound``; what else keeps it from being shown is said in it."""
        format_ = literal.format or _TABLES.get(os.path.splitext(name_of(literal.uri))[1], "")
        columns = literal.columns if isinstance(literal, DatasetLiteral) else ()
        try:
            dataset = self._dataset(DatasetLiteral(literal.uri, format_))
            names = [name for name in dataset.schema.names if not columns or name in columns]
            count = dataset.count_rows() if format_ in _COUNTED else -1
            head = dataset.head(ROWS, columns=names[:COLUMNS], batch_size=ROWS, **bounded(dataset))
        except EntityNotFound:
            raise
        except UnsupportedType:
            return _no_table("This server cannot read tables: pyarrow is not installed where it runs. Download it.")
        except (UserError, ValueError, OSError, NotImplementedError) as error:
            # Arrow's own errors are ValueErrors and OSErrors.
            return _no_table(f"It cannot be read as a table: {str(error).partition(chr(10))[0][:300]}")
        return TableHead(
            [Column(field.name, str(field.type), _is_number(field.type)) for field in head.schema],
            [list(row) for row in zip(*(map(_cell, column.to_pylist()) for column in head.columns), strict=True)],
            *(count, len(names), ""),
        )

    # --- inside

    def _dataset(self, literal: DatasetLiteral) -> Any:
        uri = literal.uri
        if self._is_local(uri):
            entries = list(self._local(uri))
            parts = [entry for entry in entries if not entry.path.rpartition("/")[2].startswith((".", "_"))]
            if not parts:
                raise EntityNotFound(f"there is no table at {uri}.")
            # One file of it: what is beside it may be a link to anywhere by the time Arrow looks.
            return open_dataset(DatasetLiteral(parts[0].uri, literal.format), None, {})
        self._must_hold(uri)
        return open_dataset(literal, Storage(self._blobs, _no_scratch), {})

    def _is_local(self, uri: str) -> bool:
        return uri.startswith((_LOCAL, "/"))

    def _must_hold(self, uri: str) -> None:
        if not self._blobs.holds(uri):
            raise EntityNotFound(f"{uri[:200]} is not kept by this server: fetch it from where it is.")

    def _local(self, uri: str) -> list[Entry]:
        root = self._readable(uri.removeprefix(_LOCAL))
        if not root.is_dir():
            return [Entry(root.name, f"{_LOCAL}{root}", "", root.stat().st_size)]
        found = []
        for relative in local_files(str(root)):
            try:
                path = self._readable(str(root / relative))
            except EntityNotFound:
                continue  # a link that leads out
            if path.is_file():
                found.append(Entry(relative, f"{_LOCAL}{path}", "", path.stat().st_size))
        return found

    def _content(self, uri: str, name: str) -> Content:
        if self._is_local(uri):
            path = self._readable(uri.removeprefix(_LOCAL))
            if not path.is_file():
                raise EntityNotFound(f"{name} is no file.")
            return Content(name, path.stat().st_size, lambda start, length: _read(path, start, length))
        self._must_hold(uri)
        return Content(name, self._blobs.size(uri), lambda start, length: self._blobs.read_range(uri, start, length))


def _read(path: Path, start: int, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(start)
        return file.read(length)


def _no_scratch() -> str:
    raise AssertionError("a preview writes nothing")


def _no_table(remark: str) -> TableHead:
    return TableHead([], [], -1, 0, remark)


def _is_number(kind: Any) -> bool:
    import pyarrow.types as kinds

    return bool(kinds.is_integer(kind) or kinds.is_floating(kind) or kinds.is_decimal(kind))


def _cell(value: object) -> str | None:
    if value is None:
        return None
    text = value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else str(value)
    return text if len(text) <= CELL else f"{text[: CELL - 1]}…"
