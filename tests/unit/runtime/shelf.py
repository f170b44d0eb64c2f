"""A blob store in a dict."""

from __future__ import annotations

from whimbrel.errors import EntityNotFound


class Shelf:
    """Implements the worker's ``BlobStore``."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, name: str, data: bytes) -> str:
        """Keep bytes."""
        self.kept[f"shelf:{name}"] = data
        return f"shelf:{name}"

    def get(self, uri: str) -> bytes:
        """Give them back."""
        try:
            return self.kept[uri]
        except KeyError:
            raise EntityNotFound(uri) from None
