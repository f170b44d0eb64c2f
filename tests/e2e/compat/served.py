"""A demo server for the tests of the programs that talk to one, and those programs, as a user of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BESIDE = Path(__file__).resolve().parents[4] / "shared" / "seeds" / "listings"
LISTINGS = Path(os.environ.get("WHIMBREL_LISTINGS", BESIDE))
"""The listings of the documentation that we follow, if they are there: they are not ours to keep."""
LIMIT = 120
"""Seconds after which something hangs."""


class Site:
    """A user's home with a demo server in it."""

    def __init__(self, home: Path) -> None:
        self.home = home
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("WHIMBREL_", "FLYTE"))}
        # No byte code beside files that are not ours.
        self.variables = {**kept, "HOME": str(home), "XDG_CACHE_HOME": str(home / "cache")}
        self.variables["PYTHONDONTWRITEBYTECODE"] = "1"

    @property
    def endpoint(self) -> str:
        """Host and port of the server."""
        said = json.loads((self.home / ".whimbrel" / "demo.json").read_text())
        return str(said["url"]).partition("://")[2]

    def call(
        self, program: str, *arguments: object, directory: Path | None = None, code: int = 0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a program of the environment; its exit code must be ``code``."""
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *map(str, arguments)],
            cwd=directory or self.home,
            env={**self.variables, **more},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT,
        )
        assert done.returncode == code, done
        return done


@contextmanager
def demo(home: Path) -> Iterator[Site]:
    """A server that `flytectl demo start` starts, on a free port; it is stopped at the end."""
    site = Site(home)
    site.call("flytectl", "demo", "start", "--port", "0", "--workers", "2")
    try:
        yield site
    finally:
        site.call("flytectl", "demo", "stop")
