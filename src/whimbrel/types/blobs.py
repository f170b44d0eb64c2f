"""What files need of a blob store: the port, streams over it, and how files and trees get in.

What is put in is named by its content (`files/<sha256>/<name>`), so that equal files have equal URIs: a call that is
given one finds its cached result, and a replayed body gives the same arguments. A directory is a list of its files.

Knows: the port. Must not know: any store, who runs the program (`storage()` asks whoever has said that they know).
"""

from __future__ import annotations

import errno
import io
import os
import re
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple, Protocol

import msgspec

from whimbrel.types.held import HeldBlob

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

CHUNK: int = 1024 * 1024
"""Bytes that move at a time: what a stream holds in memory. Fewer make a bucket's round trips felt."""

_COPIED_BYTES = 1024 * 1024 * 1024
"""What the system is asked to copy at a time: it takes less than 2 GiB, and hears of signals in between."""
_UNCOPIED = {errno.EXDEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
"""Why the system does not copy by itself from one disk to another."""

_UNSAFE = re.compile(r"[^\w.\- ]|^\.+$")
_NAME_CHARACTERS = 120


class BlobWriter(Protocol):
    """Bytes on their way into a store. Nobody sees them before ``finish``."""

    def write(self, data: bytes | memoryview) -> None:
        """Take more bytes."""
        ...

    def finish(self, name: str) -> str:
        """Keep what was written under a relative name, for good, and return its URI."""
        ...

    def abandon(self) -> None:
        """Throw away what was written."""
        ...


class BlobMover(Protocol):
    """A local file on its way into a store as it is. ``descriptor`` reads it; nobody can change it before ``close``."""

    descriptor: int

    def finish(self, name: str) -> str | None:
        """Keep the file under a relative name, for good, and return its URI; ``None`` when it must be copied."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...


class FileStore(Protocol):
    """Bytes under URIs, written once, read and written in pieces. Thread-safe and blocking."""

    def put(self, name: str, data: bytes) -> str:
        """Keep ``data`` under a relative name and return its URI. Writing the same name again is allowed."""
        ...

    def get(self, uri: str) -> bytes:
        """The bytes under ``uri``. Raises ``EntityNotFound``."""
        ...

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        """At most ``length`` bytes from ``start``; fewer at the end, none behind it. Raises ``EntityNotFound``."""
        ...

    def size(self, uri: str) -> int:
        """How many bytes stand under ``uri``. Raises ``EntityNotFound``."""
        ...

    def path(self, uri: str) -> str | None:
        """The local file that holds ``uri``, to be read and never written; ``None`` where there is none."""
        ...

    def writer(self) -> BlobWriter:
        """A place for bytes whose name is known only when the last of them is written."""
        ...

    def mover(self, path: str) -> BlobMover | None:
        """What takes a local file without copying it; ``None`` where a copy is all that can be had. Who asks answers
        for it that nobody means to write to the file again.
        """
        ...

    def holds(self, uri: str) -> bool:
        """Whether ``uri`` is one of this store's, be there anything under it or not."""
        ...


class Traffic:
    """Bytes of files and tables that this process has moved, since it started."""

    __slots__ = ("_lock", "read", "written")

    def __init__(self) -> None:
        self.read = 0
        self.written = 0
        self._lock = threading.Lock()

    def add(self, *, read: int = 0, written: int = 0) -> None:
        """Count some more."""
        with self._lock:
            self.read += read
            self.written += written


traffic = Traffic()
"""What tells that a reference was passed on and not read. What numpy maps into memory and what Arrow reads by itself
from a local store are not counted: the system knows (``/proc/self/io``).
"""


class Storage(NamedTuple):
    """The store of the attempt that is running, and its scratch directory."""

    store: FileStore
    scratch: Callable[[], str]


def _nobody() -> Storage | None:
    return None


_provider: Callable[[], Storage | None] = _nobody


def provide_storage(provider: Callable[[], Storage | None]) -> None:
    """Say who knows the storage of the attempt that is running: the room that has the ambient caller."""
    global _provider
    _provider = provider


def storage() -> Storage | None:
    """The storage of the attempt that is running; ``None`` outside any engine, where files are plain local ones."""
    return _provider()


# --- in --------------------------------------------------------------------------------------------------------------


class Kept(NamedTuple):
    """What was put into a store: ``digest`` is the SHA-256 of the content."""

    uri: str
    digest: str
    size: int


class Entry(msgspec.Struct, frozen=True):
    """A file of a stored directory: ``path`` is relative to it, with slashes."""

    path: str
    uri: str
    digest: str
    size: int


class Taking(io.RawIOBase):
    """A raw stream whose bytes are counted and digested on their way to somewhere. ``kept`` says where, once it is
    closed.
    """

    def __init__(self) -> None:
        super().__init__()
        import hashlib  # loads OpenSSL, which programs without files need not

        self._hash = hashlib.sha256()
        self._size = 0
        self._doomed = False
        self.kept: Kept | None = None

    def _take(self, view: memoryview) -> None:
        raise NotImplementedError

    def _end(self, digest: str) -> str:
        raise NotImplementedError

    def _give_up(self) -> None:
        raise NotImplementedError

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: ReadableBuffer) -> int:
        """Take more bytes."""
        view = memoryview(data).cast("B")
        self._hash.update(view)
        self._take(view)
        self._size += len(view)
        traffic.add(written=len(view))
        return len(view)

    def close(self) -> None:
        """Keep what was written."""
        if not self.closed:
            super().close()
            if self._doomed:
                self._give_up()
                return
            digest = self._hash.hexdigest()
            self.kept = Kept(self._end(digest), digest, self._size)

    def doom(self) -> None:
        """Have it thrown away when it is closed: what was written, and what a buffer above it still holds."""
        self._doomed = True

    def abandon(self) -> None:
        """Throw away what was written."""
        self.doom()
        self.close()


class Incoming(Taking):
    """A raw stream into a store."""

    def __init__(self, store: FileStore, name: str) -> None:
        super().__init__()
        self._writer = store.writer()
        self.name = name

    def _take(self, view: memoryview) -> None:
        self._writer.write(view)

    def _end(self, digest: str) -> str:
        return self._writer.finish(stored_as(digest, self.name))

    def _give_up(self) -> None:
        self._writer.abandon()


def stored_name(name: str) -> str:
    """``name`` as every store takes it."""
    return _UNSAFE.sub("_", name)[-_NAME_CHARACTERS:] or "file"


def stored_as(digest: str, name: str) -> str:
    """Where a store has a file: equal files have equal places."""
    return f"files/{digest}/{stored_name(name)}"


def keep_file(store: FileStore, path: str, own: str = "") -> Kept:
    """Put a local file into ``store``: itself, if it is below ``own``, a directory that nobody uses any more, and the
    store can take it; otherwise a copy, chunk by chunk.
    """
    if own and os.path.realpath(path).startswith(os.path.join(os.path.realpath(own), "")):
        kept = _move(store, path)
        if kept is not None:
            return kept
    return pour(path, Incoming(store, os.path.basename(path)))


def _move(store: FileStore, path: str) -> Kept | None:
    mover = store.mover(path)
    if mover is None:
        return None
    import hashlib

    try:
        taken, size = hashlib.sha256(), 0
        buffer = memoryview(bytearray(CHUNK))
        while count := os.preadv(mover.descriptor, [buffer], size):
            taken.update(buffer[:count])
            size += count
        digest = taken.hexdigest()
        uri = mover.finish(stored_as(digest, os.path.basename(path)))
    finally:
        mover.close()
    if uri is None:
        return None
    traffic.add(written=size)
    return Kept(uri, digest, size)


def pour(path: str, stream: Taking) -> Kept:
    """Send a local file down ``stream``, chunk by chunk, and close it."""
    with open(path, "rb", buffering=0) as source:
        buffer = memoryview(bytearray(CHUNK))
        try:
            while count := source.readinto(buffer):
                stream.write(buffer[:count])
        except BaseException:
            stream.abandon()
            raise
    stream.close()
    assert stream.kept is not None
    return stream.kept


def keep_value(store: FileStore, literal: HeldBlob) -> Kept:
    """Put a value that is in memory into ``store``, as the file that it is to be."""
    raw = Incoming(store, literal.name)
    stream = io.BufferedWriter(raw, CHUNK)
    assert literal.write is not None
    try:
        literal.write(literal.value, stream)
        stream.flush()
    except BaseException:
        raw.abandon()
        raise
    stream.close()
    assert raw.kept is not None
    return raw.kept


def keep_directory(store: FileStore, path: str, own: str = "") -> Kept:
    """Put the files of a local tree into ``store``, each as ``keep_file`` does, and a list of them. Empty directories
    are not kept.
    """
    entries = []
    for relative in local_files(path):
        kept = keep_file(store, os.path.join(path, *relative.split("/")), own)
        entries.append(Entry(relative, kept.uri, kept.digest, kept.size))
    return keep_entries(store, entries, os.path.basename(os.path.abspath(path)))


def keep_entries(store: FileStore, entries: list[Entry], name: str) -> Kept:
    """Put the list of the files of a tree into ``store``."""
    import hashlib

    data = msgspec.json.encode(entries)
    digest = hashlib.sha256(data).hexdigest()
    uri = store.put(f"directories/{digest}/{stored_name(name)}", data)
    return Kept(uri, digest, sum(entry.size for entry in entries))


def local_files(path: str) -> Iterator[str]:
    """The files of a local tree, relative to it, with slashes, in order."""
    for directory, directories, names in os.walk(path):
        directories.sort()
        for name in sorted(names):
            yield os.path.relpath(os.path.join(directory, name), path).replace(os.sep, "/")


# --- out -------------------------------------------------------------------------------------------------------------


class Outgoing(io.RawIOBase):
    """A raw stream of what stands in a store. Nothing is read before it is asked for."""

    def __init__(self, store: FileStore, uri: str, size: int = -1) -> None:
        super().__init__()
        self._descriptor = -1
        self._store, self._uri = store, uri
        self._size = store.size(uri) if size < 0 else size
        self._at = 0
        # A local file is read by the system's own call, into the caller's buffer.
        if (path := store.path(uri)) is not None:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go elsewhere; nothing is read for it."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill ``buffer`` as far as there are bytes."""
        view = memoryview(buffer).cast("B")
        wanted = min(len(view), self._size - self._at)
        if wanted <= 0:
            return 0
        if self._descriptor >= 0:
            count = os.preadv(self._descriptor, [view[:wanted]], self._at)
        else:
            data = self._store.read_range(self._uri, self._at, wanted)
            count = len(data)
            view[:count] = data
        self._at += count
        traffic.add(read=count)
        return count

    def readall(self) -> bytes:
        """What is left, in one request."""
        left = self._size - self._at
        data = self._store.read_range(self._uri, self._at, left) if left > 0 else b""
        self._at += len(data)
        traffic.add(read=len(data))
        return data

    def close(self) -> None:
        """Let go of the file."""
        if not self.closed:
            super().close()
            if self._descriptor >= 0:
                os.close(self._descriptor)


def fetch_file(store: FileStore, uri: str, path: str) -> None:
    """Write what stands under ``uri`` into a new local file, chunk by chunk."""
    if (local := store.path(uri)) is not None:
        # Its own file: who fetched it may change it.
        traffic.add(read=_copy(local, path))
        return
    with open(path, "wb", buffering=0) as target:
        at = 0
        while data := store.read_range(uri, at, CHUNK):
            target.write(data)
            at += len(data)
            traffic.add(read=len(data))


def _copy(path: str, target: str) -> int:
    """Have the system copy a file without showing it to us: where a disk can, both share their bytes until one is
    changed. How many bytes it has.
    """
    with open(path, "rb", buffering=0) as source, open(target, "wb", buffering=0) as into:
        try:
            if not hasattr(os, "copy_file_range"):
                raise OSError(errno.ENOSYS, "no system's own copy")
            while os.copy_file_range(source.fileno(), into.fileno(), _COPIED_BYTES):
                pass
        except OSError as error:
            if error.errno not in _UNCOPIED:
                raise
            import shutil

            # What was copied is copied; both stand behind it.
            shutil.copyfileobj(source, into, CHUNK)
        return into.tell()


def read_entries(store: FileStore, uri: str) -> tuple[Entry, ...]:
    """The files of a stored directory."""
    return msgspec.json.decode(store.get(uri), type=tuple[Entry, ...])
