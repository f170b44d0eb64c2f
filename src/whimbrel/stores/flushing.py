"""Files and names on the disk, for good: what is renamed or made survives a loss of power only when it is flushed."""

from __future__ import annotations

import ctypes
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

_SYNC_FILE_RANGE_WRITE = 2


@cache
def _sync_file_range() -> Any:
    found = getattr(ctypes.CDLL(None), "sync_file_range", None) if sys.platform == "linux" else None
    if found is not None:
        found.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return found


def begin_flush(descriptor: int, start: int, length: int) -> None:
    """Have the disk begin with bytes that were written; 0 means all from ``start``. Only a hint: nothing is durable
    before ``fsync``, which also tells of what failed. Where the system cannot, nothing happens.
    """
    # Python has no name for it. It neither waits for the disk nor commits the journal, as fsync in a thread would.
    if (call := _sync_file_range()) is not None:
        call(descriptor, start, length, _SYNC_FILE_RANGE_WRITE)


def flush_file(path: Path) -> None:
    """Make the bytes of a file durable."""
    _flush(path, os.O_RDONLY)


def flush_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    _flush(path, os.O_RDONLY | os.O_DIRECTORY)


def _flush(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
