"""``FlyteFile``: a file by reference. No bytes move before somebody looks at them.

Knows: streams over a blob store, what files and directories share. Must not know: other kinds, any store.
"""

from __future__ import annotations

import io
import os
from typing import IO, Any, Final, Generic, TypeVar

from whimbrel.errors import EntityNotFound
from whimbrel.types.blobs import CHUNK, Incoming, Outgoing, fetch_file, storage
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import mismatch
from whimbrel.types.paths import Located, transformer_of
from whimbrel.types.transformer import Transformer

Format = TypeVar("Format")


class FlyteFile(Located, Generic[Format]):
    """A file. ``FlyteFile["csv"]`` is one in a format; ``FlyteFile(path)`` is one at a local path or URI.

    A task that is given one reads it in place by ``open``, or has it at a local path by ``download``, ``path``,
    ``str`` or ``os.fspath``. One that a task returns is put into the blob store; one that it passes on, is not touched.
    """

    noun = "file"
    multipart = False

    def __class_getitem__(cls, item: Any) -> Any:
        return cls.formatted(item)

    @classmethod
    def new_remote_file(cls, name: str | os.PathLike[str] | None = None) -> FlyteFile[Format]:
        """A new file. What is written by ``open("w")`` streams into the blob store; what is written at its path goes
        there when the task returns it. Outside any engine it is a local file.
        """
        made = cls("")
        made._name = os.path.basename(os.fspath(name)) if name is not None else ""
        made._name = made._name or (f"file.{cls.format}" if cls.format else "file")
        made._path = None
        made._storage = storage()
        return made

    _name = ""

    def open(
        self,
        mode: str = "r",
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
        *,
        cache_type: str | None = None,
        cache_options: dict[str, Any] | None = None,
    ) -> IO[Any]:
        """The file as a stream. Reading one that is in the blob store takes ranges from there; writing a new one
        streams into it, and it is there once the stream is closed. Text is UTF-8 unless ``encoding`` says otherwise.

        ``cache_type`` and ``cache_options`` are accepted from flytekit programs and change nothing. Raises
        ``EntityNotFound``, ``io.UnsupportedOperation`` for writing what is kept already, and ``OSError``.
        """
        del cache_type, cache_options
        text = "b" not in mode
        if self._path is None and self._storage is None and not self._uri:
            # A new one outside any engine.
            self._path = self._fetched()
        if self._path is not None:
            if text and encoding is None:
                encoding = "utf-8"
            return open(self._path, mode, buffering, encoding, errors, newline)
        if mode.strip("bt") not in ("r", "w", "x"):
            raise ValueError(f"mode {mode!r}: a file in the blob store is opened with r, rb, w or wb")
        raw = self._reading() if "r" in mode else self._writing()
        size = buffering if buffering > 1 else CHUNK
        stream = io.BufferedReader(raw, size) if "r" in mode else io.BufferedWriter(raw, size)
        return io.TextIOWrapper(stream, encoding or "utf-8", errors, newline) if text else stream

    def _reading(self) -> io.RawIOBase:
        if not self._uri:
            raise FileNotFoundError(f"{self._name}: nothing has been written to this new file")
        try:
            return Outgoing(self._store(), self._uri, self.size)
        except EntityNotFound as error:
            raise self._unreadable(error) from None

    def _writing(self) -> io.RawIOBase:
        if self._uri:
            raise io.UnsupportedOperation(
                f"{self._uri} is kept as it was written: write a new one, FlyteFile.new_remote_file(name)"
            )
        return _Arriving(self, Incoming(self._store(), self._name))

    def _fetched(self) -> str:
        if not self._uri:
            # A new one: what is written here is taken when the task returns it.
            return os.path.join(self._scratch(), self._name)
        target = os.path.join(self._scratch(), os.path.basename(self._uri) or "file")
        try:
            fetch_file(self._store(), self._uri, target)
        except EntityNotFound as error:
            raise self._unreadable(error) from None
        return target

    def require(self) -> None:
        """Raise ``ValueMismatch`` unless it is in a store, or a local file that is there."""
        if self._uri:
            return
        if self._path is None or not os.path.isfile(self._path):
            missing = (
                f"{self._name!r}: nothing was written to it, or its stream is open"
                if self._path is None
                else "no such file"
            )
            raise mismatch("the path or URI of a file", self._path or "", missing)


class _Arriving(io.RawIOBase):
    """The stream of a new file: the file knows where it is once this is closed."""

    def __init__(self, file: FlyteFile[Any], incoming: Incoming) -> None:
        super().__init__()
        self._file, self._incoming = file, incoming

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """Take more bytes."""
        return self._incoming.write(data)

    def close(self) -> None:
        """Keep what was written."""
        if not self.closed:
            super().close()
            self._incoming.close()
            if (kept := self._incoming.kept) is not None:
                self._file._uri, self._file.digest, self._file.size = kept


FlyteFile._root = FlyteFile


def _matches(python_type: Any) -> bool:
    return isinstance(python_type, type) and issubclass(python_type, FlyteFile)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return transformer_of(python_type)


HOOK: Final = Hook(_matches, _build)
