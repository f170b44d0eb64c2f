"""Where the server is that ``flytectl demo start`` started. One for each user, as its container is."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

DEFAULT = "localhost:30080"
"""Where a sandbox is when nothing is said."""


def note() -> Path:
    """The file that ``flytectl demo start`` leaves for the others: address, process, home."""
    return Path("~/.whimbrel/demo.json").expanduser()


def noted() -> dict[str, Any] | None:
    """What it says; ``None`` when there is none that can be read."""
    try:
        said = json.loads(note().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return said if isinstance(said, dict) and {"home", "pid", "url"} <= said.keys() else None


def sandbox_endpoint() -> str:
    """Host and port of the sandbox: the one that runs, else where it would be."""
    said = noted()
    if said is None:
        return DEFAULT
    try:
        os.kill(int(said["pid"]), 0)
    except ProcessLookupError:
        return DEFAULT
    except PermissionError:
        pass
    return str(said["url"]).partition("://")[2]
