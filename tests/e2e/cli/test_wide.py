"""`kill -9` in the middle of a wide map: what had finished is kept, and the rest is run."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.e2e.cli.shell import Shell, wait_until, wait_until_quiet
from tests.e2e.cli.test_kills import events_of, finished

FLOWS = Path(__file__).with_name("map_flows.py")
ITEMS = 200


def items(shell: Shell) -> Counter[str]:
    notes = shell.notes / "items"
    return Counter(notes.read_text().split()) if notes.exists() else Counter()


@pytest.mark.parametrize("flow", ["wide", "laid_out", "awaited"])
def test_each_item_that_had_finished_ran_once(tmp_path: Path, flow: str) -> None:
    shell = Shell(tmp_path)
    with shell.started("run", FLOWS, flow, "--n", ITEMS, "--run-id", "w") as process:
        wait_until(lambda: sum(items(shell).values()) > ITEMS // 3)
        process.kill()
        process.wait()
    wait_until_quiet(shell)
    kept = finished(events_of(tmp_path / ".whimbrel", "w"))
    before = items(shell)
    assert sum(before.values()) < ITEMS, "it was over before it was killed"
    assert kept
    assert shell("resume", "w").out.strip() == str(sum(range(ITEMS)))
    after = items(shell)
    assert len(after) == ITEMS
    done = {path.rpartition("/")[2].removeprefix("dn") for path in kept if "/" in path}
    assert all(after[position] == 1 for position in done)
