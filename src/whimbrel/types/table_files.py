"""Formats of tables: how Arrow's tables become files, one after another, and how files become a dataset of Arrow's.

Knows: pyarrow. Must not know: libraries of frames, literals, any store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import IO, Any, Final, NamedTuple, Protocol

from whimbrel.errors import UserError, ValueMismatch
from whimbrel.model.literal_types import LiteralType
from whimbrel.types.columns import arrow_type_of, names_of

PARQUET: Final = "parquet"
_VALUES_AT_ONCE: Final = 4 * 1024 * 1024
"""Values in a group of rows: what a writer holds in memory, and the least that a reader of one column reads: 32 MiB and
4 MiB for eight columns of doubles. Fewer make a bucket's round trips felt.
"""
_ROWS_AT_LEAST: Final = 64 * 1024
_ROWS_AT_MOST: Final = 1024 * 1024


class TableWriter(Protocol):
    """Writes one file. Arrow's own writers are such."""

    def write_table(self, table: Any) -> None:
        """Write more rows, as one group where the format has groups."""
        ...

    def close(self) -> None:
        """Write what comes behind the rows. What they are written into stays open."""
        ...


class TableFormat(NamedTuple):
    """``writer(schema, sink)`` begins a file; ``reading(columns)`` is the ``pyarrow.dataset.FileFormat``."""

    name: str
    suffixes: tuple[str, ...]
    writer: Callable[[Any, IO[bytes]], TableWriter]
    reading: Callable[[Mapping[str, LiteralType]], Any]


def rows_at_once(schema: Any) -> int:
    """Rows in a group. It depends on the schema alone, so that equal tables are equal files."""
    return min(_ROWS_AT_MOST, max(_ROWS_AT_LEAST, _VALUES_AT_ONCE // max(1, len(schema))))


def groups(schema: Any, tables: Iterable[Any], rows: int) -> Iterator[Any]:
    """The same rows in tables of exactly ``rows``, but for the last."""
    import pyarrow as pa

    waiting: list[Any] = []
    count = 0
    for table in tables:
        if table.schema != schema:
            table = table.cast(schema)
        while count + table.num_rows >= rows:
            cut = rows - count
            yield pa.concat_tables([*waiting, table.slice(0, cut)])
            table, waiting, count = table.slice(cut), [], 0
        if table.num_rows:
            waiting.append(table)
            count += table.num_rows
    if waiting:
        yield pa.concat_tables(waiting)


def _write_parquet(schema: Any, sink: IO[bytes]) -> TableWriter:
    import pyarrow.parquet as pq

    made: TableWriter = pq.ParquetWriter(sink, schema)
    return made


def _read_parquet(columns: Mapping[str, LiteralType]) -> Any:
    import pyarrow.dataset as ds

    # What has been decoded is not kept; requests that lie close together become one.
    return ds.ParquetFileFormat(default_fragment_scan_options=ds.ParquetFragmentScanOptions(pre_buffer=True))


def _write_feather(schema: Any, sink: IO[bytes]) -> TableWriter:
    import pyarrow as pa

    made: TableWriter = pa.ipc.new_file(sink, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
    return made


def _read_feather(columns: Mapping[str, LiteralType]) -> Any:
    import pyarrow.dataset as ds

    return ds.IpcFileFormat()


def _write_csv(schema: Any, sink: IO[bytes]) -> TableWriter:
    import pyarrow as pa
    import pyarrow.csv

    nested = [field.name for field in schema if pa.types.is_nested(field.type)]
    if nested:
        raise ValueMismatch("columns that CSV can hold", f"lists or structs in {names_of(nested)}")
    made: TableWriter = pyarrow.csv.CSVWriter(sink, schema)
    return made


def _read_csv(columns: Mapping[str, LiteralType]) -> Any:
    import pyarrow.csv
    import pyarrow.dataset as ds

    types = {name: arrow_type_of(kind) for name, kind in columns.items()}
    options = pyarrow.csv.ConvertOptions(column_types={name: kind for name, kind in types.items() if kind is not None})
    return ds.CsvFileFormat(convert_options=options)


class _JsonLines:
    """pyarrow reads lines of JSON, and writes none."""

    def __init__(self, schema: Any, sink: IO[bytes]) -> None:
        import msgspec

        self._encode = msgspec.json.Encoder().encode
        self._sink = sink

    def write_table(self, table: Any) -> None:
        for batch in table.to_batches(max_chunksize=8192):
            self._sink.writelines(self._encode(row) + b"\n" for row in batch.to_pylist())

    def close(self) -> None:
        pass


def _read_jsonl(columns: Mapping[str, LiteralType]) -> Any:
    import pyarrow.dataset as ds

    return ds.JsonFileFormat()


_formats: dict[str, TableFormat] = {}
_by_suffix: dict[str, str] = {}


def register_format(made: TableFormat, *, replace: bool = False) -> None:
    """Add a format. Raises ``UserError`` when there is one of that name, unless ``replace`` is set."""
    if made.name in _formats and not replace:
        raise UserError(f"there is a format {made.name!r} already; pass replace=True to take its place")
    _formats[made.name] = made
    _by_suffix.update(dict.fromkeys(made.suffixes, made.name))


for _each in (
    TableFormat(PARQUET, ("parquet", "pq"), _write_parquet, _read_parquet),
    TableFormat("csv", ("csv",), _write_csv, _read_csv),
    TableFormat("feather", ("feather", "arrow", "ipc"), _write_feather, _read_feather),
    TableFormat("jsonl", ("jsonl", "ndjson", "json"), _JsonLines, _read_jsonl),
):
    register_format(_each)


def table_format(name: str) -> TableFormat:
    """The format of a name or suffix; "" is Parquet. Raises ``UserError``."""
    found = _formats.get(name or PARQUET) or _formats.get(_by_suffix.get(name, ""))
    if found is None:
        raise UserError(f"no tables are written as {name!r}; the formats are {', '.join(_formats)}")
    return found


def format_of_path(path: str) -> str:
    """The format that the suffix of a path or URI says, "" if it says none."""
    name = path.rstrip("/").rpartition("/")[2]
    return _by_suffix.get(name.rpartition(".")[2].lower(), "") if "." in name else ""
