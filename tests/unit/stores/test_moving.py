"""Files that are taken instead of copied: when, and what somebody who still has one can do to what is kept."""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from whimbrel.stores import moving
from whimbrel.stores.blobs import STAGING, ObjectBlobs
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.types.blobs import Kept, fetch_file, keep_directory, keep_file, read_entries

CONTENT = b"content" * 200_000


@pytest.fixture
def store(tmp_path: Path) -> ObjectBlobs:
    return ObjectBlobs(tmp_path / "blobs")


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    (tmp_path / "scratch").mkdir()
    return tmp_path / "scratch"


@pytest.fixture
def file(scratch: Path) -> Path:
    (scratch / "file.bin").write_bytes(CONTENT)
    return scratch / "file.bin"


def place(store: ObjectBlobs, kept: Kept) -> Path:
    found = store.path(kept.uri)
    assert found is not None
    return Path(found)


def is_intact(store: ObjectBlobs, kept: Kept) -> bool:
    return hashlib.sha256(place(store, kept).read_bytes()).hexdigest() == kept.digest


def test_a_file_of_the_attempts_own_is_taken_as_it_is(store: ObjectBlobs, scratch: Path, file: Path) -> None:
    file.chmod(0o7700)
    kept = keep_file(store, str(file), str(scratch))
    assert kept == Kept(f"blob:files/{kept.digest}/file.bin", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    found = place(store, kept).stat()
    assert found.st_ino == file.stat().st_ino
    assert found.st_mode & 0o7777 == place(store, kept).parents[2].stat().st_mode & 0o444
    assert is_intact(store, kept)
    assert list((Path(store.location) / STAGING).iterdir()) == []


def test_a_hole_stays_one(store: ObjectBlobs, scratch: Path, file: Path) -> None:
    os.truncate(file, 1 << 30)
    kept = keep_file(store, str(file), str(scratch))
    assert kept.size == place(store, kept).stat().st_size == 1 << 30
    assert place(store, kept).stat().st_blocks * 512 < 2 * len(CONTENT)


@pytest.mark.parametrize("own", ["", "elsewhere", "scr"])
def test_any_other_is_copied(own: str, store: ObjectBlobs, tmp_path: Path, file: Path) -> None:
    kept = keep_file(store, str(file), own and str(tmp_path / own))
    file.write_bytes(b"another")
    assert is_intact(store, kept)


def test_what_is_copied_is_for_readers_too(store: ObjectBlobs, file: Path) -> None:
    kept = keep_file(store, str(file))
    assert place(store, kept).stat().st_mode & 0o222 == 0
    assert keep_file(store, str(file)) == kept


# --- who could still write to it


@contextmanager
def opened(file: Path) -> Iterator[Callable[[], object]]:
    with file.open("r+b", buffering=0) as stream:
        yield lambda: stream.write(b"changed")


@contextmanager
def mapped(file: Path) -> Iterator[Callable[[], object]]:
    with file.open("r+b") as stream:
        view = mmap.mmap(stream.fileno(), 0)

    def write() -> None:
        view[:7] = b"changed"

    yield write
    view.close()


@contextmanager
def linked(file: Path) -> Iterator[Callable[[], object]]:
    other = file.parents[1] / "other"
    os.link(file, other)
    yield lambda: other.write_bytes(b"changed")


@contextmanager
def opened_by_another_process(file: Path) -> Iterator[Callable[[], object]]:
    code = "import sys; f = open(sys.argv[1], 'r+b', 0); print(1, flush=True); input(); f.write(b'changed')"
    child = subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "1\n"

    def write() -> None:
        child.communicate("\n")
        assert child.returncode == 0

    yield write


@contextmanager
def meant_by_a_link(file: Path) -> Iterator[Callable[[], object]]:
    real = file.parents[1] / "real"
    file.rename(real)
    file.symlink_to(real)
    yield lambda: real.write_bytes(b"changed")


@contextmanager
def below_a_link(file: Path) -> Iterator[Callable[[], object]]:
    real = file.parents[1] / "real"
    file.parent.rename(real)
    (file.parents[1] / "scratch").mkdir()
    (file.parent / "inner").symlink_to(real)
    yield lambda: (real / "file.bin").write_bytes(b"changed")


WRITERS = [opened, mapped, linked, opened_by_another_process, meant_by_a_link, below_a_link]


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
def test_who_has_the_file_cannot_change_what_is_kept(
    writer: Callable[[Path], Any], store: ObjectBlobs, scratch: Path, file: Path
) -> None:
    with writer(file) as write:
        path = scratch / "inner" / "file.bin" if writer is below_a_link else file
        kept = keep_file(store, str(path), str(scratch))
        assert kept.digest == hashlib.sha256(CONTENT).hexdigest()
        write()
        assert path.read_bytes() != CONTENT
        assert is_intact(store, kept)


def test_who_comes_to_write_meanwhile_has_it_copied(store: ObjectBlobs, file: Path) -> None:
    mover = store.mover(str(file))
    assert mover is not None
    with pytest.raises(BlockingIOError):
        os.open(file, os.O_RDWR | os.O_NONBLOCK)
    assert mover.finish("files/x/y") is None
    mover.close()
    assert [path for path in Path(store.location).rglob("*") if path.is_file()] == []
    file.write_bytes(b"changed")


def test_a_second_name_meanwhile_has_it_copied(store: ObjectBlobs, file: Path) -> None:
    mover = store.mover(str(file))
    assert mover is not None
    os.link(file, file.with_name("second"))
    assert mover.finish("files/x/y") is None
    mover.close()
    assert [path for path in Path(store.location).rglob("*") if path.is_file()] == []


def test_somebody_elses_file_is_copied(
    store: ObjectBlobs, scratch: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: file.stat().st_uid + 1)
    kept = keep_file(store, str(file), str(scratch))
    assert not place(store, kept).samefile(file)
    assert is_intact(store, kept)


@pytest.mark.parametrize("code", [errno.EXDEV, errno.EPERM, errno.EMLINK])
def test_where_the_disk_takes_no_second_name_it_is_copied(
    code: int, store: ObjectBlobs, scratch: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def link(*_: Any, **__: Any) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", link)
    kept = keep_file(store, str(file), str(scratch))
    assert not place(store, kept).samefile(file)
    assert is_intact(store, kept)


# --- several that are one


def test_the_same_file_twice_by_a_link_and_in_a_tree(store: ObjectBlobs, scratch: Path, file: Path) -> None:
    (scratch / "again").symlink_to(file)
    (scratch / "tree").mkdir()
    inside = scratch / "tree" / "file.bin"
    file.rename(inside)
    (scratch / "again").unlink()
    (scratch / "again").symlink_to(inside)
    first = keep_file(store, str(inside), str(scratch))
    assert keep_file(store, str(inside), str(scratch)) == first
    assert keep_file(store, str(scratch / "again"), str(scratch)).digest == first.digest
    tree = keep_directory(store, str(scratch / "tree"), str(scratch))
    assert [entry.uri for entry in read_entries(store, tree.uri)] == [first.uri]
    assert is_intact(store, first)
    assert list((Path(store.location) / STAGING).iterdir()) == []


def test_the_files_of_a_tree_are_taken(store: ObjectBlobs, scratch: Path) -> None:
    (scratch / "tree" / "sub").mkdir(parents=True)
    for name in ("a", "sub/b"):
        (scratch / "tree" / name).write_text(name)
    entries = read_entries(store, keep_directory(store, str(scratch / "tree"), str(scratch)).uri)
    for entry in entries:
        assert (scratch / "tree" / entry.path).samefile(store.path(entry.uri) or "")
    assert len(entries) == 2


# --- deaths

CALLS = ("fchmod", "fsync", "link", "open", "replace")


class Death:
    """Counts the calls by which files change, and dies before or after one. What stands under a digest is flushed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, at: int, before: bool) -> None:
        self.at, self.before, self.count = at, before, 0
        self.flushed: set[int] = set()
        for name in CALLS:
            monkeypatch.setattr(os, name, self._wrapped(name, getattr(os, name)))

    def _wrapped(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            if name == "replace":
                assert os.stat(args[0]).st_ino in self.flushed, "it would have its name before its bytes"
            self.count += 1
            if self.count == self.at and self.before:
                raise SimulatedCrash(f"before {name}")
            result = call(*args, **kwargs)
            if name == "fsync":
                self.flushed.add(os.fstat(args[0]).st_ino)
            if self.count == self.at:
                raise SimulatedCrash(f"after {name}")
            return result

        return wrapped


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("own", [True, False], ids=["moved", "copied"])
def test_a_death_at_any_moment_leaves_no_half_file_under_a_digest(own: bool, before: bool, tmp_path: Path) -> None:
    at, ended = 0, False
    while not ended:
        at += 1
        scratch = tmp_path / f"scratch-{at}"
        scratch.mkdir()
        (scratch / "file.bin").write_bytes(CONTENT)
        store = ObjectBlobs(tmp_path / f"blobs-{at}")
        with pytest.MonkeyPatch.context() as patched:
            death = Death(patched, at, before)
            try:
                keep_file(store, str(scratch / "file.bin"), str(scratch) if own else "")
                ended = True
            except SimulatedCrash:
                pass
        assert death.count >= at or ended
        for found in Path(store.location).glob("files/*/*"):
            assert hashlib.sha256(found.read_bytes()).hexdigest() == found.parent.name
        # Another attempt, in a scratch directory of its own.
        other = tmp_path / f"other-{at}"
        other.mkdir()
        (other / "file.bin").write_bytes(CONTENT)
        assert is_intact(store, keep_file(store, str(other / "file.bin"), str(other) if own else ""))
    assert at > 8


# --- out


@pytest.mark.parametrize("code", [errno.EXDEV, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_file_is_fetched_where_the_system_does_not_copy(
    code: int, store: ObjectBlobs, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = keep_file(store, str(file))
    real, calls = os.copy_file_range, []

    def some(source: int, target: int, count: int) -> int:
        calls.append(count)
        if len(calls) == 2:
            raise OSError(code, os.strerror(code))
        return real(source, target, 1000)

    monkeypatch.setattr(os, "copy_file_range", some)
    fetch_file(store, kept.uri, str(tmp_path / "fetched"))
    assert len(calls) == 2
    assert (tmp_path / "fetched").read_bytes() == CONTENT


def test_a_system_with_neither_leases_nor_copies_of_its_own(
    store: ObjectBlobs, scratch: Path, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_F_SETLEASE", None)
    monkeypatch.delattr(os, "copy_file_range")
    kept = keep_file(store, str(file), str(scratch))
    assert not place(store, kept).samefile(file)
    fetch_file(store, kept.uri, str(tmp_path / "fetched"))
    assert (tmp_path / "fetched").read_bytes() == CONTENT


def test_what_is_fetched_may_be_changed(store: ObjectBlobs, tmp_path: Path, file: Path) -> None:
    kept = keep_file(store, str(file))
    fetch_file(store, kept.uri, str(tmp_path / "fetched"))
    with (tmp_path / "fetched").open("r+b") as stream:
        stream.write(b"changed")
    assert is_intact(store, kept)
