"""``StructuredDataset``: a table by reference. No rows move before somebody opens it.

Knows: stored tables, libraries of frames, columns. Must not know: other kinds, any store.
"""

from __future__ import annotations

import os
import typing
from collections.abc import Iterator
from typing import Any, Final

from whimbrel.errors import UserError
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import DatasetType, LiteralType
from whimbrel.model.literals import DatasetLiteral
from whimbrel.types.blobs import Storage, storage
from whimbrel.types.columns import check_columns, declared, names_of
from whimbrel.types.held import HeldDataset
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.libraries import FrameLibrary, bounded, find_library, library_for, library_of, table_of
from whimbrel.types.mismatch import literal_mismatch, mismatch, type_name
from whimbrel.types.paths import LOCAL, Located, is_uri, local_path
from whimbrel.types.table_files import format_of_path
from whimbrel.types.tables import open_dataset
from whimbrel.types.transformer import Transformer

ROWS_AT_ONCE: Final = 64 * 1024
"""Rows of a frame that ``iter`` gives, at most."""


class StructuredDataset:
    """A table: a frame in memory that is going to be kept, or one at a URI or local path.

    ``open(cls).all()`` reads it as a frame of ``cls``, ``open(cls).iter()`` as many small ones, one after another.
    ``partition_by`` names columns by whose values it is parted into files when it is kept. ``digest`` (SHA-256) and
    ``size`` in bytes are of the stored content, "" and -1 where it is not stored yet.
    """

    def __init__(
        self,
        dataframe: Any = None,
        uri: str | os.PathLike[str] | None = None,
        metadata: Any = None,
        file_format: str = "",
        *,
        partition_by: typing.Sequence[str] | str = (),
    ) -> None:
        # A file or directory of ours is where it is: asked for its path it would be fetched.
        text = uri.uri if isinstance(uri, Located) else os.fspath(uri) if uri is not None else ""
        if dataframe is not None and text:
            raise UserError(
                "a StructuredDataset is either of a dataframe, which the engine keeps at a URI of its own, or of a "
                "URI: leave one of them out"
            )
        if dataframe is not None:
            library_of(dataframe)
        self.dataframe = dataframe
        self.metadata = metadata
        self.digest = ""
        self.size = -1
        self.file_format = file_format.lstrip(".").lower() or format_of_path(text)
        self.partition_by = (partition_by,) if isinstance(partition_by, str) else tuple(partition_by)
        if text and not is_uri(text):
            from pathlib import Path

            text = Path(os.path.abspath(text)).as_uri()
        self._uri = text
        self._columns: tuple[str, ...] = ()
        self._declared: dict[str, LiteralType] = {}
        self._library: FrameLibrary | None = None
        # Bound now: it may be opened in a thread that knows nothing of the attempt.
        self._storage: Storage | None = storage()

    @classmethod
    def of(
        cls,
        literal: DatasetLiteral,
        columns: dict[str, LiteralType] | None = None,
        storage: Storage | None = None,
    ) -> StructuredDataset:
        """The one that ``literal`` means, with ``columns`` of it, ``None`` or empty for those of the literal; in
        ``storage``, ``None`` for that of the attempt.
        """
        made = cls(file_format=literal.format)
        made._storage = storage or made._storage
        if isinstance(literal, HeldDataset):
            made.dataframe, made.partition_by = literal.frame, literal.partition_by
        made._uri, made.digest, made.size = literal.uri, literal.digest, literal.size
        made._declared = columns or {}
        made._columns = tuple(made._declared) or literal.columns
        return made

    @property
    def uri(self) -> str:
        """Where it is: a URI, or the local path; "" while it is in memory."""
        return local_path(self._uri) if self._uri.startswith(LOCAL) else self._uri

    @property
    def remote_source(self) -> str | None:
        """Where it is, if it is anywhere but in memory."""
        return self.uri or None

    def open(self, dataframe_type: Any) -> StructuredDataset:
        """Say as what it is to be read: ``pd.DataFrame``, ``pl.DataFrame``, ``pl.LazyFrame``, ``pa.Table``, …, perhaps
        with columns: ``Annotated[pd.DataFrame, kwtypes(price=float)]``. Nothing is read yet; it gives itself.
        """
        self._library = library_for(
            dataframe_type.__origin__ if typing.get_origin(dataframe_type) is typing.Annotated else dataframe_type
        )
        if typing.get_origin(dataframe_type) is typing.Annotated:
            names = [name for item in dataframe_type.__metadata__ if isinstance(item, dict) for name in item]
            self._columns = tuple(names) or self._columns
        return self

    def all(self) -> Any:
        """The whole table, or its declared columns, as a frame of the type that it was opened as: of the others no byte
        is read.

        Raises ``ValueMismatch`` when a declared column is not there, ``EntityNotFound`` when the table is not.
        """
        library = self._opened()
        if self.dataframe is not None:
            own = library_of(self.dataframe)
            if own is library and not self._columns:
                return self.dataframe
            table = table_of(own, self.dataframe)
            names = self._chosen(table.schema)
            return library.from_arrow(table if names is None else table.select(names))
        dataset = self.arrow_dataset()
        return library.from_dataset(dataset, self._chosen(dataset.schema))

    def iter(self) -> Iterator[Any]:
        """The table as frames of at most some ten thousand rows, one after another: the whole is never in memory."""
        library = self._opened()
        if self.dataframe is not None:
            _, tables = library_of(self.dataframe).batches(self.dataframe)
            batches = (batch for table in tables for batch in table.to_batches(max_chunksize=ROWS_AT_ONCE))
            names = self._chosen(library_of(self.dataframe).schema(self.dataframe))
        else:
            dataset = self.arrow_dataset()
            names = self._chosen(dataset.schema)
            batches = dataset.to_batches(columns=names, batch_size=ROWS_AT_ONCE, **bounded(dataset))
            names = None
        import pyarrow as pa

        for batch in batches:
            if batch.num_rows:
                table = pa.Table.from_batches([batch])
                yield library.from_arrow(table if names is None else table.select(names))

    def columns(self) -> dict[str, LiteralType]:
        """The columns that were declared, in order; empty for any."""
        return dict(self._declared)

    def arrow_dataset(self) -> Any:
        """It as a ``pyarrow.dataset.Dataset``, for queries of one's own: its schema is read, its rows are not.

        Raises ``UserError`` for one that is in memory.
        """
        if self.dataframe is not None or not self._uri:
            raise UserError("this StructuredDataset is in memory: use its dataframe")
        return open_dataset(self.literal(), self._storage, self._declared)

    def _opened(self) -> FrameLibrary:
        if self._library is None:
            if self.dataframe is None:
                raise UserError("say what the table is to be read as: dataset.open(pd.DataFrame).all()")
            return library_of(self.dataframe)
        return self._library

    def _chosen(self, schema: Any) -> list[str] | None:
        check_columns(schema, self._declared)
        for name in self._columns:
            if schema.get_field_index(name) < 0:
                raise mismatch(f"a column {name!r}", self, f"its columns are {names_of(schema.names)}")
        return list(self._columns) or None

    def literal(self) -> DatasetLiteral:
        """It as the engine moves it. A frame or a local path is put into the store at the border of the attempt."""
        if self.dataframe is not None:
            return HeldDataset(
                "", self.file_format, self._columns, frame=self.dataframe, partition_by=self.partition_by
            )
        return DatasetLiteral(self._uri, self.file_format, self._columns, self.digest, self.size)

    def require(self) -> None:
        """Raise ``ValueMismatch`` unless it is a frame, in a store, or at a local path that is there."""
        if self.dataframe is not None:
            return
        if not self._uri:
            raise mismatch("a table", self, "it has neither a dataframe nor a uri")
        if self._uri.startswith(LOCAL) and not os.path.exists(self.uri):
            raise mismatch("the path or URI of a table", self.uri, "there is nothing")

    def __reduce__(self) -> Any:
        if self.dataframe is not None:
            return _held_again, (self.dataframe, self.file_format, self.partition_by)
        return StructuredDataset.of, (self.literal(), self._declared)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StructuredDataset):
            return NotImplemented
        if self.dataframe is not None or other.dataframe is not None:
            return self.dataframe is other.dataframe
        return self.literal() == other.literal()

    def __hash__(self) -> int:
        return hash(self._uri)

    def __repr__(self) -> str:
        if self.dataframe is not None:
            return f"StructuredDataset({type(self.dataframe).__qualname__} in memory)"
        return f"StructuredDataset(uri={self.uri!r})"


def _held_again(frame: Any, file_format: str, partition_by: tuple[str, ...]) -> StructuredDataset:
    return StructuredDataset(frame, file_format=file_format, partition_by=partition_by)


# --- the type --------------------------------------------------------------------------------------------------------


def dataset_of(literal: lit.Literal, columns: dict[str, LiteralType]) -> StructuredDataset:
    """The dataset that a literal means. Raises ``ValueMismatch`` for a literal of anything else."""
    while isinstance(literal, lit.UnionLiteral):
        literal = literal.value
    if not isinstance(literal, DatasetLiteral):
        raise literal_mismatch("a dataset", literal)
    return StructuredDataset.of(literal, columns)


def _serves(python_type: Any) -> bool:
    kind = python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type
    return isinstance(kind, type) and issubclass(kind, StructuredDataset)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    said = declared(python_type, registry)
    name = type_name(python_type)

    def encode(value: Any) -> lit.Literal:
        made = value if isinstance(value, StructuredDataset) else _dataset(value, name)
        check_frame(made)
        literal = made.literal()
        if isinstance(literal, HeldDataset):
            form = literal.format or said.format
            return HeldDataset("", form, (), frame=literal.frame, partition_by=literal.partition_by)
        if not literal.format and said.format:
            literal = DatasetLiteral(literal.uri, said.format, literal.columns, literal.digest, literal.size)
        return literal

    def check_frame(value: StructuredDataset) -> None:
        value.require()
        if value.dataframe is not None and said.columns:
            check_columns(library_of(value.dataframe).schema(value.dataframe), said.columns)

    def check(value: Any) -> None:
        encode(value)

    def decode(literal: lit.Literal) -> Any:
        return dataset_of(literal, said.columns)

    return Transformer(
        python_type,
        DatasetType(said.columns, said.format),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(StructuredDataset,),
    )


def _dataset(value: Any, name: str) -> StructuredDataset:
    if find_library(type(value)):
        return StructuredDataset(dataframe=value)
    if isinstance(value, str | os.PathLike):
        return StructuredDataset(uri=value)
    raise mismatch(name, value)


HOOK: Final = Hook(_serves, _build)
