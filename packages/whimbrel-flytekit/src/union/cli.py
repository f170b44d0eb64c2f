"""The program ``union``."""

from __future__ import annotations

from collections.abc import Sequence

from flytekit.clis.programs import run_program
from flytekit.clis.running import local_program

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; its exit code."""
    return run_program(local_program("union", "Run workflow files written for union, on whimbrel."), arguments)
