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
