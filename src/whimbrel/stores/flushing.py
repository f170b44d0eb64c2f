"""Files and names on the disk, for good: what is renamed or made survives a loss of power only when it is flushed."""

from __future__ import annotations

import os
from pathlib import Path


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
