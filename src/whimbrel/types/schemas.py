"""``FlyteSchema``: what tables were called before ``StructuredDataset``; kept for old programs, as flytekit does.

Knows: datasets, columns. Must not know: any store.
"""

from __future__ import annotations

import os
import typing
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from whimbrel.errors import UserError
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import DatasetType
from whimbrel.model.literals import DatasetLiteral
from whimbrel.types.columns import check_columns, declared
from whimbrel.types.datasets import StructuredDataset, dataset_of
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.libraries import find_library, library_for, library_of, table_of
from whimbrel.types.mismatch import mismatch
from whimbrel.types.transformer import Transformer


class FlyteSchema:
    """A table with columns: ``FlyteSchema[kwtypes(name=str, price=float)]``. New programs write ``StructuredDataset``.

    A new one is written by ``open().write(frame)``, as often as wanted; one that a task is given is read by
    ``open(pd.DataFrame).all()`` or ``.iter()``.
    """

    declared_columns: ClassVar[dict[str, Any]] = {}

    def __init__(
        self,
        local_path: str | os.PathLike[str] | None = None,
        remote_path: str | None = None,
        supported_mode: Any = None,
    ) -> None:
        where = remote_path or local_path
        self._written: list[Any] = []
        self._dataset = StructuredDataset(uri=where) if where else None

    def __class_getitem__(cls, columns: dict[str, Any]) -> Any:
        if not isinstance(columns, dict):
            raise TypeError("FlyteSchema[...] takes columns: FlyteSchema[kwtypes(name=str)]")
        return typing.Annotated[FlyteSchema, columns]

    @property
    def remote_path(self) -> str:
        """Where it is; "" for one that is being written."""
        return self._dataset.uri if self._dataset is not None else ""

    def open(self, dataframe_fmt: Any = None, override_mode: Any = None) -> FlyteSchema:
        """Say as what it is read: ``pd.DataFrame`` if nothing is said. It gives itself."""
        if dataframe_fmt is not None:
            library_for(dataframe_fmt)
        self._kind = dataframe_fmt
        return self

    _kind: Any = None

    def write(self, *frames: Any) -> None:
        """Add rows: each frame is one of any library, and all have the same columns."""
        if self._dataset is not None:
            raise UserError(f"{self.remote_path} is kept as it was written: make a new FlyteSchema()")
        for frame in frames:
            library_of(frame)
        self._written.extend(frames)

    def all(self) -> Any:
        """The whole table as one frame."""
        return self._source().all()

    def iter(self) -> Iterator[Any]:
        """The table as many small frames."""
        return self._source().iter()

    def as_readonly(self) -> FlyteSchema:
        """It gives itself."""
        return self

    def dataset(self) -> StructuredDataset:
        """The same as a ``StructuredDataset``."""
        if self._dataset is not None:
            return self._dataset
        if not self._written:
            raise mismatch("a table", self, "nothing was written to it: open().write(frame)")
        if len(self._written) > 1:
            frames = iter(self._written)
            self._written = [table_of(library_of(frames), frames)]
        return StructuredDataset(self._written[0])

    def _source(self) -> StructuredDataset:
        kind = self._kind
        if kind is None:
            import pandas

            kind = pandas.DataFrame
        return self.dataset().open(kind)

    def __repr__(self) -> str:
        return f"FlyteSchema({self.remote_path!r})" if self._dataset is not None else "FlyteSchema(in memory)"


def _matches(python_type: Any) -> bool:
    kind = python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type
    return isinstance(kind, type) and issubclass(kind, FlyteSchema)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    said = declared(python_type, registry)

    def dataset(value: Any) -> StructuredDataset:
        if isinstance(value, FlyteSchema):
            made = value.dataset()
        elif isinstance(value, StructuredDataset):
            made = value
        elif find_library(type(value)) is not None:
            made = StructuredDataset(value)
        else:
            raise mismatch("FlyteSchema", value)
        made.require()
        return made

    def check(value: Any) -> None:
        made = dataset(value)
        if made.dataframe is not None and said.columns:
            check_columns(library_of(made.dataframe).schema(made.dataframe), said.columns)

    def encode(value: Any) -> lit.Literal:
        check(value)
        literal: DatasetLiteral = dataset(value).literal()
        return literal

    def decode(literal: lit.Literal) -> Any:
        made = FlyteSchema()
        made._dataset = dataset_of(literal, said.columns)
        return made

    return Transformer(
        python_type,
        DatasetType(said.columns, said.format),
        check=check,
        encode=encode,
        decode=decode,
        name="FlyteSchema",
        classes=(FlyteSchema,),
        remade=True,
    )


HOOK: Final = Hook(_matches, _build)
