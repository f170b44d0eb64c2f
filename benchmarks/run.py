"""Runs the gates and writes RESULTS.md: ``python benchmarks/run.py [g1 g2 ...]``.

Gates that are not named keep their part of the table from the run before.
"""

from __future__ import annotations

import datetime as dt
import importlib
import os
import re
import sys
from pathlib import Path

from harness import HERE, machine

GATES = {
    "g1": "g1_import",
    "g2": "g2_static",
    "g3": "g3_eager",
    "g4": "g4_compile",
    "g5": "g5_durable",
    "g6": "g6_gather",
    "g7": "g7_workers",
    "g8": "g8_server",
    "g9": "g9_replay",
    "g10": "g10_wide",
    "g11": "g11_up",
    "g12": "g12_looking",
    "g13": "g13_data",
}


def main(names: list[str]) -> None:
    """Run the named gates, or all."""
    unknown = [name for name in names if name not in GATES]
    if unknown:
        raise SystemExit(f"no such gate: {', '.join(unknown)}; there are {', '.join(GATES)}")
    results = HERE / "RESULTS.md"
    parts: dict[str, str] = {}
    if results.exists():
        for part in re.split(r"(?m)^(?=## )", results.read_text())[1:]:
            parts[part[3:].partition(":")[0].lower()] = part
    for name in names or GATES:
        table = importlib.import_module(GATES[name]).measure()
        stamp = f"Measured {dt.date.today().isoformat()} on {machine()}, load average {os.getloadavg()[0]:.0f}.\n\n"
        head, _, rest = table.markdown().partition("\n\n")
        parts[name] = f"{head}\n\n{stamp}{rest}\n"
        # After each gate: some take minutes.
        write(results, parts)


def write(results: Path, parts: dict[str, str]) -> None:
    """The whole file."""
    text = (
        "# Results\n\n"
        "Written by `make bench`. Every line compares two things measured in turn in one run, as medians (smallest to\n"
        "largest); absolute times wander on shared machines, ratios less. A ratio above its goal is shown as it is.\n\n"
    )
    results.write_text(text + "\n".join(parts[name].rstrip() + "\n" for name in GATES if name in parts))


if __name__ == "__main__":
    main(sys.argv[1:])
