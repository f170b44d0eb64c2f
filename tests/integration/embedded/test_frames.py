"""Tables across real worker processes: nobody holds a large one in memory, and who does not look reads nothing."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import ModuleType

import pyarrow as pa
import pytest

from tests.integration.embedded.test_files import execute
from whimbrel import StructuredDataset
from whimbrel.runtime.loading import load_module, locate
from whimbrel.stores.home import open_home
from whimbrel.types.blobs import Storage

PIECES = 14
"""224 MiB."""
# A group of rows is 32 MiB: one is gathered while one is written or read, and what Arrow frees it keeps for a while.
FLAT = 180


@pytest.fixture(scope="module")
def programs() -> ModuleType:
    where = locate(Path(__file__).with_name("frame_programs.py"))
    return load_module(where.module, where.root)


def test_a_large_table_is_in_nobodys_memory(programs: ModuleType, tmp_path: Path) -> None:
    with open_home(tmp_path / "home", exclusive=True) as home:
        mean, table, (parent, read) = asyncio.run(execute(home, programs.large, count=PIECES, notes=str(tmp_path)))
        assert 0.49 < mean < 0.51
        assert table.size > PIECES * 15 * 1024 * 1024
        assert parent < 40, f"MiB by which the parent grew: {parent}"
        assert read == 0, f"MiB that the parent read: {read}"
        grown = [int((tmp_path / name).read_text()) for name in ("written", "changed")]
        assert max(grown) < FLAT, f"MiB by task: {grown}"
        # What it came to is all there.
        whole = StructuredDataset.of(table.literal(), storage=Storage(home.blobs, str))
        rows = sum(len(batch) for batch in whole.open(pa.Table).iter())
        assert rows == PIECES * programs.ROWS
