"""G5: a durable eager step on SQLite, sequential, against one raw commit on the same disk."""

from __future__ import annotations

import sys
import tempfile

from harness import ENVIRONMENTS, Table, figures_of, subject


def measure() -> Table:
    """Seconds a step; steps and raw commits take turns, fifty by fifty, in one process."""
    table = Table("G5", "durable eager step on SQLite, synchronous=FULL, inline executor, sequential")
    for what, title in (("sequential", "async task, a step"), ("blocking", "blocking task on a thread, a step")):
        with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory:
            figures = subject(sys.executable, "durable_steps.py", what, directory)
        table.add(title, figures["step"], figures["commit"], than="raw WAL+FULL commit", goal=2)
    with tempfile.TemporaryDirectory(dir=ENVIRONMENTS) as directory:
        bare = figures_of("store_writer.py", "--directory", directory)
    for figure, row in bare.items():
        goal = f" (goal: {row['goal']})" if "goal" in row else ""
        table.note(
            f"the bare store: {figure}",
            f"median {row['median']:g} {row['unit']}, {row['min']:g} to {row['max']:g}{goal}",
        )
    return table
