"""What the parts of the store in SQL have of the whole: its texts, its writer, its readers.

Knows: cursors. Must not know: tables, what any part keeps.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TypeVar

from whimbrel.stores.sql.database import Cursor
from whimbrel.stores.sql.texts import Texts

T = TypeVar("T")


class SqlPart(ABC):
    """Implements one port for the store that it is a part of."""

    _sql: Texts

    @abstractmethod
    async def _write(self, work: Callable[[Cursor], T]) -> T:
        """What ``work`` gives, once what it wrote is on disk."""

    @abstractmethod
    async def _read(self, work: Callable[[Cursor], T]) -> T:
        """What ``work`` gives, in a reader's thread."""
