"""G4: compile and serialise large workflows. No recursion limit, and linear."""

from __future__ import annotations

import statistics
import sys

import peers
from harness import Table, subject, version


def measure() -> Table:
    """Seconds for a whole workflow."""
    theirs = peers.flytekit()
    table = Table("G4", f"compile and serialise (flytekit {version(theirs, 'flytekit')})")
    our = {
        shape: subject(sys.executable, "compile.py", "whimbrel", shape)
        for shape in ("chain", "fan_out", "long_chain", "half_chain")
    }
    their = {shape: subject(theirs, "compile.py", "flytekit", shape) for shape in ("chain", "fan_out", "long_chain")}
    table.add("chain of 1,000 nodes", our["chain"]["seconds"], their["chain"]["seconds"], than="flytekit", goal=1 / 10)
    table.add(
        "fan-out of 5,000 nodes", our["fan_out"]["seconds"], their["fan_out"]["seconds"], than="flytekit", goal=1 / 10
    )
    failed = not their["long_chain"]["seconds"]
    if failed:
        table.note(
            "chain of 10,000 nodes",
            f"{statistics.median(our['long_chain']['seconds']):.3f} s; flytekit fails (recursion)",
        )
    else:
        table.add(
            "chain of 10,000 nodes",
            our["long_chain"]["seconds"],
            their["long_chain"]["seconds"],
            than="flytekit",
            goal=1 / 10,
        )
    table.add(
        "linear: 10,000 against 5,000 nodes",
        our["long_chain"]["seconds"],
        our["half_chain"]["seconds"],
        than="whimbrel, half the nodes",
        goal=2.5,
    )
    return table
