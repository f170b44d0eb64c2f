"""Libraries of frames: how the objects of each become Arrow's tables, and come back.

A library is found by the name of its class, so that nothing is imported before somebody annotates with it. Further
ones are added by ``register_library`` or the entry-point group ``whimbrel.frames``.

Knows: pandas, polars and pyarrow, each in its own class here. Must not know: formats, stores, literals.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar, Final

from whimbrel.errors import UnsupportedType, UserError
from whimbrel.types.mismatch import full_name, mismatch

ENTRY_POINTS: Final = "whimbrel.frames"
"""The entry-point group for libraries of frames: each names a ``FrameLibrary`` class or instance."""


class FrameLibrary(ABC):
    """Derive from it to teach whimbrel a class of frames; ``register_library`` an instance."""

    frame: ClassVar[str]
    """``root.Class``: the top-level module and the name of the class; its subclasses are served too."""
    immutable: ClassVar[bool] = False
    """Whether an object never changes: one that came from a store is then passed on without being written again."""

    @abstractmethod
    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        """The ``pyarrow.Schema`` of ``frame``, and its rows as ``pyarrow.Table`` objects, one after another."""

    @abstractmethod
    def from_arrow(self, table: Any) -> Any:
        """The frame of a ``pyarrow.Table``."""

    def schema(self, frame: Any) -> Any:
        """The ``pyarrow.Schema`` of ``frame``, without reading its rows where that can be had."""
        return self.batches(frame)[0]

    def from_dataset(self, dataset: Any, columns: list[str] | None) -> Any:
        """The frame of ``columns`` of a ``pyarrow.dataset.Dataset``; ``None`` for all of them."""
        return self.from_arrow(dataset.to_table(columns=columns))


def table_of(library: FrameLibrary, frame: Any) -> Any:
    """``frame`` as one ``pyarrow.Table``."""
    import pyarrow as pa

    schema, tables = library.batches(frame)
    found = list(tables)
    return pa.concat_tables(found) if found else schema.empty_table()


class _Pandas(FrameLibrary):
    frame = "pandas.DataFrame"

    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        import pyarrow as pa

        try:
            table = pa.Table.from_pandas(frame)
        except pa.ArrowException as error:
            # Arrow's message, then which column it was.
            because = "; ".join(str(each) for each in error.args)
            raise mismatch("columns that Arrow can hold", frame, because) from None
        return table.schema, (table,)

    def schema(self, frame: Any) -> Any:
        import pyarrow as pa

        try:
            return pa.Schema.from_pandas(frame)
        except pa.ArrowException as error:
            because = "; ".join(str(each) for each in error.args)
            raise mismatch("columns that Arrow can hold", frame, because) from None

    def from_arrow(self, table: Any) -> Any:
        return table.to_pandas()

    def from_dataset(self, dataset: Any, columns: list[str] | None) -> Any:
        if columns is not None and (metadata := dataset.schema.pandas_metadata):
            # An index that is kept as a column belongs to every choice of columns.
            index = [name for name in metadata["index_columns"] if isinstance(name, str)]
            columns = [*columns, *(name for name in index if name not in columns)]
        return self.from_arrow(dataset.to_table(columns=columns))


class _Polars(FrameLibrary):
    frame = "polars.DataFrame"

    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        table = _polars_table(frame)
        return table.schema, (table,)

    def schema(self, frame: Any) -> Any:
        return _polars_table(frame.clear()).schema

    def from_arrow(self, table: Any) -> Any:
        import polars as pl

        return pl.from_arrow(table)


class _LazyPolars(FrameLibrary):
    """Written as it is computed, batch by batch; read when it is collected, and then only what the query needs."""

    frame = "polars.LazyFrame"
    immutable = True

    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        return self.schema(frame), (_polars_table(batch) for batch in frame.collect_batches(maintain_order=True))

    def schema(self, frame: Any) -> Any:
        import polars as pl

        return _polars_table(pl.DataFrame(schema=frame.collect_schema())).schema

    def from_arrow(self, table: Any) -> Any:
        import polars as pl

        frame: Any = pl.from_arrow(table)
        return frame.lazy()

    def from_dataset(self, dataset: Any, columns: list[str] | None) -> Any:
        import polars as pl

        scan = pl.scan_pyarrow_dataset(dataset)
        return scan if columns is None else scan.select(columns)


def _polars_table(frame: Any) -> Any:
    import polars as pl

    # Without the views of strings that other readers of Parquet don't know.
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


class _Arrow(FrameLibrary):
    frame = "pyarrow.Table"
    immutable = True

    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        return frame.schema, (frame,)

    def from_arrow(self, table: Any) -> Any:
        return table


class _ArrowBatch(FrameLibrary):
    frame = "pyarrow.RecordBatch"
    immutable = True

    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        import pyarrow as pa

        return frame.schema, (pa.Table.from_batches([frame]),)

    def from_arrow(self, table: Any) -> Any:
        import pyarrow as pa

        batches = table.combine_chunks().to_batches()
        return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


class _ArrowReader(FrameLibrary):
    """A stream of batches: a table that need not fit into memory, written and read once."""

    frame = "pyarrow.RecordBatchReader"

    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        import pyarrow as pa

        return frame.schema, (pa.Table.from_batches([batch]) for batch in frame)

    def schema(self, frame: Any) -> Any:
        return frame.schema

    def from_arrow(self, table: Any) -> Any:
        return table.to_reader()

    def from_dataset(self, dataset: Any, columns: list[str] | None) -> Any:
        return dataset.scanner(columns=columns, **bounded(dataset)).to_reader()


def bounded(dataset: Any) -> dict[str, Any]:
    """How a ``pyarrow.dataset.Dataset`` is scanned that need not fit into memory: Arrow's own choice is to read 16
    batches of 4 files ahead, and to keep what it has read of a file of Parquet until the end of the scan.
    """
    import pyarrow.dataset as ds

    said: dict[str, Any] = {"batch_readahead": 1, "fragment_readahead": 1, "use_threads": False}
    if isinstance(getattr(dataset, "format", None), ds.ParquetFileFormat):
        said["fragment_scan_options"] = ds.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True)
    return said


class _Stream(FrameLibrary):
    """An iterator of frames of any library: what a generator gives is written as it comes."""

    frame = "whimbrel.Iterator"

    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        first = next(frame, None)
        if first is None:
            raise mismatch("an iterator of frames", frame, "it is empty, so nothing says what its columns are")
        library = library_of(first)
        schema, tables = library.batches(first)

        def rest() -> Iterator[Any]:
            yield from tables
            for each in frame:
                found, more = library.batches(each)
                if not found.equals(schema):
                    raise mismatch("frames of the same columns, all of them", each)
                yield from more

        return schema, rest()

    def from_arrow(self, table: Any) -> Any:
        return iter([table])


_STREAM: Final = _Stream()
_libraries: dict[str, FrameLibrary] = {
    library.frame: library for library in (_Pandas(), _Polars(), _LazyPolars(), _Arrow(), _ArrowBatch(), _ArrowReader())
}
_discovered = False


def register_library(library: FrameLibrary, *, replace: bool = False, name: str = "") -> None:
    """Serve the class ``library.frame``, or that of ``name``, with ``library``.

    Raises ``UserError`` when another one serves it already, unless ``replace`` is set.
    """
    served = name or library.frame
    present = _libraries.get(served)
    if present is not None and not replace:
        raise UserError(
            f"two libraries for {served}: {full_name(type(present))} and {full_name(type(library))}; register "
            "one of them, or pass replace=True"
        )
    _libraries[served] = library


def find_library(cls: Any) -> FrameLibrary | None:
    """The library that serves a class, its own or that of a base class; ``None`` for what is no class of frames."""
    if not isinstance(cls, type):
        return None
    for base in cls.__mro__:
        found = _libraries.get(f"{base.__module__.partition('.')[0]}.{base.__qualname__}")
        if found is not None:
            return found
    return None


def is_library(cls: Any) -> bool:
    """Whether a class is served, if by a plug-in that nobody has loaded yet."""
    if not isinstance(cls, type):
        return False
    if find_library(cls) is None:
        _discover()
    return find_library(cls) is not None


def library_for(cls: Any) -> FrameLibrary:
    """The library that serves a class. Raises ``UnsupportedType`` that says what to install or write."""
    found = find_library(cls)
    if found is None:
        trouble = _discover()
        found = find_library(cls)
        if found is None:
            raise UnsupportedType(
                f"{full_name(cls) if isinstance(cls, type) else repr(cls)} is no class of frames that whimbrel knows "
                f"({', '.join(sorted(_libraries))}); open it as one of them, or register a FrameLibrary{trouble}"
            )
    return found


def library_of(frame: Any) -> FrameLibrary:
    """The library of a frame, or of an iterator of frames. Raises ``UnsupportedType``."""
    if find_library(type(frame)) is None and isinstance(frame, Iterator):
        return _STREAM
    return library_for(type(frame))


def _discover() -> str:
    """Load the entry points, once; what could not be loaded is told with the error that follows."""
    global _discovered
    if _discovered:
        return ""
    _discovered = True
    from importlib.metadata import entry_points  # costly, and few programs need it

    trouble = ""
    for entry in entry_points(group=ENTRY_POINTS):
        try:
            loaded = entry.load()
            register_library(loaded() if isinstance(loaded, type) else loaded)
        except Exception as error:
            trouble += (
                f"; the plug-in {entry.name} ({entry.value}) could not be loaded: {type(error).__name__}: {error}"
            )
    return trouble


def require_arrow(what: str) -> None:
    """Raise ``UnsupportedType`` that names what to install, unless pyarrow is there."""
    try:
        import pyarrow.dataset  # noqa: F401  the question is whether it can be
    except ImportError:
        raise UnsupportedType(
            f"{what} travels as Parquet, which needs pyarrow: pip install 'whimbrel[arrow]' (or [pandas], [polars])"
        ) from None
