"""``FlyteFile``: a file by reference. No bytes move before somebody looks at them.

Knows: streams over a blob store, what files and directories share. Must not know: other kinds, any store.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from typing import IO, Any, Final, Generic, TypeVar

from whimbrel.errors import EntityNotFound
from whimbrel.types.blobs import CHUNK, Incoming, Outgoing, Taking, fetch_file, pour, storage
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import mismatch
from whimbrel.types.paths import LOCAL, Located, Target, is_uri, local_path, transformer_of
from whimbrel.types.places import place_of
from whimbrel.types.remote import Uploading
from whimbrel.types.transformer import Transformer

Format = TypeVar("Format")

_GATHERED: Final = 256 * 1024
"""Bytes up to which small writes are gathered. Larger ones pass the buffer, which would copy them once more."""


class FlyteFile(Located, Generic[Format]):
    """A file. ``FlyteFile["csv"]`` is one in a format; ``FlyteFile(path)`` is one at a local path or URI.

    A task that is given one reads it in place by ``open``, or has it at a local path by ``download``, ``path``,
    ``str`` or ``os.fspath``. One that a task returns is put into the blob store; one that it passes on, is not touched.

    ``remote_path`` is where one that is returned shall go instead: to a URI (``s3://…``) or another local path, or,
    with ``False``, nowhere. ``metadata`` is kept with it where the place keeps such. ``downloader`` is called before
    the local path is used for the first time.
    """

    noun = "file"
    multipart = False

    def __init__(
        self,
        path: str | os.PathLike[str],
        downloader: Callable[..., Any] | None = None,
        remote_path: Target = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(path, downloader, remote_path, metadata)

    def __class_getitem__(cls, item: Any) -> Any:
        return cls.formatted(item)

    @classmethod
    def new_remote_file(cls, name: str | os.PathLike[str] | None = None, alt: str | None = None) -> FlyteFile[Format]:
        """A new file. What is written by ``open("w")`` streams into the blob store; what is written at its path goes
        there when the task returns it. Outside any engine it is a local file.

        With ``alt``, the URI of a directory, it goes there instead.
        """
        made = cls("")
        made._name = os.path.basename(os.fspath(name)) if name is not None else ""
        made._name = made._name or (f"file.{cls.format}" if cls.format else "file")
        made._path = None
        made._storage = storage()
        if alt is not None:
            made._target = f"{alt.rstrip('/')}/{made._name}"
        return made

    @classmethod
    def new(cls, filename: str | os.PathLike[str]) -> FlyteFile[Format]:
        """A new file in the scratch directory of the attempt: write it at its path, and return it."""
        made = cls("")
        made._path = os.path.join(made._scratch(), os.path.basename(os.fspath(filename)))
        return made

    _name = ""

    @property
    def remote_path(self) -> str | bool | None:
        """Where its author said that it shall go, else its URI in the store, if it is in one."""
        return self._target if self._target is not None else self.remote_source

    def exists(self) -> bool:
        """Whether it is there. Nothing is fetched."""
        if self._path is not None:
            return os.path.isfile(self._path)
        try:
            self.get_size()
        except (EntityNotFound, FileNotFoundError):
            return False
        return True

    def get_size(self) -> int:
        """How many bytes it has; the store is asked, once, if nobody knows it yet. -1 where nobody can say.

        Raises ``EntityNotFound``, or ``FileNotFoundError`` for a local one that is not there.
        """
        if self._path is not None:
            return os.path.getsize(self._path)
        if not self._uri:
            raise FileNotFoundError(f"{self._name}: nothing has been written to this new file")
        if self.size < 0:
            place = self._place()
            self.size = place.known(self._uri).size if place is not None else self._store().size(self._uri)
        return self.size

    def pin(self) -> FlyteFile[Format]:
        """Take down which version of a file elsewhere this is, by the entity tag that its place gives it: calls that
        are given it can then be cached. One small request. Returns the file itself.

        Raises ``EntityNotFound``, ``UserError`` where the place gives no tags, and ``StoreError``.
        """
        place = self._place()
        if place is not None and not self.digest:
            self.size, tag = place.known(self._uri)
            if not tag:
                raise mismatch("a file at a place that tells versions apart", self._uri, "it gives no entity tags")
            self.digest = f"etag:{self._uri} {tag}"
        return self

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
        """The file as a stream. Reading one that is in a store takes ranges from there; writing a new one streams
        into the store, and it is there once the stream is closed. Text is UTF-8 unless ``encoding`` says otherwise.

        ``cache_type`` and ``cache_options`` are accepted from flytekit programs and change nothing. Raises
        ``EntityNotFound``, ``io.UnsupportedOperation`` for writing what is kept already, and ``OSError``.
        """
        del cache_type, cache_options
        text = "b" not in mode
        if self._path is None and self._storage is None and not self._uri and not isinstance(self._target, str):
            # A new one outside any engine.
            self._path = self._fetched()
        if self._path is not None:
            if text and encoding is None:
                encoding = "utf-8"
            return open(self.path, mode, buffering, encoding, errors, newline)
        if mode.strip("bt") not in ("r", "w", "x"):
            raise ValueError(f"mode {mode!r}: a file in the blob store is opened with r, rb, w or wb")
        if "r" in mode:
            raw, piece = self._reading()
            stream: Any = io.BufferedReader(raw, buffering if buffering > 1 else piece)
        else:
            stream = io.BufferedWriter(_Arriving(self, self._writing()), buffering if buffering > 1 else _GATHERED)
        return io.TextIOWrapper(stream, encoding or "utf-8", errors, newline) if text else stream

    def _reading(self) -> tuple[io.RawIOBase, int]:
        if not self._uri:
            raise FileNotFoundError(f"{self._name}: nothing has been written to this new file")
        place = self._place()
        if place is not None:
            return place.reader(self._uri), place.piece
        return Outgoing(self._store(), self._uri, self.size), CHUNK

    def _writing(self) -> Taking:
        target = self._target if isinstance(self._target, str) else self._uri
        if not target:
            return Incoming(self._store(), self._name)
        if not self._uri or self._place() is not None:
            place = place_of(target)
            if place is not None:
                return Uploading(target, place.upload(target, self.metadata))
        raise io.UnsupportedOperation(
            f"{target} is kept as it was written: write a new one, FlyteFile.new_remote_file(name)"
        )

    def _fetched(self) -> str:
        if not self._uri:
            # A new one: what is written here is taken when the task returns it.
            return os.path.join(self._scratch(), self._name)
        target = os.path.join(self._scratch(), _last_name(self._uri))
        self.fetch_to(target)
        return target

    def fetch_to(self, path: str) -> None:
        """Write what is in the store into a new local file, piece by piece."""
        place = self._place()
        if place is None:
            fetch_file(self._store(), self._uri, path)
            return
        with place.reader(self._uri) as source, open(path, "wb", buffering=0) as into:
            buffer = memoryview(bytearray(place.piece))
            while count := source.readinto(buffer):
                into.write(buffer[:count])

    def settle(self) -> None:
        """Bring it to its ``remote_path``. Raises what the place raises."""
        assert isinstance(self._target, str)
        target = self._target
        if not is_uri(target) or target.startswith(LOCAL):
            path = os.path.abspath(local_path(target) if target.startswith(LOCAL) else target)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if not os.path.exists(path) or not os.path.samefile(self.path, path):
                from shutil import copyfile  # brings every kind of compression

                copyfile(self.path, path)
            self._path, self._target = path, False
            return
        place = place_of(target)
        if place is None:
            raise mismatch("a remote_path at a place that can be written to", target)
        kept = pour(self.path, Uploading(target, place.upload(target, self.metadata)))
        self._uri, self.digest, self.size = kept

    def require(self) -> None:
        """Raise ``ValueMismatch`` unless it is in a store, or a local file that is there."""
        if self._uri or self._downloader is not None:
            return
        if self._path is None or not os.path.isfile(self._path):
            missing = (
                f"{self._name!r}: nothing was written to it, or its stream is open"
                if self._path is None
                else "no such file"
            )
            raise mismatch("the path or URI of a file", self._path or "", missing)


def _last_name(uri: str) -> str:
    """The name of a file as its URI ends, without a query."""
    from urllib.parse import unquote, urlsplit

    path = unquote(urlsplit(uri).path) if uri.startswith(("http://", "https://")) else uri
    name = os.path.basename(path.rstrip("/"))
    return name if name not in ("", ".", "..") else "file"


class _Arriving(io.RawIOBase):
    """The stream of a new file: the file knows where it is once this is closed."""

    def __init__(self, file: FlyteFile[Any], incoming: Taking) -> None:
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
