"""Encoders and decoders of frames in flytekit's shape, over our libraries of frames.

``StructuredDatasetTransformerEngine.register(encoder_or_decoder)`` serves a class of frames: an encoder writes a frame
into a directory, a decoder reads it. New plug-ins are shorter as a ``FrameLibrary``.

Knows: libraries of frames. Must not know: stores, literals' insides.
"""

from __future__ import annotations

import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Final, Generic, TypeVar

from whimbrel.errors import UserError
from whimbrel.model.literal_types import DatasetType
from whimbrel.model.literals import DatasetLiteral
from whimbrel.types.datasets import StructuredDataset
from whimbrel.types.libraries import FrameLibrary, find_library, register_library
from whimbrel.types.previews import preview
from whimbrel.types.table_files import PARQUET, table_format

T = TypeVar("T")

CSV: Final = "csv"
GENERIC_FORMAT: Final = ""
GENERIC_PROTOCOL: Final = "generic protocol"


class StructuredDatasetEncoder(ABC, Generic[T]):
    """Writes frames of ``python_type`` as files of a format that whimbrel reads (Parquet if nothing is said)."""

    def __init__(self, python_type: type[T], protocol: str | None = None, supported_format: str | None = None) -> None:
        self.python_type = python_type
        self.protocol = protocol
        self.supported_format = supported_format or PARQUET

    @abstractmethod
    def encode(
        self, ctx: Any, structured_dataset: StructuredDataset, structured_dataset_type: DatasetType
    ) -> DatasetLiteral | StructuredDataset:
        """Write ``structured_dataset.dataframe`` to a local path; the ``StructuredDataset(uri=path)`` of it."""


class StructuredDatasetDecoder(ABC, Generic[T]):
    """Reads frames of ``python_type`` from files."""

    def __init__(self, python_type: type[T], protocol: str | None = None, supported_format: str | None = None) -> None:
        self.python_type = python_type
        self.protocol = protocol
        self.supported_format = supported_format or PARQUET

    @abstractmethod
    def decode(self, ctx: Any, flyte_value: StructuredDataset, current_task_metadata: DatasetType) -> T:
        """The frame of the file at ``flyte_value.uri``, a local path."""


class _Adapted(FrameLibrary):
    """A library that is an encoder and a decoder: Arrow's rows travel through a file between us and them."""

    frame = ""

    def __init__(self, name: str) -> None:
        self._name = name
        self.encoder: StructuredDatasetEncoder[Any] | None = None
        self.decoder: StructuredDatasetDecoder[Any] | None = None

    def batches(self, frame: Any) -> tuple[Any, Iterable[Any]]:
        """The rows of what the encoder wrote."""
        import pyarrow as pa

        if self.encoder is None:
            raise UserError(f"there is no encoder for {self._name}: register a StructuredDatasetEncoder")
        form = self.encoder.supported_format
        said = self.encoder.encode(None, StructuredDataset(frame, file_format=form), DatasetType({}, form))
        written = said if isinstance(said, StructuredDataset) else StructuredDataset.of(said)
        written.file_format = written.file_format or form
        table: Any = written.open(pa.Table).all()
        return table.schema, (table,)

    def from_arrow(self, table: Any) -> Any:
        """What the decoder reads of a file of these rows."""
        if self.decoder is None:
            raise UserError(f"there is no decoder for {self._name}: register a StructuredDatasetDecoder")
        made = table_format(self.decoder.supported_format)
        scratch = tempfile.mkdtemp(prefix="whimbrel-")
        try:
            path = Path(scratch, f"data.{made.name}")
            with path.open("wb") as sink:
                writer = made.writer(table.schema, sink)
                writer.write_table(table)
                writer.close()
            given = StructuredDataset(uri=path, file_format=made.name)
            return self.decoder.decode(None, given, DatasetType({}, made.name))
        finally:
            shutil.rmtree(scratch)


class StructuredDatasetTransformerEngine:
    """Where plug-ins of flytekit's shape are registered."""

    renderers: ClassVar[dict[type, Any]] = {}

    @classmethod
    def register(
        cls,
        handler: StructuredDatasetEncoder[Any] | StructuredDatasetDecoder[Any],
        default_for_type: bool = False,
        override: bool = False,
        default_format_for_type: bool = False,
        default_storage_for_type: bool = False,
    ) -> None:
        """Serve a class by an encoder or a decoder. Raises ``UserError`` when it is served already, unless ``override``
        is set. The other flags change nothing: a class has one encoder and one decoder here.
        """
        del default_for_type, default_format_for_type, default_storage_for_type
        served = handler.python_type
        name = f"{served.__module__.partition('.')[0]}.{served.__qualname__}"
        present = find_library(served)
        adapted = present if isinstance(present, _Adapted) and present._name == name else _Adapted(name)
        encoding = isinstance(handler, StructuredDatasetEncoder)
        taken = (adapted.encoder if encoding else adapted.decoder) is not None or (
            present is not None and present is not adapted
        )
        if taken and not override:
            raise UserError(f"{name} is served already; pass override=True to take its place")
        if isinstance(handler, StructuredDatasetEncoder):
            adapted.encoder = handler
        else:
            adapted.decoder = handler
        register_library(adapted, replace=True, name=name)

    @classmethod
    def register_renderer(cls, python_type: type, renderer: Any) -> None:
        """Show frames of a class by ``renderer.to_html(frame)`` in decks."""
        cls.renderers[python_type] = renderer

    @classmethod
    def to_html(cls, frame: Any) -> str:
        """A frame as HTML: by the renderer of its class, else its first rows."""
        for base in type(frame).__mro__:
            if (renderer := cls.renderers.get(base)) is not None:
                return str(renderer.to_html(frame))
        return preview(frame).html()
