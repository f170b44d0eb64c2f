"""Every store, under the same suite."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from whimbrel.stores.crashing import CrashingStore
from whimbrel.stores.memory import MemoryStore
from whimbrel.stores.sql.store import SqlStore

AnyStore = MemoryStore | SqlStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[AnyStore]:
    opened: AnyStore = MemoryStore() if request.param == "memory" else SqlStore.open(tmp_path / "whimbrel.db")
    yield opened
    opened.close()


@pytest.fixture
def crashing(store: AnyStore) -> Callable[..., CrashingStore]:
    def wrapped(at: int = 0, *, before: bool = True) -> CrashingStore:
        return CrashingStore(store, at, before=before)

    return wrapped
