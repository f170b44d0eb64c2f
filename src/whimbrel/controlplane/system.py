"""The machine's clock and a source of run ids, for compositions that want the real ones."""

from __future__ import annotations

import secrets
import time

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_ALPHABET = _LETTERS + "0123456789"


class SystemClock:
    """The wall clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()


class RandomIds:
    """Ids drawn from the operating system's randomness: 12 characters, about 61 bits."""

    def new_run_id(self) -> str:
        """A letter and eleven letters or digits."""
        return secrets.choice(_LETTERS) + "".join(secrets.choice(_ALPHABET) for _ in range(11))
