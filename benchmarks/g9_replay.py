"""G9: replay of 10,000 finished steps, against the SELECTs of their events."""

from __future__ import annotations

import statistics
import sys
import tempfile

from harness import ENVIRONMENTS, Table, subject


def measure() -> Table:
    """Seconds from `resume` until the body has passed the last of its 10,000 recorded calls."""
    table = Table("G9", "replay of 10,000 finished steps")
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory:
        figures = subject(sys.executable, "durable_steps.py", "replay", directory)
    table.add("resume to the last step", figures["replay"], [1.0], than="one second", goal=1)
    selects, read = statistics.median(figures["selects"]), statistics.median(figures["read"])
    table.note(
        "its 30,000 events", f"{selects:.3f} s as a SELECT each, {read:.3f} s as the store reads and decodes them"
    )
    return table
