"""What the worker half needs of the world."""

from __future__ import annotations

from typing import Protocol

from whimbrel.types.blobs import FileStore


class BlobStore(FileStore, Protocol):
    """Bytes under URIs, written once: large literals (``literals/<digest>``) and files (``files/<digest>/<name>``).
    Thread-safe and blocking; workers call it from task threads.
    """
