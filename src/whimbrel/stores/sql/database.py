"""What the store needs of a database, as Protocols over its driver's DB-API. Each database is one module.

Knows: the texts. Must not know: any driver.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from whimbrel.errors import StoreError
from whimbrel.stores.sql.texts import Texts

Parameters = Mapping[str, Any]


class Cursor(Protocol):
    """A DB-API cursor, as far as it is used."""

    @property
    def rowcount(self) -> int:
        """How many rows the last statement changed."""
        ...

    def execute(self, sql: str, values: Parameters = ..., /) -> Any:
        """Carry a statement out."""
        ...

    def executemany(self, sql: str, values: Sequence[Parameters], /) -> Any:
        """Carry a statement out for each of many rows."""
        ...

    def fetchone(self) -> Any:
        """The next row, or ``None``."""
        ...

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        ...


class Connection(Protocol):
    """A DB-API connection in autocommit mode: transactions are begun and ended in so many words."""

    def cursor(self) -> Cursor:
        """A new cursor."""
        ...

    def close(self) -> None:
        """Let go."""
        ...


class Database(Protocol):
    """A database whose schema is up to date."""

    texts: Texts
    begin: str
    """The statement that begins a transaction which will write."""

    def connect(self, *, write: bool) -> Connection:
        """A connection, to be used by one thread at a time. What it commits survives a loss of power."""
        ...

    def give_up(self, connection: Any) -> None:
        """Roll back what ``connection`` has begun, and close it. Never fails."""
        ...

    def explained(self, error: Exception) -> StoreError:
        """What an error of the driver or the system means, in words and with what to do."""
        ...

    def is_of_statement(self, error: Exception) -> bool:
        """Whether a statement or its values are to blame, and not the state of the database or the machine."""
        ...

    def damage(self, cursor: Cursor) -> list[str]:
        """Everything that a full check finds wrong. Reads the whole database."""
        ...
