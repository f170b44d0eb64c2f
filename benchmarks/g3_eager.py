"""G3: eager workflows called directly: sequential awaits, a wide gather, and sync tasks that must overlap."""

from __future__ import annotations

import statistics
import sys

import peers
from harness import Table, subject, version


def measure() -> Table:
    """Seconds a call, and the time of ten gathered tasks of 0.2 s."""
    theirs = peers.flytekit()
    table = Table("G3", f"direct eager workflow (flytekit {version(theirs, 'flytekit')})")
    our = subject(sys.executable, "eager_calls.py", "whimbrel")
    their = subject(theirs, "eager_calls.py", "flytekit")
    bare = subject(sys.executable, "bare_asyncio.py")
    for name, title in (
        ("sequential", "1,000 sequential async awaits, a call"),
        ("gather", "gather of 1,000 async calls, a call"),
    ):
        table.add(title, our[name], their[name], than="flytekit", goal=1 / 50)
        table.add(title, our[name], bare[name], than="bare asyncio task", goal=5)
    table.add(
        "1,000 sequential sync awaits, a call",
        our["sync_sequential"],
        bare["to_thread"],
        than="asyncio.to_thread",
        goal=2,
    )
    table.add(
        "gather of 1,000 sync calls, a call",
        our["sync_gather"],
        bare["to_thread_gather"],
        than="asyncio.to_thread",
        goal=2,
    )
    table.add("10 gathered sync tasks of 0.2 s", our["overlap"], their["overlap"], than="flytekit", goal=0.25 / 2.0)
    table.note(
        "10 gathered sync tasks of 0.2 s",
        f"median {statistics.median(our['overlap']):.3f} s (goal: 0.25 s); "
        f"flytekit {statistics.median(their['overlap']):.3f} s",
    )
    return table
