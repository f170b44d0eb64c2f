"""Time and chance that a replay meets again: ``now``, ``random`` and ``uuid4`` for eager bodies.

In a body that an engine drives, what is drawn is recorded, and a new driver draws the same. Anywhere else they are
the plain ones. Drawing is not asynchronous: the record rides with the next thing that the body does, so nothing that
follows from a value can be durable without it.
"""

from __future__ import annotations

import datetime as dt
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, TypeVar, runtime_checkable

from whimbrel.authoring.calling import current
from whimbrel.model.literals import BytesLiteral, DatetimeLiteral, FloatLiteral, Literal

if TYPE_CHECKING:
    from uuid import UUID

T = TypeVar("T", DatetimeLiteral, FloatLiteral, BytesLiteral)


@runtime_checkable
class Draws(Protocol):
    """A caller whose draws are recorded."""

    def draw(self, make: Callable[[], Literal]) -> Literal:
        """The recorded value, or a new one."""
        ...

    def time(self) -> float:
        """Seconds since the epoch, by the clock that its timers go by."""
        ...

    def entropy(self, size: int) -> bytes:
        """Random bytes."""
        ...


class _Plain:
    """What draws where nothing is recorded."""

    def draw(self, make: Callable[[], Literal]) -> Literal:
        return make()

    def time(self) -> float:
        return time.time()

    def entropy(self, size: int) -> bytes:
        return os.urandom(size)


_PLAIN = _Plain()


def _draw(make: Callable[[Draws], T], kind: type[T]) -> T:
    caller = current.get()
    source: Draws = caller if isinstance(caller, Draws) else _PLAIN
    value = source.draw(lambda: make(source))
    assert isinstance(value, kind)
    return value


def now() -> dt.datetime:
    """The current time, in UTC."""
    return _draw(
        lambda source: DatetimeLiteral(dt.datetime.fromtimestamp(source.time(), dt.UTC)), DatetimeLiteral
    ).value


def random() -> float:
    """A number from 0.0 (included) to 1.0 (excluded)."""
    return _draw(lambda source: FloatLiteral((int.from_bytes(source.entropy(7)) >> 3) / 2**53), FloatLiteral).value


def uuid4() -> UUID:
    """A random UUID."""
    from uuid import UUID

    return UUID(bytes=_draw(lambda source: BytesLiteral(source.entropy(16)), BytesLiteral).value, version=4)
