"""The peers, by the versions that were measured. Installed from the package index into environments of their own."""

from __future__ import annotations

from pathlib import Path

from harness import peer


def flytekit() -> Path:
    """Real flytekit."""
    return peer("flytekit", "flytekit==1.16.31")
