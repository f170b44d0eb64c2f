"""Streams in and out of a blob store: every store gives back what went in, whole or in ranges."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from whimbrel.errors import EntityNotFound
from whimbrel.stores.blobs import STAGING, ObjectBlobs
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.types.blobs import (
    CHUNK,
    FileStore,
    Outgoing,
    fetch_file,
    keep_directory,
    keep_file,
    read_entries,
    stored_name,
)

STORES: dict[str, Callable[[Path], FileStore]] = {
    "directory": lambda path: ObjectBlobs(path / "blobs"),
    "memory url": lambda path: ObjectBlobs("memory:///"),
    "test kit": lambda path: MemoryBlobs(),
}


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    return STORES[request.param](tmp_path)


def test_what_is_written_in_pieces_is_read_whole(store: FileStore) -> None:
    writer = store.writer()
    for piece in (b"one ", memoryview(b"two "), b"", b"three"):
        writer.write(piece)
    uri = writer.finish("files/x/name.txt")
    assert store.get(uri) == b"one two three"
    assert store.size(uri) == 13


def test_an_empty_one(store: FileStore) -> None:
    uri = store.writer().finish("files/x/empty")
    assert store.size(uri) == 0
    assert store.read_range(uri, 0, 10) == b""


def test_ranges(store: FileStore) -> None:
    uri = store.put("files/x", bytes(range(10)))
    assert store.read_range(uri, 2, 3) == bytes([2, 3, 4])
    assert store.read_range(uri, 8, 100) == bytes([8, 9])
    assert store.read_range(uri, 10, 1) == b""
    assert store.read_range(uri, 99, 1) == b""
    assert store.read_range(uri, 0, 0) == b""


def test_a_writer_takes_the_place_of_what_was_there(store: FileStore) -> None:
    uri = store.put("files/x", b"old")
    writer = store.writer()
    writer.write(b"new")
    assert store.get(uri) == b"old"
    assert writer.finish("files/x") == uri
    assert store.get(uri) == b"new"


def test_two_writers_do_not_meet(store: FileStore) -> None:
    first, second = store.writer(), store.writer()
    first.write(b"1")
    second.write(b"2")
    assert store.get(second.finish("files/b")) == b"2"
    assert store.get(first.finish("files/a")) == b"1"


def test_what_is_not_there(store: FileStore) -> None:
    uri = store.put("files/x", b"")[:-1] + "y"
    with pytest.raises(EntityNotFound, match="files/y"):
        store.size(uri)
    with pytest.raises(EntityNotFound, match="files/y"):
        store.read_range(uri, 0, 1)


def test_what_is_abandoned_leaves_nothing(tmp_path: Path) -> None:
    store = ObjectBlobs(tmp_path)
    writer = store.writer()
    writer.write(b"x" * 100)
    writer.abandon()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_what_is_finished_leaves_nothing_staged(tmp_path: Path) -> None:
    store = ObjectBlobs(tmp_path)
    writer = store.writer()
    writer.write(b"x" * (11 * CHUNK))
    uri = writer.finish("files/big")
    assert store.size(uri) == 11 * CHUNK
    assert list((tmp_path / STAGING).iterdir()) == []


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=300), moves=st.lists(st.tuples(st.sampled_from("srl"), st.integers(0, 320))))
def test_a_stream_reads_as_a_file_in_memory_does(
    store: FileStore, content: bytes, moves: list[tuple[str, int]]
) -> None:
    uri = store.put("files/x", content)
    ours, theirs = io.BufferedReader(Outgoing(store, uri), 16), io.BytesIO(content)
    for move, number in moves:
        if move == "s":
            assert ours.seek(number) == theirs.seek(number)
        elif move == "r":
            assert ours.read(number) == theirs.read(number)
        else:
            assert ours.readline() == theirs.readline()
    assert ours.seek(-len(content), os.SEEK_END) == 0
    assert ours.read() == content


@pytest.mark.parametrize("size", [0, 1, CHUNK, 2 * CHUNK + 7])
def test_a_file_goes_in_and_comes_out(store: FileStore, size: int, tmp_path: Path) -> None:
    content = os.urandom(size)
    (tmp_path / "in.bin").write_bytes(content)
    kept = keep_file(store, str(tmp_path / "in.bin"))
    assert (kept.digest, kept.size) == (hashlib.sha256(content).hexdigest(), size)
    assert kept.uri.endswith(f"files/{kept.digest}/in.bin")
    fetch_file(store, kept.uri, str(tmp_path / "out.bin"))
    assert (tmp_path / "out.bin").read_bytes() == content
    assert keep_file(store, str(tmp_path / "in.bin")) == kept


def test_a_tree_is_a_list_of_its_files(store: FileStore, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "b.txt").write_text("bb")
    (tree / "sub" / "a.txt").write_text("a")
    kept = keep_directory(store, str(tree))
    entries = read_entries(store, kept.uri)
    assert [entry.path for entry in entries] == ["b.txt", "sub/a.txt"]
    assert [store.get(entry.uri) for entry in entries] == [b"bb", b"a"]
    assert kept.size == 3
    assert keep_directory(store, str(tree)) == kept


@pytest.mark.parametrize("name", ["a#1", "..", ".", "", "sp ace.txt", "ü/x?.csv", "x" * 500])
def test_any_name_of_a_file_can_be_stored(store: FileStore, name: str) -> None:
    writer = store.writer()
    writer.write(b"1")
    uri = writer.finish(f"files/x/{stored_name(name)}")
    assert store.get(uri) == b"1"
