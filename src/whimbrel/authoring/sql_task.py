"""``SQLTask``: a task that is a query over SQLite or DuckDB.

Values are bound as parameters of the statement: nothing in them is read as SQL. Knows the two databases (DuckDB is
imported when a query runs on it). Must not know tables in blob stores: what a query gives is a frame or rows.
"""

from __future__ import annotations

import datetime as dt
import enum
import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from whimbrel.authoring.file_values import json_of
from whimbrel.authoring.instance_task import InstanceTask
from whimbrel.authoring.shell_task import scratch_directory
from whimbrel.authoring.sql_template import Query
from whimbrel.errors import CallMismatch, UserError
from whimbrel.types.datasets import StructuredDataset
from whimbrel.types.files import FlyteFile

ROWS = list[dict[str, Any]]
"""What a query gives unless something else is said: a dict for each row."""


class SQLiteConfig(NamedTuple):
    """An SQLite database: a path, a URI of a file (which is fetched), or ``:memory:``."""

    uri: str


class SQLite3Config(NamedTuple):
    """The same in flytekit's form. ``compressed``: the database is the file in a zip archive."""

    uri: str
    compressed: bool = False


class DuckDBConfig(NamedTuple):
    """A DuckDB database: a path, or ``:memory:``, from where a query reads files by their names."""

    path: str = ":memory:"
    read_only: bool = False


Result = tuple[list[str], Sequence[Sequence[Any]]]
"""Columns, and rows."""


class SQLTask(InstanceTask):
    """A query. ``{{ .inputs.x }}`` is bound as a parameter, a list as many (``IN ({{ .inputs.ids }})``);
    ``{{ .inputs.table | identifier }}`` is the name of a table or column, quoted as such.

    ``task_config`` says which database: ``SQLiteConfig``, ``SQLite3Config`` or ``DuckDBConfig``. The output
    ``results`` is of the type ``output_schema_type``: a list of dicts if nothing is said, a frame of pandas, polars or
    Arrow, a ``StructuredDataset`` of one, or a list of a dataclass's. ``options`` are those of ``InstanceTask``.
    """

    def __init__(
        self,
        name: str,
        query_template: str,
        task_config: Any = None,
        inputs: Mapping[str, Any] | None = None,
        metadata: Any = None,
        output_schema_type: Any = None,
        **options: Any,
    ) -> None:
        if not isinstance(task_config, SQLiteConfig | SQLite3Config | DuckDBConfig):
            raise CallMismatch(
                f"{name}: its task_config is {type(task_config).__name__}. "
                "Say which database: SQLiteConfig(uri=...), SQLite3Config(uri=...) or DuckDBConfig(...)."
            )
        options.pop("task_type", None)  # flytekit's name for the kind of database
        result = ROWS if output_schema_type is None else output_schema_type
        super().__init__(
            name, inputs=inputs, outputs={"results": result}, task_config=task_config, metadata=metadata, **options
        )
        self.query_template = query_template
        self._query = Query(name, query_template)
        unknown = [used for used in self._query.inputs if used not in self._inputs]
        if unknown:
            raise CallMismatch(f"{name}: the query names {', '.join(unknown)}. Declare it in `inputs`.")
        self.database = repr(task_config)

    def execute(self, **inputs: Any) -> Any:
        """Run the query."""
        config = self.task_config
        if isinstance(config, DuckDBConfig):
            columns, rows = self._in_duckdb(config, *self._query.bound(inputs, "$"))
        else:
            columns, rows = self._in_sqlite(config, *self._query.bound(inputs, ":"))
        return shaped(self._outputs["results"], columns, rows, self.name)

    def _in_sqlite(self, config: SQLiteConfig | SQLite3Config, text: str, values: dict[str, Any]) -> Result:
        import sqlite3
        from contextlib import closing

        try:
            with closing(sqlite3.connect(database_path(config))) as connection, connection:
                cursor = connection.execute(text, {name: _plain(value) for name, value in values.items()})
                columns = [column[0] for column in cursor.description or ()]
                return columns, cursor.fetchall()
        except (sqlite3.Error, sqlite3.Warning) as error:
            raise UserError(f"{self.name}: SQLite says: {error}. Mend the query, or the database.") from error

    def _in_duckdb(self, config: DuckDBConfig, text: str, values: dict[str, Any]) -> Result:
        try:
            import duckdb  # a large library, and an extra
        except ImportError:
            raise UserError(f"{self.name} needs DuckDB. Install it: pip install 'whimbrel[duckdb]'.") from None
        try:
            with duckdb.connect(config.path, read_only=config.read_only) as connection:
                cursor = connection.execute(text, {name: _native(value) for name, value in values.items()})
                columns = [column[0] for column in cursor.description or ()]
                return columns, cursor.fetchall() if columns else []
        except duckdb.Error as error:
            raise UserError(f"{self.name}: DuckDB says: {error}. Mend the query, or the database.") from error


class SQLite3Task(SQLTask):
    """``SQLTask`` in the form of ``flytekit.extras.sqlite3``: it gives a ``StructuredDataset`` if nothing is said."""

    def __init__(
        self,
        name: str,
        query_template: str,
        inputs: Mapping[str, Any] | None = None,
        task_config: SQLite3Config | None = None,
        output_schema_type: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            name,
            query_template,
            task_config,
            inputs,
            output_schema_type=StructuredDataset if output_schema_type is None else output_schema_type,
            **options,
        )


def database_path(config: SQLiteConfig | SQLite3Config) -> str:
    """Where the database lies on this machine; one elsewhere is fetched. Raises ``UserError``."""
    uri = config.uri.removeprefix("sqlite:///")
    if uri == ":memory:":
        return uri
    path = os.fspath(FlyteFile(uri)) if "://" in uri else uri
    if getattr(config, "compressed", False):
        import zipfile

        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if not name.endswith("/")]
            if len(names) != 1:
                raise UserError(f"{config.uri} holds {len(names)} files. Give an archive of one database.")
            path = archive.extract(names[0], scratch_directory())
    return path


def _plain(value: Any) -> Any:
    """As SQLite keeps it: numbers, text, bytes. Moments are ISO 8601, spans seconds, the rest JSON."""
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, int | float | str | bytes | type(None)):
        return value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    return _json(value)


def _native(value: Any) -> Any:
    return value if isinstance(value, dt.datetime | dt.date | dt.timedelta) else _plain(value)


def _json(value: Any) -> str:
    import dataclasses
    import json

    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        value = dataclasses.asdict(value)
    return json.dumps(json_of(value))


# --- what a query gives ----------------------------------------------------------------------------------------------


def shaped(kind: Any, columns: list[str], rows: Sequence[Sequence[Any]], name: str) -> Any:
    """The rows as a value of the type ``kind``. Raises ``UserError`` when a library that it wants is not there."""
    bare = getattr(kind, "__origin__", None) if hasattr(kind, "__metadata__") else kind
    library = str(getattr(bare, "__module__", "")).partition(".")[0]
    if kind == ROWS:
        return [dict(zip(columns, row, strict=True)) for row in rows]
    if library in ("pandas", "polars", "pyarrow"):
        return _frame(library, columns, rows)
    if isinstance(bare, type) and issubclass(bare, StructuredDataset):
        import importlib.util

        found = next((one for one in ("pandas", "polars", "pyarrow") if importlib.util.find_spec(one)), "")
        if not found:
            raise UserError(f"{name} gives a table. Install pandas, polars or pyarrow where it runs.")
        return StructuredDataset(dataframe=_frame(found, columns, rows))
    import msgspec

    try:
        return msgspec.convert([dict(zip(columns, row, strict=True)) for row in rows], kind, strict=False)
    except msgspec.ValidationError as error:
        raise UserError(f"{name}: a row is not what was declared: {error}. Mend the query or the type.") from None


def _frame(library: str, columns: list[str], rows: Sequence[Sequence[Any]]) -> Any:
    import importlib

    made: Any = importlib.import_module(library)
    if library == "pandas":
        return made.DataFrame([tuple(row) for row in rows], columns=columns)
    if library == "polars":
        return made.DataFrame([tuple(row) for row in rows], schema=columns, orient="row", infer_schema_length=None)
    return made.table({column: [row[at] for row in rows] for at, column in enumerate(columns)})
