"""Record the journals of this release: ``python -m tests.golden.record`` at the repository's root, with each Python.

Files that exist are kept: a journal is never recorded again, since it is what users of that release have on disk.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

from tests.laws.corpus import SAMPLES
from whimbrel.testing.engine import TestEngine

HERE = Path(__file__).parent

SEED = 1

OWN_TASKS = sys.version_info < (3, 12)
"""``asyncio.wait_for`` makes a task on Python 3.11 and none later: the calls in it have other names."""

DEPENDS_ON_PYTHON = frozenset({"eager_wait_for", "eager_wait_for_call"})


def file_name(sample: str) -> str:
    """The journal of a sample for the Python that runs."""
    if sample not in DEPENDS_ON_PYTHON:
        return f"{sample}.journal"
    return f"{sample}-{'py311' if OWN_TASKS else 'py312'}.journal"


def journals() -> list[Path]:
    """Every journal that this Python can replay, of every release."""
    usable = {file_name(sample) for sample in SAMPLES}
    return sorted(path for path in HERE.glob("*/*.journal") if path.name in usable)


def record(samples: Iterable[str]) -> list[Path]:
    """Write the journals that are not there yet."""
    folder = HERE / version("whimbrel")
    folder.mkdir(exist_ok=True)
    written = []
    for name in samples:
        path = folder / file_name(name)
        if path.exists():
            continue
        sample = SAMPLES[name]
        engine = TestEngine(seed=SEED)
        engine.run(sample.entity, **sample.inputs)
        engine.write_journal(path, forget=[str(HERE.parents[1]), sys.prefix, sys.base_prefix])
        written.append(path)
    return written


if __name__ == "__main__":
    for path in record(SAMPLES):
        print(path.relative_to(HERE))
