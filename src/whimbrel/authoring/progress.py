"""How far a task is: ``progress`` says it, ``track`` says it while it goes through something.

Under an engine it is shown and kept; in a plain Python call nothing happens. What is said more often than it could be
seen is not sent.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from whimbrel.authoring.calling import current

T = TypeVar("T")


def progress(done: float, total: float | None = None, message: str = "") -> None:
    """Say that ``done`` of ``total`` (of an unknown number, if not said) is done."""
    show = current.get().execution.show
    if show is not None:
        show.progress(done, total, message)


def track(items: Iterable[T], total: float | None = None, message: str = "") -> Iterator[T]:
    """``items``, one after the other, with progress said for each: ``for row in track(rows): ...``

    ``total`` is their number where they do not know it themselves.
    """
    if total is None:
        try:
            total = len(items)  # type: ignore[arg-type]  # those that have no length say so
        except TypeError:
            total = None
    progress(0, total, message)
    for done, item in enumerate(items, 1):
        yield item
        progress(done, total, message)
