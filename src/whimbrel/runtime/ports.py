"""What the worker half needs of the world."""

from __future__ import annotations

from typing import Protocol


class BlobStore(Protocol):
    """Bytes under URIs, written once. Thread-safe and blocking; workers call it from task threads."""

    def put(self, name: str, data: bytes) -> str:
        """Keep ``data`` under a relative name (``runs/<run>/…`` or ``literals/<digest>``) and return its URI.
        Writing the same name again is allowed."""
        ...

    def get(self, uri: str) -> bytes:
        """The bytes under ``uri``. Raises ``EntityNotFound``."""
        ...
