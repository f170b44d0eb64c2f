"""Homes within one process: what is made, what is refused, what moves."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path

import pytest

from tests.unit.stores.later import later
from tests.unit.stores.samples import event, summary
from whimbrel.errors import EntityNotFound, HomeLocked, HomeTooNew, StoreError
from whimbrel.stores.home import open_home


def test_a_home_is_made_with_its_parents(tmp_path: Path) -> None:
    place = tmp_path / "a" / "b" / ".whimbrel"
    with open_home(place, exclusive=True) as home:
        assert home.path == place
        assert home.owned
        assert (place / ".gitignore").read_text() == "*\n"
        assert json.loads((place / "lock").read_text())["pid"] == os.getpid()
    assert sorted(file.name for file in place.iterdir()) == [".gitignore", "lock", "whimbrel.db"]


def test_a_home_is_found_again_also_after_a_move(tmp_path: Path) -> None:
    with open_home(tmp_path / "here", exclusive=True) as home:
        asyncio.run(home.store.create(summary("r"), [event(1)]))
        uri = home.blobs.put("literals/abc", b"bytes")
    (tmp_path / "here").rename(tmp_path / "there % é")
    for exclusive in (True, False):
        with open_home(str(tmp_path / "there % é"), exclusive=exclusive) as home:
            assert asyncio.run(home.store.events("r")) == [event(1)]
            assert home.blobs.get(uri) == b"bytes"


def test_a_home_has_one_owner_at_a_time(tmp_path: Path) -> None:
    first = open_home(tmp_path / "h", exclusive=True)
    with pytest.raises(HomeLocked, match=f"in use by process {os.getpid()} "):
        open_home(tmp_path / "h", exclusive=True)
    # Being refused has not taken the lock away from its holder.
    with pytest.raises(HomeLocked):
        open_home(tmp_path / "h", exclusive=True)
    reader = open_home(tmp_path / "h", exclusive=False)
    first.close()
    first.close()
    open_home(tmp_path / "h", exclusive=True).close()
    reader.close()


def test_a_holder_that_has_not_signed_is_another_process(tmp_path: Path) -> None:
    with open_home(tmp_path / "h", exclusive=True):
        (tmp_path / "h" / "lock").write_text("")
        with pytest.raises(HomeLocked, match="in use by another process:"):
            open_home(tmp_path / "h", exclusive=True)


def test_a_home_that_fails_to_open_is_not_locked(tmp_path: Path) -> None:
    open_home(tmp_path / "h", exclusive=True).close()
    content = (tmp_path / "h" / "whimbrel.db").read_bytes()
    (tmp_path / "h" / "whimbrel.db").write_bytes(b"")
    with pytest.raises(StoreError, match="damaged"):
        open_home(tmp_path / "h", exclusive=True)
    (tmp_path / "h" / "whimbrel.db").write_bytes(content)
    open_home(tmp_path / "h", exclusive=True).close()


def test_readers_make_nothing(tmp_path: Path) -> None:
    with pytest.raises(EntityNotFound, match=r"no home in .*run a workflow first"):
        open_home(tmp_path / "h", exclusive=False)
    (tmp_path / "h").mkdir()
    with pytest.raises(EntityNotFound):
        open_home(tmp_path / "h", exclusive=False)
    assert not list((tmp_path / "h").iterdir())


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_file_in_the_place_of_a_home(tmp_path: Path, exclusive: bool) -> None:
    (tmp_path / "h").write_text("")
    with pytest.raises(StoreError, match=r"h is not a directory: .*--home"):
        open_home(tmp_path / "h", exclusive=exclusive)


def test_a_home_below_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    with pytest.raises(StoreError, match=r"f/h: Not a directory: .*--home"):
        open_home(tmp_path / "f" / "h", exclusive=True)


def test_a_home_where_nobody_may_write() -> None:
    # The kernel's own directory: not even root makes one there.
    with pytest.raises(StoreError, match=r"/proc/.*--home"):
        open_home("/proc/whimbrel", exclusive=True)


def test_a_directory_in_the_place_of_the_database(tmp_path: Path) -> None:
    (tmp_path / "h" / "whimbrel.db").mkdir(parents=True)
    with pytest.raises(StoreError, match=r"whimbrel\.db: Is a directory"):
        open_home(tmp_path / "h", exclusive=True)


def test_an_older_home_is_migrated_by_a_reader_when_nobody_owns_it(tmp_path: Path) -> None:
    newer = later(tmp_path)
    with open_home(tmp_path / "h", exclusive=True) as owner:
        asyncio.run(owner.store.create(summary("r"), [event(1)]))
        with pytest.raises(HomeLocked):
            open_home(tmp_path / "h", exclusive=False, migrations=newer)
        assert asyncio.run(owner.store.events("r")) == [event(1)]
    with open_home(tmp_path / "h", exclusive=False, migrations=newer) as reader:
        assert asyncio.run(reader.store.events("r")) == [event(1)]
        # The lock is free again.
        open_home(tmp_path / "h", exclusive=True, migrations=newer).close()
    with pytest.raises(HomeTooNew):
        open_home(tmp_path / "h", exclusive=True)


def test_the_command_of_a_holder_is_cut(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["/usr/bin/whimbrel", "run", "my file.py", "x" * 10_000])
    with open_home(tmp_path / "h", exclusive=True):
        with pytest.raises(HomeLocked, match=r"\(whimbrel run 'my file\.py' x+\): wait") as caught:
            open_home(tmp_path / "h", exclusive=True)
    assert len(str(caught.value)) < 600 + len(str(tmp_path))
