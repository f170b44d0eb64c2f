"""Referenced literals that were read lately: the items of a map read one list, each a part of it.

Knows: literals and the blob port. Must not know: who reads. Threads may share it.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from weakref import WeakKeyDictionary

from whimbrel.model import codec
from whimbrel.model.literals import Literal, RefLiteral
from whimbrel.runtime.ports import BlobStore

BUDGET = 8 * 1024 * 1024
"""Bytes, as stored, that are kept decoded: some ten times that in memory. The latest is kept however large it is, since
to read it anew for each item would cost the square of its length."""

_decode = codec.decoder(Literal).decode


class Decoded:
    """What was read of one store, the latest last."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._guard = threading.Lock()
        self._kept: OrderedDict[str, tuple[Literal, int]] = OrderedDict()
        self._bytes = 0

    def read(self, reference: RefLiteral, blobs: BlobStore) -> Literal:
        """The whole literal of which ``reference`` means a part. Raises ``EntityNotFound``."""
        with self._guard:
            found = self._kept.get(reference.uri)
            if found is not None:
                self._kept.move_to_end(reference.uri)
                return found[0]
        data = blobs.get(reference.uri)
        literal: Literal = _decode(data)
        with self._guard:
            if reference.uri not in self._kept:
                self._kept[reference.uri] = literal, len(data)
                self._bytes += len(data)
                while self._bytes > self._budget and len(self._kept) > 1:
                    _, (_, size) = self._kept.popitem(last=False)
                    self._bytes -= size
        return literal


_of_store: WeakKeyDictionary[BlobStore, Decoded] = WeakKeyDictionary()
_guard = threading.Lock()


def whole(reference: RefLiteral, blobs: BlobStore) -> Literal:
    """The literal that ``reference`` is a reference into. One that means all of it is read once, and not kept.

    Raises ``EntityNotFound`` when the store has lost it.
    """
    if not reference.path:
        found: Literal = _decode(blobs.get(reference.uri))
        return found
    with _guard:
        decoded = _of_store.get(blobs)
        if decoded is None:
            decoded = _of_store[blobs] = Decoded()
    return decoded.read(reference, blobs)
