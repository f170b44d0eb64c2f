"""`import whimbrel`: a sorted list of names, at once, with no side effect."""

import json
import subprocess
import sys
from pathlib import Path

import whimbrel

# Each of these costs more to import than the whole facade may.
HEAVY = {
    *("alembic", "click", "flyteidl", "google.protobuf", "grpc", "httpx", "kubernetes", "multiprocessing", "numpy"),
    *("obstore", "pandas", "polars", "pyarrow", "pydantic", "ray", "rich", "sqlalchemy", "sqlite3", "yaml"),
}

LOOK = """
import json, os, sys, threading
before = os.listdir()
import whimbrel
print(json.dumps({
    "modules": sorted(sys.modules), "threads": threading.active_count(), "files": os.listdir() != before,
}))
"""


def test_names_are_sorted_and_there() -> None:
    names = whimbrel.__all__
    assert names == sorted(set(names))
    missing = [name for name in names if not hasattr(whimbrel, name)]
    assert not missing


def test_importing_it_costs_and_changes_nothing(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-I", "-c", LOOK], cwd=tmp_path, check=True, capture_output=True, text=True)
    seen = json.loads(run.stdout)
    assert not HEAVY.intersection(seen["modules"])
    assert seen["threads"] == 1
    assert not seen["files"]
    assert not run.stderr
