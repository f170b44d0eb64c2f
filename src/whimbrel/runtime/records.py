"""Log records of what runs in an attempt, with their levels.

Two ways in. ``current_context().logging`` is heard from ``INFO`` on. Other loggers are heard where the program has set
up no logging of its own, from ``WARNING`` on, as Python does it; where it has, its handlers write to the streams, and
are captured there.

Knows: Python's logging. Must not know: attempts (it asks whose a record is), transports.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Protocol

USER_LOGGER = "whimbrel.user"


class Records(Protocol):
    """Takes log records."""

    def record(self, level: str, text: str) -> None:
        """Take one."""
        ...


class RecordHandler(logging.Handler):
    """Hands records to whoever ``ask`` answers with; to what was there before where it answers with nobody."""

    def __init__(self, ask: Callable[[], Records | None]) -> None:
        super().__init__()
        self._ask = ask
        self._before: logging.Handler | None = None
        self._level_before = logging.NOTSET
        self._installed = False
        self.setFormatter(logging.Formatter("%(name)s: %(message)s"))

    def install(self) -> None:
        """Listen; once is enough."""
        if self._installed:
            return
        self._installed = True
        self._before = logging.lastResort
        logging.lastResort = _FromWarning(self)
        user = logging.getLogger(USER_LOGGER)
        self._level_before = user.level
        if user.level == logging.NOTSET:
            user.setLevel(logging.INFO)
        user.addHandler(self)

    def remove(self) -> None:
        """Listen no more."""
        if self._installed:
            self._installed = False
            logging.lastResort = self._before
            user = logging.getLogger(USER_LOGGER)
            user.removeHandler(self)
            user.setLevel(self._level_before)

    def emit(self, record: logging.LogRecord) -> None:
        """See ``logging.Handler``."""
        if record.name == USER_LOGGER and logging.getLogger().handlers:
            # It goes on to the program's own handlers, and what they write is captured.
            return
        owner = self._ask()
        if owner is not None:
            try:
                text = self.format(record)
            except Exception:
                # As Python does it: a bad format string is told, and costs nothing else.
                self.handleError(record)
                return
            owner.record(record.levelname, text)
        elif self._before is not None and record.levelno >= self._before.level:
            self._before.handle(record)


class _FromWarning(logging.Handler):
    def __init__(self, to: RecordHandler) -> None:
        super().__init__(logging.WARNING)
        self._to = to

    def emit(self, record: logging.LogRecord) -> None:
        self._to.emit(record)
