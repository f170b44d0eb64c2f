"""The front of msgpack bytes of which the rest may not have been read.

Knows: msgpack's headers. Must not know: what the bytes mean.
"""

from __future__ import annotations

import struct
from typing import Any


class Short(Exception):
    """The bytes end before what was asked for does."""


_SIZES = {0xC4: 1, 0xC5: 2, 0xC6: 4, 0xD9: 1, 0xDA: 2, 0xDB: 4}
"""Bytes of the length of binaries and strings."""
_COUNTS = {0xDC: (2, 1), 0xDD: (4, 1), 0xDE: (2, 2), 0xDF: (4, 2)}
"""Bytes of the length of arrays and maps, and objects to each of its items."""
_FIXED = {
    0xC0: 0,
    0xC2: 0,
    0xC3: 0,
    0xCA: 4,
    0xCB: 8,
    0xCC: 1,
    0xCD: 2,
    0xCE: 4,
    0xCF: 8,
    0xD0: 1,
    0xD1: 2,
    0xD2: 4,
    0xD3: 8,
    0xD4: 2,
    0xD5: 3,
    0xD6: 5,
    0xD7: 9,
    0xD8: 17,
}
"""Bytes behind the first, of what has always as many."""
_EXTENDED = {0xC7: 1, 0xC8: 2, 0xC9: 4}
_INTEGERS = {0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q", 0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}


class Front:
    """A place ``at`` in ``data``; every method goes on behind what it has read, or raises ``Short``."""

    __slots__ = ("at", "data")

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    @property
    def over(self) -> bool:
        """Whether there is nothing behind this place."""
        return self.at >= len(self.data)

    def end(self) -> None:
        """Go behind everything."""
        self.at = len(self.data)

    def map(self) -> int:
        """The length of the map that begins here."""
        return self._count(0x80, (0xDE, 0xDF))

    def array(self) -> int:
        """The length of the array that begins here."""
        return self._count(0x90, (0xDC, 0xDD))

    def text(self) -> str:
        """The string here, all of it: names are short."""
        length = self._length()
        return self._take(length).decode("utf-8", "surrogatepass")

    def string(self, most: int) -> tuple[bytes, int]:
        """The first bytes of the string or binary here, ``most`` at the most, and how many it has."""
        length = self._length()
        found = self.data[self.at : self.at + min(length, most)]
        self.at = min(self.at + length, len(self.data))
        return found, length

    def plain(self) -> Any:
        """The whole number here; ``None`` for anything else."""
        first = self._byte()
        if first < 0x80:
            return first
        if first >= 0xE0:
            return first - 0x100
        if first in _INTEGERS:
            return struct.unpack(_INTEGERS[first], self._take(_FIXED[first]))[0]
        self.at -= 1
        self.skip()
        return None

    def skip(self) -> None:
        """Go behind the object here."""
        left = 1
        while left:
            left -= 1
            first = self._byte()
            if first < 0x80 or first >= 0xE0:
                continue
            if first < 0xA0:
                left += (first & 0x0F) * (2 if first < 0x90 else 1)
            elif first < 0xC0:
                self._pass(first & 0x1F)
            elif first in _SIZES:
                self._pass(self._number(_SIZES[first]))
            elif first in _COUNTS:
                width, each = _COUNTS[first]
                left += self._number(width) * each
            elif first in _EXTENDED:
                self._pass(self._number(_EXTENDED[first]) + 1)
            else:
                self._pass(_FIXED[first])

    # --- inside

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise Short
        self.at += 1
        return self.data[self.at - 1]

    def _pass(self, count: int) -> None:
        self.at += count
        if self.at > len(self.data):
            raise Short

    def _take(self, count: int) -> bytes:
        begin = self.at
        self._pass(count)
        return self.data[begin : self.at]

    def _number(self, width: int) -> int:
        return int.from_bytes(self._take(width), "big")

    def _count(self, fixed: int, wide: tuple[int, int]) -> int:
        first = self._byte()
        if first & 0xF0 == fixed:
            return first & 0x0F
        if first in wide:
            return self._number(2 if first == wide[0] else 4)
        raise Short

    def _length(self) -> int:
        first = self._byte()
        if 0xA0 <= first < 0xC0:
            return first & 0x1F
        if first in _SIZES:
            return self._number(_SIZES[first])
        raise Short
