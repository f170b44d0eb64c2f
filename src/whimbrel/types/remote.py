"""Files in other places than whimbrel's own store: buckets (`s3://`, `gs://`, `az://`), and `memory://` for tests.

Buckets are reached through obstore, which takes addresses and credentials from the environment (`AWS_…`, `GOOGLE_…`,
`AZURE_…`) and tries again what fails in passing. Web addresses have a module of their own (`web.py`).

Knows: obstore. Must not know: whimbrel's own store, files as authors see them.
"""

from __future__ import annotations

import io
import os
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from whimbrel.errors import EntityNotFound, StoreError, UserError
from whimbrel.types.blobs import Entry, Taking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from _typeshed import WriteableBuffer
    from obstore.store import ObjectStore

PIECE: Final = 4 * 1024 * 1024
"""Bytes asked for at a time. A bucket's answer takes some 30 ms, whatever its size: smaller ones would wait more than
they read.
"""
PART: Final = 8 * 1024 * 1024
"""Bytes of a part of an upload. S3 takes 10,000 parts: this makes 78 GB."""

BUCKETS: Final = frozenset({"s3", "s3a", "gs", "az", "azure", "adl", "abfs", "abfss", "memory"})
_ENVIRONMENT: Final = ("AWS_", "GOOGLE_", "AZURE_")

_stores: dict[Any, ObjectStore] = {}
_guard = threading.Lock()


class Known(NamedTuple):
    """What a place says of one of its files without sending it: ``size`` is -1 and ``tag`` is "" where it does not.

    Equal tags at one address mean equal bytes.
    """

    size: int
    tag: str


class Upload(Protocol):
    """Bytes on their way to an address. Nobody sees them before ``finish``."""

    def write(self, data: bytes | memoryview) -> None:
        """Take more bytes."""
        ...

    def finish(self) -> None:
        """Let them be seen."""
        ...

    def abandon(self) -> None:
        """Throw them away."""
        ...


class Place(Protocol):
    """Somewhere that keeps files under URIs. Blocking and thread-safe. Each verb raises ``EntityNotFound`` for what is
    not there, ``UserError`` for what is not allowed, and ``StoreError`` when the place cannot be reached.

    ``piece`` is how many bytes a stream does well to read at a time.
    """

    piece: int

    def known(self, uri: str) -> Known:
        """What the place says of a file."""
        ...

    def reader(self, uri: str) -> io.RawIOBase:
        """A raw stream of a file, which can seek."""
        ...

    def upload(self, uri: str, metadata: Mapping[str, str]) -> Upload:
        """A way to put a file there, in place of what is there."""
        ...

    def entries(self, uri: str) -> tuple[Entry, ...]:
        """The files below a URI, in the order of their paths."""
        ...


class Bucket:
    """Implements ``Place`` for every scheme of ``BUCKETS``."""

    piece = PIECE

    def known(self, uri: str) -> Known:
        """Its size and entity tag: one small request."""
        import obstore

        store, key = _located(uri)
        try:
            meta = obstore.head(store, key)
        except Exception as error:
            raise explained(uri, error) from error
        return Known(int(meta["size"]), str(meta["e_tag"] or ""))

    def reader(self, uri: str) -> io.RawIOBase:
        """A stream; each read is a request."""
        return _Object(uri, self.known(uri).size)

    def upload(self, uri: str, metadata: Mapping[str, str]) -> Upload:
        """An upload in parts; ``metadata`` is kept with the object."""
        store, key = _located(uri)
        if not key or key.endswith("/"):
            raise UserError(f"{uri} names no file: add a name to it")
        return _Upload(uri, store, key, dict(metadata))

    def entries(self, uri: str) -> tuple[Entry, ...]:
        """The objects under a prefix."""
        import obstore

        store, key = _located(uri)
        prefix = f"{key.rstrip('/')}/" if key.rstrip("/") else ""
        base = f"{uri.rstrip('/')}/"
        found = []
        try:
            for batch in obstore.list(store, prefix or None):
                for meta in batch:
                    path = str(meta["path"]).removeprefix(prefix)
                    # A console that "makes a directory" leaves an empty object under its name.
                    if path and not path.endswith("/"):
                        found.append(Entry(path, base + path, "", int(meta["size"])))
        except Exception as error:
            raise explained(uri, error) from error
        if not found:
            raise EntityNotFound(f"there is nothing below {uri}: is the address right?")
        return tuple(sorted(found, key=lambda entry: entry.path))


class _Object(io.RawIOBase):
    """An object of a bucket, by ranges."""

    def __init__(self, uri: str, size: int) -> None:
        super().__init__()
        self._uri, self._size, self._at = uri, size, 0
        self._store, self._key = _located(uri)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        import obstore

        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._at)
        if wanted <= 0:
            return 0
        try:
            data = obstore.get_range(self._store, self._key, start=self._at, length=wanted)
        except Exception as error:
            raise explained(self._uri, error) from error
        view[: len(data)] = memoryview(data)
        self._at += len(data)
        return len(data)


class Uploading(Taking):
    """A raw stream to an address elsewhere. ``kept`` says what went there, once it is closed."""

    def __init__(self, uri: str, upload: Upload) -> None:
        super().__init__()
        self._uri, self._upload = uri, upload

    def _take(self, view: memoryview) -> None:
        self._upload.write(view)

    def _end(self, digest: str) -> str:
        self._upload.finish()
        return self._uri

    def _give_up(self) -> None:
        self._upload.abandon()


class _Upload:
    def __init__(self, uri: str, store: ObjectStore, key: str, metadata: dict[str, str]) -> None:
        import obstore

        self._uri = uri
        self._file: Any = obstore.open_writer(
            store, key, attributes=metadata or None, buffer_size=PART, max_concurrency=2
        )

    def write(self, data: bytes | memoryview) -> None:
        try:
            self._file.write(bytes(data))
        except Exception as error:
            raise explained(self._uri, error) from error

    def finish(self) -> None:
        try:
            self._file.close()
        except Exception as error:
            raise explained(self._uri, error) from error

    def abandon(self) -> None:
        # Without its end an upload in parts is nothing, and a short one has not begun.
        self._file = None


def scheme_of(uri: str) -> str:
    """The scheme of a URI in lower case, "" for what is none."""
    scheme, colon, _ = uri.partition("://")
    return scheme.lower() if colon else ""


def _located(uri: str) -> tuple[ObjectStore, str]:
    """The store and the key in it that a URI means. Keys are as they are written: nothing is unquoted."""
    from obstore.store import MemoryStore, from_url

    scheme, _, rest = uri.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme.lower() == "memory":
        # One for the whole process, whatever stands behind the scheme.
        with _guard:
            return _stores.setdefault("memory", MemoryStore()), rest
    # With the environment, which programs (and tests) may change: connections are kept as long as it is the same.
    said = tuple(sorted(item for item in os.environ.items() if item[0].upper().startswith(_ENVIRONMENT)))
    with _guard:
        store = _stores.get((scheme, bucket, said))
        if store is None:
            try:
                store = from_url(f"{scheme}://{bucket}")
            except Exception as error:
                raise explained(uri, error) from error
            _stores[scheme, bucket, said] = store
    return store, key


def explained(uri: str, error: Exception) -> Exception:
    """An error of obstore's in terms of ours."""
    from obstore import exceptions

    reason = str(error).partition("\n")[0]
    if isinstance(error, FileNotFoundError):
        return EntityNotFound(f"there is no {uri}: it was removed, or the address is wrong")
    refused = (exceptions.PermissionDeniedError, exceptions.UnauthenticatedError)
    # A bucket without credentials answers so too, in words only.
    if isinstance(error, refused) or "403 Forbidden" in reason or "401 Unauthorized" in reason:
        return UserError(
            f"{uri}: access was refused ({reason}). Put the credentials into the environment of whoever reads it, "
            "never into the URI"
        )
    if isinstance(error, ValueError | exceptions.UnknownConfigurationKeyError):
        return UserError(f"{uri} cannot be used: {reason}")
    return StoreError(f"{uri} cannot be reached: {reason}. Try again when it can be")
