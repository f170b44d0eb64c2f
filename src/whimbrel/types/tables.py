"""Tables in stores: written group by group, read by range; a folder of files is a table too, parted by their names.

A table of one file is kept as a file is (`files/<sha256>/data.parquet`), one of several as a directory is, so equal
tables have equal URIs.

Knows: pyarrow's datasets, stored files and trees, frames. Must not know: Python annotations, who runs the program.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any, Final, NamedTuple

from whimbrel.errors import EntityNotFound, UserError, ValueMismatch
from whimbrel.model.literal_types import LiteralType
from whimbrel.model.literals import DatasetLiteral
from whimbrel.types.blobs import (
    CHUNK,
    Entry,
    FileStore,
    Incoming,
    Kept,
    Outgoing,
    Storage,
    keep_directory,
    keep_entries,
    keep_file,
    read_entries,
)
from whimbrel.types.columns import names_of
from whimbrel.types.held import HeldDataset
from whimbrel.types.libraries import library_of, require_arrow
from whimbrel.types.paths import LOCAL, STORED, local_path
from whimbrel.types.places import READABLE, place_of
from whimbrel.types.ranged_files import ranged_files
from whimbrel.types.table_files import groups, rows_at_once, table_format

_TREE: Final = re.compile(r"(?:^|[:/])directories/[0-9a-f]{64}/")
_STEM: Final = "data"
_PARTS_AT_MOST: Final = 200
"""How many files a table may be parted into: all are open at a time, and each holds some MiB of the store's buffers."""
_FULL_SCHEMA: Final = b"whimbrel.schema"
"""In the metadata of each file of a parted table: the schema of the whole, as the names of folders carry no types."""
_NULL: Final = "__HIVE_DEFAULT_PARTITION__"


# --- in --------------------------------------------------------------------------------------------------------------


def keep_dataset(store: FileStore, literal: DatasetLiteral, own: str = "") -> DatasetLiteral:
    """``literal`` with what it refers to in ``store``: a frame in memory is written, a local file or folder is copied,
    or moved from below ``own``; what is in a store stays there.

    Raises ``ValueMismatch`` for a frame that cannot be written in the format, ``OSError`` for a path that cannot be
    read.
    """
    if isinstance(literal, HeldDataset):
        format_ = table_format(literal.format).name
        kept = _keep_frame(store, literal, format_)
        return DatasetLiteral(kept.uri, format_, literal.columns, kept.digest, kept.size)
    if not literal.uri.startswith(LOCAL):
        return literal
    path = local_path(literal.uri)
    kept = (keep_directory if os.path.isdir(path) else keep_file)(store, path, own)
    return DatasetLiteral(kept.uri, literal.format, literal.columns, kept.digest, kept.size)


def _keep_frame(store: FileStore, literal: HeldDataset, format_: str) -> Kept:
    require_arrow(f"a frame of {type(literal.frame).__qualname__}")
    schema, tables = library_of(literal.frame).batches(literal.frame)
    if literal.partition_by:
        return _keep_parted(store, schema, tables, literal.partition_by, format_)
    with _Sink(store, format_, schema) as sink:
        for group in groups(schema, tables, rows_at_once(schema)):
            sink.write(group)
    assert sink.kept is not None
    return sink.kept


class _Sink:
    """A file of a table on its way into a store; abandoned when writing it fails."""

    def __init__(self, store: FileStore, format_: str, schema: Any) -> None:
        self._raw = Incoming(store, f"{_STEM}.{format_}")
        self._buffered = _Buffered(self._raw)
        self._stream = io.BufferedWriter(self._buffered, CHUNK)
        self.kept: Kept | None = None
        try:
            self._writer = table_format(format_).writer(schema, self._stream)
        except BaseException:
            self._abandon()
            raise

    def write(self, table: Any) -> None:
        import pyarrow as pa

        try:
            self._writer.write_table(table)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, TypeError) as error:
            raise ValueMismatch(f"a table that {self._raw.name} can hold", str(error)) from None

    def __enter__(self) -> _Sink:
        return self

    def __exit__(self, exc_type: Any, exc: Any, tb: Any) -> None:
        if exc_type is not None:
            # Its writer ends what it began, into nowhere: it would do so when it is collected.
            self._buffered.dead = True
            with suppress(Exception):
                self._writer.close()
            self._abandon()
            return
        try:
            self._writer.close()
            self._stream.close()
        except BaseException:
            self._abandon()
            raise
        self._raw.close()
        self.kept = self._raw.kept

    def _abandon(self) -> None:
        self._buffered.dead = True
        with suppress(Exception):
            self._stream.close()
        self._raw.abandon()


class _Buffered(io.RawIOBase):
    """What lies between a buffer and a store: closing it decides nothing, and once it is dead it swallows bytes."""

    def __init__(self, raw: Incoming) -> None:
        super().__init__()
        self._raw = raw
        self.dead = False

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return len(data) if self.dead else self._raw.write(data)


def _keep_parted(store: FileStore, schema: Any, tables: Iterable[Any], by: tuple[str, ...], format_: str) -> Kept:
    """Write a folder a value: ``year=2024/month=5/data.parquet``."""
    import pyarrow as pa

    for name in by:
        if schema.get_field_index(name) < 0:
            raise ValueMismatch(f"a column {name!r} to part the table by", f"a table of {names_of(schema.names)}")
    if len(by) == len(schema):
        raise ValueMismatch("a table with columns besides those that part it", f"only {names_of(list(by))}")
    full = schema.serialize().to_pybytes()
    inner = pa.schema(
        [field for field in schema if field.name not in by], {**(schema.metadata or {}), _FULL_SCHEMA: full}
    )
    # One pass over the rows with a file open for each value: rows of a value may stand anywhere.
    sinks: dict[str, _Sink] = {}
    with ExitStack() as closing:
        for group in groups(schema, tables, rows_at_once(schema)):
            for folder, part in _parts(group, by):
                if folder not in sinks:
                    if len(sinks) == _PARTS_AT_MOST:
                        raise UserError(
                            f"more than {_PARTS_AT_MOST} parts by {', '.join(by)}: part the table by a column with "
                            "fewer values"
                        )
                    sinks[folder] = closing.enter_context(_Sink(store, format_, inner))
                sinks[folder].write(part.drop_columns(list(by)).replace_schema_metadata(inner.metadata))
    entries = []
    for folder, sink in sorted(sinks.items()):
        assert sink.kept is not None
        entries.append(Entry(f"{folder}/{_STEM}.{format_}", sink.kept.uri, sink.kept.digest, sink.kept.size))
    return keep_entries(store, entries, _STEM)


def _parts(table: Any, by: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """The rows of each value, in the order in which values are first met, with the folder that they go to."""
    from urllib.parse import quote

    import pyarrow as pa

    values = table.select(list(by)).to_pylist()
    rows: dict[str, list[int]] = {}
    for at, row in enumerate(values):
        named = (
            f"{quote(name, safe='')}={_NULL if row[name] is None else quote(str(row[name]), safe='')}" for name in by
        )
        rows.setdefault("/".join(named), []).append(at)
    for folder, indices in rows.items():
        yield folder, table.take(pa.array(indices, pa.int64())) if len(rows) > 1 else table


# --- out -------------------------------------------------------------------------------------------------------------


class _File(NamedTuple):
    """A file of a table: ``name`` is relative to the table, with folders that may say values of columns."""

    name: str
    path: str


def open_dataset(literal: DatasetLiteral, storage: Storage | None, declared: Mapping[str, LiteralType]) -> Any:
    """The ``pyarrow.dataset.Dataset`` of a table: its schema is read, its rows are not.

    Raises ``EntityNotFound`` for what is not there or cannot be read from here, ``ValueMismatch`` for what is no table
    of its format.
    """
    require_arrow("a dataset")
    import pyarrow as pa
    import pyarrow.dataset as ds

    made = table_format(literal.format)
    filesystem, files = _files(literal, storage)
    if not files:
        raise EntityNotFound(f"{literal.uri} is a folder without a file: there is no table in it")
    reading = made.reading(declared)
    try:
        own = reading.inspect(files[0].path, filesystem)
        schema, parting = _parting(own, [_folders(file.name) for file in files])
        fragments = [
            reading.make_fragment(file.path, filesystem, partition_expression=parting.parse(_folder(file.name)))
            if parting is not None
            else reading.make_fragment(file.path, filesystem)
            for file in files
        ]
        return ds.FileSystemDataset(fragments, schema, reading, filesystem)
    except FileNotFoundError:
        raise EntityNotFound(f"there is no table at {literal.uri}") from None
    except pa.ArrowInvalid as error:
        raise ValueMismatch(f"a table in {made.name}", f"{literal.uri}: {error}") from None


def _folder(name: str) -> str:
    return name.rpartition("/")[0] + "/"


def _folders(name: str) -> dict[str, str]:
    """The columns that the folders of a file's name say: ``year=2024/``."""
    from urllib.parse import unquote

    said = (folder.partition("=") for folder in name.split("/")[:-1])
    return {unquote(column): unquote(value) for column, equals, value in said if equals}


def _parting(own: Any, folders: list[dict[str, str]]) -> tuple[Any, Any]:
    """The schema of a whole table, and what reads the names of its folders; ``None`` where these say nothing.

    What whimbrel wrote knows the types of all columns. In others, a column of whole numbers is one of integers.
    """
    import pyarrow as pa
    import pyarrow.dataset as ds

    names = [name for name in folders[0] if own.get_field_index(name) < 0]
    if not names:
        return own, None
    full = (own.metadata or {}).get(_FULL_SCHEMA)
    if full is not None:
        schema = pa.ipc.read_schema(pa.py_buffer(full))
        fields = [schema.field(name) for name in names]
    else:
        fields = [pa.field(name, _seen_type([each.get(name, _NULL) for each in folders])) for name in names]
        schema = pa.schema([*own, *fields], own.metadata)
    return schema, ds.HivePartitioning(pa.schema(fields), null_fallback=_NULL)


def _seen_type(values: list[str]) -> Any:
    import pyarrow as pa

    whole = all(value == _NULL or (value.lstrip("-").isdecimal() and value == str(int(value))) for value in values)
    return pa.int64() if whole else pa.string()


def _files(literal: DatasetLiteral, storage: Storage | None) -> tuple[Any, list[_File]]:
    """A file system of Arrow's, and the files of the table on it."""
    import pyarrow.fs as fs

    uri = literal.uri
    if uri.startswith(LOCAL):
        return _listed(fs.LocalFileSystem(), local_path(uri), uri)
    if uri.startswith(STORED) or (storage is not None and storage.store.holds(uri)):
        if storage is None:
            raise EntityNotFound(
                f"{uri} is in a blob store, and nothing runs here that has one: open it in a task or an eager workflow"
            )
        return _stored(storage.store, literal)
    return _elsewhere(uri)


def _elsewhere(uri: str) -> tuple[Any, list[_File]]:
    place = place_of(uri)
    if place is None:
        raise EntityNotFound(f"{uri} cannot be read: a table is at {READABLE}, or in whimbrel's own store")
    try:
        entries = [Entry(uri.rpartition("/")[2], uri, "", place.known(uri).size)]
    except EntityNotFound:
        entries = [entry for entry in place.entries(uri) if _is_part(entry.path)]
        if not entries:
            raise
    filesystem = ranged_files(entries, lambda entry: place.reader(entry.uri))
    return filesystem, [_File(entry.path, entry.path) for entry in entries]


def _reader(store: FileStore, entry: Entry) -> io.RawIOBase:
    return Outgoing(store, entry.uri, entry.size)


def _listed(filesystem: Any, path: str, uri: str) -> tuple[Any, list[_File]]:
    import pyarrow.fs as fs

    info = filesystem.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise EntityNotFound(f"there is no table at {uri}")
    if info.type != fs.FileType.Directory:
        return filesystem, [_File(info.base_name, path)]
    found = filesystem.get_file_info(fs.FileSelector(path, recursive=True))
    root = path.rstrip("/") + "/"
    files = sorted(_File(each.path.removeprefix(root), each.path) for each in found if each.is_file)
    return filesystem, [file for file in files if _is_part(file.name)]


def _is_part(name: str) -> bool:
    """Whether a file is one of the table: what begins with a dot or an underscore is about it."""
    return name.rpartition("/")[2][:1] not in (".", "_")


def _stored(store: FileStore, literal: DatasetLiteral) -> tuple[Any, list[_File]]:
    """Arrow reads the files of a local store by itself; those of others by ranges that the store reads."""
    import pyarrow.fs as fs

    if _TREE.search(literal.uri):
        entries = [entry for entry in read_entries(store, literal.uri) if _is_part(entry.path)]
    else:
        size = literal.size if literal.size >= 0 else store.size(literal.uri)
        entries = [Entry(literal.uri.rpartition("/")[2], literal.uri, literal.digest, size)]
    paths = [store.path(entry.uri) for entry in entries]
    if None not in paths:
        files = [_File(entry.path, path or "") for entry, path in zip(entries, paths, strict=True)]
        return fs.LocalFileSystem(), files
    return ranged_files(entries, partial(_reader, store)), [_File(entry.path, entry.path) for entry in entries]
