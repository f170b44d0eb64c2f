"""Large values in memory, where a test can look at them.

Must not know what they mean.
"""

from __future__ import annotations

from whimbrel.errors import EntityNotFound


class MemoryBlobs:
    """``runtime.ports.BlobStore`` in a dict: ``contents`` has the bytes by URI."""

    def __init__(self) -> None:
        self.contents: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> str:
        """Keep ``data`` and return its URI."""
        uri = f"memory:{name}"
        self.contents[uri] = data
        return uri

    def get(self, uri: str) -> bytes:
        """The bytes under ``uri``. Raises ``EntityNotFound``."""
        try:
            return self.contents[uri]
        except KeyError:
            raise EntityNotFound(f"there is no value {uri}") from None

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        """At most ``length`` bytes from ``start``. Raises ``EntityNotFound``."""
        return self.get(uri)[start : start + length]

    def size(self, uri: str) -> int:
        """How many bytes stand under ``uri``. Raises ``EntityNotFound``."""
        return len(self.get(uri))

    def path(self, uri: str) -> str | None:
        """``None``: there are no files."""
        return None

    def mover(self, path: str) -> None:
        """``None``: files are read into memory."""

    def writer(self) -> MemoryWriter:
        """Bytes that will have a name."""
        return MemoryWriter(self)

    def holds(self, uri: str) -> bool:
        """Whether ``uri`` is of this store: ``memory://`` is somebody else's."""
        return uri.startswith("memory:") and not uri.startswith("memory://")


class MemoryWriter:
    """Collects bytes until they have a name."""

    def __init__(self, blobs: MemoryBlobs) -> None:
        self._blobs = blobs
        self._data = bytearray()

    def write(self, data: bytes | memoryview) -> None:
        """Take more bytes."""
        self._data += data

    def finish(self, name: str) -> str:
        """Keep them under ``name`` and return the URI."""
        return self._blobs.put(name, bytes(self._data))

    def abandon(self) -> None:
        """Throw them away."""
        self._data.clear()
