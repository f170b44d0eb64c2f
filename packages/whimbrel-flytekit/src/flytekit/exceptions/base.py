"""``flytekit.exceptions.base``: the root of the classes that user code raises, and the two branches under it.

They travel between processes as any exception does: named by their module, and found by import.
"""

from __future__ import annotations

from typing import Any

from whimbrel.errors import RecoverableError

__all__ = ["FlyteException", "FlyteRecoverableException"]


class FlyteException(Exception):
    """An error of a flytekit class. ``timestamp`` is in seconds since the epoch; ``code`` is what clients show."""

    _ERROR_CODE = "UnknownFlyteException"

    def __init_subclass__(cls, *, code: str = "", **options: Any) -> None:
        super().__init_subclass__(**options)
        if code:
            cls._ERROR_CODE = code

    def __init__(self, *args: Any, timestamp: float | None = None) -> None:
        # Not super(): next in a recoverable error's order is a class that takes one message only.
        Exception.__init__(self, *args)
        self._timestamp = timestamp

    @property
    def error_code(self) -> str:
        """The code that clients show."""
        return self._ERROR_CODE

    @property
    def timestamp(self) -> float | None:
        """When it happened, if the raiser said so."""
        return self._timestamp


class FlyteRecoverableException(FlyteException, RecoverableError, code="RecoverableFlyteException"):
    """Raise it in a task to ask for another attempt."""


class FlyteUserException(FlyteException, code="USER:Unknown"):
    """The workflow or its inputs are at fault. Its public place is ``flytekit.exceptions.user``."""


class FlyteAssertion(FlyteUserException, AssertionError, code="USER:AssertionError"):
    """Something that must hold does not. Its public place is ``flytekit.exceptions.user``."""
