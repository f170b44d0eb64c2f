"""``FileTransformer``: the class to derive from for values that are kept as a file: by reference, with a digest.

A value is written into the store at the border of an attempt, while its digest is taken, and read from there as a
stream. So what an event carries is a URI, and a call that is given an equal value finds its cached result.

Knows: files, transformers. Must not know: any one class, the registry.
"""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Callable
from typing import IO, Any, ClassVar, TypeVar

from whimbrel.model import literals as lit
from whimbrel.model.literal_types import BlobType, LiteralType
from whimbrel.types.blobs import CHUNK, Incoming
from whimbrel.types.files import FlyteFile
from whimbrel.types.held import HeldBlob
from whimbrel.types.mismatch import literal_mismatch, type_name
from whimbrel.types.transformer import TypeTransformer

T = TypeVar("T")


class FileTransformer(TypeTransformer[T]):
    """Derive from it, set ``python_type`` and ``format``, and say how a value is written to a stream and read from one.

    ``write`` should give equal bytes for equal values: they are what caches and replays compare. The stream cannot
    seek; the one that is read can.
    """

    format: ClassVar[str] = ""

    @abstractmethod
    def write(self, value: T, stream: IO[bytes], python_type: Any) -> None:
        """Write ``value``. Nothing is kept if it raises."""

    @abstractmethod
    def read(self, stream: IO[bytes], python_type: Any) -> T:
        """The value that ``write`` wrote. The stream is closed afterwards."""

    def format_of(self, python_type: Any) -> str:
        """The format of ``python_type``: the class's, unless its metadata says otherwise."""
        return self.format

    def literal_type(self, python_type: Any) -> LiteralType:
        """A file of the format."""
        return BlobType(self.format_of(python_type))

    def to_literal(self, value: T, python_type: Any) -> lit.Literal:
        """``value`` on its way into a file."""
        format_ = self.format_of(python_type)
        name = f"{type(value).__name__.lower()}{'.' if format_ else ''}{format_}"

        def write(value: Any, stream: IO[bytes]) -> None:
            self.write(value, stream, python_type)

        return HeldBlob("", format_, value=value, name=name, write=write)

    def to_python(self, literal: lit.Literal, python_type: Any) -> T:
        """The value in the file."""
        while isinstance(literal, lit.UnionLiteral):
            literal = literal.value
        if isinstance(literal, HeldBlob):
            self.check(literal.value, python_type)
            kept: T = literal.value
            return kept
        if not isinstance(literal, lit.BlobLiteral) or literal.multipart:
            raise literal_mismatch(f"{type_name(python_type)}, kept as a file", literal)
        file: FlyteFile[Any] = FlyteFile.of(literal)
        with file.open("rb") as stream:
            return self.read(stream, python_type)


def written(name: str, write: Callable[[IO[bytes]], None]) -> FlyteFile[Any]:
    """A new file of what ``write`` writes to the stream that it is given; nothing is kept if it raises."""
    file: FlyteFile[Any] = FlyteFile.new_remote_file(name)
    if file._storage is None:
        with open(file.path, "wb") as local:
            write(local)
        return file
    raw = Incoming(file._store(), name)
    stream = io.BufferedWriter(raw, CHUNK)
    try:
        write(stream)
    except BaseException:
        raw.doom()
        raise
    finally:
        stream.close()
    assert raw.kept is not None
    file._uri, file.digest, file.size = raw.kept
    return file
