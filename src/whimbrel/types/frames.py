"""Frames as types of inputs and outputs: ``pd.DataFrame``, ``pl.DataFrame``, ``pl.LazyFrame``, ``pa.Table``, …, plain
or ``Annotated`` with columns and a format.

What is given to a task is converted on the way: one may return pandas and the next take polars. A frame of a kind that
never changes remembers the stored table that it came from, and is passed on as that.

Knows: datasets, libraries of frames. Must not know: any one library, any store.
"""

from __future__ import annotations

import typing
import weakref
from typing import Any, Final

from whimbrel.model import literals as lit
from whimbrel.model.literal_types import DatasetType
from whimbrel.model.literals import DatasetLiteral
from whimbrel.types.blobs import FileStore, storage
from whimbrel.types.columns import check_columns, declared
from whimbrel.types.datasets import StructuredDataset, dataset_of
from whimbrel.types.held import HeldDataset
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.libraries import FrameLibrary, find_library, is_library, library_for, library_of
from whimbrel.types.mismatch import mismatch, type_name
from whimbrel.types.transformer import Transformer


class _Origins:
    """Which stored table an object came from. Objects are known by identity, for as long as they live."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[weakref.ref[Any], FileStore, DatasetLiteral]] = {}

    def remember(self, frame: Any, store: FileStore, literal: DatasetLiteral) -> None:
        key = id(frame)
        self._known[key] = (weakref.ref(frame, lambda _: self._known.pop(key, None)), store, literal)

    def of(self, frame: Any, store: FileStore) -> DatasetLiteral | None:
        found = self._known.get(id(frame))
        return found[2] if found is not None and found[0]() is frame and found[1] is store else None


_origins: Final = _Origins()


def _origin(python_type: Any) -> Any:
    return python_type.__origin__ if typing.get_origin(python_type) is typing.Annotated else python_type


def _annotated(python_type: Any) -> bool:
    if typing.get_origin(python_type) is not typing.Annotated:
        return False
    if any(isinstance(item, dict) for item in python_type.__metadata__):
        return is_library(python_type.__origin__)
    return find_library(python_type.__origin__) is not None


def _build(python_type: Any, registry: Transformers) -> Transformer:
    said = declared(python_type, registry)
    library: FrameLibrary = library_for(said.cls)
    name = type_name(python_type)
    cls = said.cls

    def found(value: Any) -> tuple[Any, tuple[str, ...]]:
        """The frame in ``value``, which may be one of another library, or a dataset of one."""
        if isinstance(value, cls):
            return value, ()
        if isinstance(value, StructuredDataset) and value.dataframe is not None:
            return value.dataframe, value.partition_by
        if find_library(type(value)) is None:
            raise mismatch(name, value)
        return value, ()

    def check(value: Any) -> None:
        if isinstance(value, StructuredDataset) and value.dataframe is None:
            value.require()
            return
        frame, _ = found(value)
        if said.columns:
            check_columns(library_of(frame).schema(frame), said.columns)

    def encode(value: Any) -> lit.Literal:
        check(value)
        if isinstance(value, StructuredDataset) and value.dataframe is None:
            return value.literal()
        frame, parted = found(value)
        if library_of(frame).immutable and (here := storage()) is not None:
            known = _origins.of(frame, here.store)
            if known is not None and said.format in ("", known.format):
                return known
        return HeldDataset("", said.format, (), frame=frame, partition_by=parted)

    def decode(literal: lit.Literal) -> Any:
        dataset = dataset_of(literal, said.columns)
        if isinstance(dataset.dataframe, cls) and not said.columns:
            return dataset.dataframe
        frame = dataset.open(cls).all()
        kept = dataset.literal()
        if library.immutable and (here := storage()) is not None and kept.digest:
            _origins.remember(frame, here.store, kept)
        return frame

    return Transformer(
        python_type,
        DatasetType(said.columns, said.format),
        check=check,
        encode=encode,
        decode=decode,
        name=name,
        classes=(cls,),
    )


ANNOTATED: Final = Hook(_annotated, _build)
PLAIN: Final = Hook(is_library, _build)
