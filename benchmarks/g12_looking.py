"""G12: a hundred thousand runs in lists and in a browser, a run of ten thousand nodes, a thousand changes a second.

The scripts that measure it can be run by themselves: `g12_lists.py` (the server's lists), `g12_scroll.py` (the list in
Chromium), `g12_console.py` (the page of a run in Chromium; `--soak 600` watches for ten minutes).
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from harness import HERE, Table, environment

LIST, OPEN, FIRST, PLACE, FRAME = 0.05, 1.0, 1.0, 0.5, 0.05
"""Goals, in seconds: a list at its 95th percentile, a run that answers, the first rows of the list, any place in it, a
frame at its 99th percentile."""
CHANGES = 1000.0
"""A second."""


def said_by(script: str) -> dict[str, dict[str, Any]]:
    """The lines of a script, by name. It ends with 1 where it misses a goal of its own, which its figures say."""
    command = [sys.executable, str(HERE / script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment())
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode not in (0, 1) or "Traceback" in done.stderr or not rows:
        sys.stderr.write(done.stdout + done.stderr)
        raise SystemExit(f"{script} ended with {done.returncode}")
    return {row.get("g12") or row.get("name", ""): row for row in rows}


def measure() -> Table:
    """The rows of the gate."""
    table = Table("G12", "100,000 runs in lists, a run of 10,000 nodes, 1,000 changes a second, in Chromium")
    lists = {name: row for name, row in said_by("g12_lists.py").items() if "p95_ms" in row}
    worst = max(lists, key=lambda name: lists[name]["p95_ms"])
    slowest = [row["p95_ms"] / 1e3 for row in lists.values()]
    table.add(f"the slowest of {len(lists)} lists, p95 ({worst})", [max(slowest)], [LIST], than="50 ms", goal=1)
    table.note("the other lists, p95", f"{min(slowest) * 1e3:.1f} to {sorted(slowest)[-2] * 1e3:.1f} ms")

    scroll = said_by("g12_scroll.py")
    table.add("the list in the browser: first rows", [scroll["first rows"]["s"]], [FIRST], than="1 s", goal=1)
    longest = scroll["anywhere"]["longest_ms"] / 1e3
    table.add("any place in it, the slowest of 21", [longest], [PLACE], than="0.5 s", goal=1)
    for name in ("steadily", "busy"):
        row = scroll[name]
        table.add(f"a frame while it is scrolled {name}, p99", [row["p99_ms"] / 1e3], [FRAME], than="50 ms", goal=1)

    page = said_by("g12_console.py")
    for name in ("warm", "cold"):
        row = page[f"open a run of 10,000 nodes, {name}"]
        table.add(f"a run of 10,000 nodes answers a click, {name}", [row["value"]], [OPEN], than="1 s", goal=1)
    heard = page["changes that the page heard"]
    table.add("between two changes that a page hears", [1 / heard["value"]], [1 / CHANGES], than="1 ms", goal=1)
    for name, row in page.items():
        if not name.startswith("open"):
            remark = f" ({row['note']})" if row["note"] else ""
            table.note(name, f"{row['value']:.4g} {row['unit']}{remark}")
    return table
