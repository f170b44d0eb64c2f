"""Who owns a home just now, as its lock file says; for people, not for decisions.

Knows: the lock file, processes. Must not know: what the owner does. Taking the lock to find out could keep a new owner
from starting.
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec

from whimbrel.stores.home import LOCK, Holder


def owner_of(home: Path) -> str | None:
    """``process 4711 (whimbrel run …)``, or ``None`` when no process that signed the lock lives."""
    try:
        holder = msgspec.json.decode((home / LOCK).read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        pass
    return f"process {holder.pid} ({holder.command})"
