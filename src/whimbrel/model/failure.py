"""An exception that crosses processes: what is kept of it. Never pickled; the class is named and found by import."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from msgspec import Struct


class Fault(StrEnum):
    """Whose fault, or what kind of end."""

    USER = "user"
    SYSTEM = "system"
    TIMEOUT = "timeout"
    ABORT = "abort"
    LOST = "lost"
    CANCELLED = "cancelled"


class Failure(Struct, frozen=True, gc=False):
    """An exception, or the reason why there is no result.

    ``type`` is ``module:QualName`` of the class; ``args`` are those of its arguments that are JSON-like, ``None``
    when some are not; ``state`` likewise its instance attributes. ``bases`` lists the importable ancestors, nearest
    first, for a class that can't be imported. ``node`` is the path of the node that failed.
    """

    fault: Fault
    message: str
    type: str = ""
    args: tuple[Any, ...] | None = None
    state: dict[str, Any] = {}
    bases: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    traceback: str = ""
    recoverable: bool = True
    cause: Failure | None = None
    context: Failure | None = None
    members: tuple[Failure, ...] = ()
    node: str = ""
    line: str = ""

    @property
    def title(self) -> str:
        """``TypeError: message``, the last line of a traceback."""
        name = self.type.rpartition(":")[2] or self.fault.value
        return f"{name}: {self.message}" if self.message else name
