"""G2: a static workflow of 1,000 chained tasks, called directly."""

from __future__ import annotations

import sys

import peers
from harness import Table, subject, version


def measure() -> Table:
    """Seconds a task."""
    theirs = peers.flytekit()
    table = Table("G2", f"direct static workflow (flytekit {version(theirs, 'flytekit')})")
    our = subject(sys.executable, "static_chain.py", "whimbrel")
    their = subject(theirs, "static_chain.py", "flytekit")
    table.add("1,000 chained int -> int tasks, a task", our["task"], their["task"], than="flytekit", goal=1 / 50)
    return table
