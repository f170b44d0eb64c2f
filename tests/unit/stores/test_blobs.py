"""Blobs: a directory and another of obstore's stores under the same tests; what only a directory can do wrong."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import pytest

from whimbrel.errors import EntityNotFound, StoreError
from whimbrel.stores.blobs import ObjectBlobs


@pytest.fixture(params=["directory", "memory"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectBlobs:
    return ObjectBlobs(tmp_path / "blobs" if request.param == "directory" else "memory:///")


@pytest.mark.parametrize("data", [b"", b"x", bytes(range(256)) * 40_000], ids=["empty", "small", "large"])
def test_bytes_are_read_back(blobs: ObjectBlobs, data: bytes) -> None:
    uri = blobs.put("literals/0123abcd", data)
    read = blobs.get(uri)
    assert type(read) is bytes
    assert read == data


def test_a_name_may_be_written_again(blobs: ObjectBlobs) -> None:
    assert blobs.put("literals/a", b"1") == blobs.put("literals/a", b"2")
    assert blobs.get(blobs.put("literals/a", b"3")) == b"3"


@pytest.mark.parametrize("name", ["runs/r/n0/n1-n0/o0", "runs/r/chain_a.1:3/=pin~2", "runs/r/a b%20é#1?x"])
def test_names_may_be_of_node_paths(blobs: ObjectBlobs, name: str) -> None:
    uris = [blobs.put(name, b"one"), blobs.put(f"{name}-2", b"two")]
    assert [blobs.get(uri) for uri in uris] == [b"one", b"two"]


def test_what_is_not_there_is_not_found(blobs: ObjectBlobs) -> None:
    uri = blobs.put("literals/a", b"")
    with pytest.raises(EntityNotFound, match="literals/b"):
        blobs.get(uri[:-1] + "b")


@pytest.mark.parametrize("name", ["../outside", "literals/../../outside"])
def test_names_do_not_lead_outside(blobs: ObjectBlobs, name: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError):
        blobs.put(name, b"")
    uri = blobs.put("a", b"")[:-1] + name
    (tmp_path / "outside").write_text("there")
    for read in (blobs.get, blobs.size, blobs.path, lambda uri: blobs.read_range(uri, 0, 5)):
        if read != blobs.path or blobs.path(blobs.put("a", b"")) is not None:
            with pytest.raises(EntityNotFound, match="no name of a blob"):
                read(uri)
    (tmp_path / "outside").unlink()
    assert not (tmp_path / "outside").exists()


def test_the_uri_of_another_store_is_not_found(blobs: ObjectBlobs) -> None:
    with pytest.raises(EntityNotFound, match="s3://elsewhere/x is not in this blob store"):
        blobs.get("s3://elsewhere/x")


def test_local_uris_are_relative_and_the_directory_is_made_late(tmp_path: Path) -> None:
    blobs = ObjectBlobs(tmp_path / "a" / "blobs")
    with pytest.raises(EntityNotFound):
        blobs.get("blob:literals/x")
    assert not list(tmp_path.iterdir())
    assert blobs.put("literals/x", b"1") == "blob:literals/x"
    assert (tmp_path / "a" / "blobs" / "literals" / "x").read_bytes() == b"1"
    shutil.move(tmp_path / "a", tmp_path / "b")
    assert ObjectBlobs(tmp_path / "b" / "blobs").get("blob:literals/x") == b"1"


def test_another_process_opens_the_same_location(tmp_path: Path) -> None:
    uri = ObjectBlobs(tmp_path).put("x", b"1")
    assert ObjectBlobs(ObjectBlobs(tmp_path).location).get(uri) == b"1"


def test_remote_uris_are_whole() -> None:
    assert ObjectBlobs("memory:///").put("literals/x", b"") == "memory:///literals/x"


@pytest.mark.parametrize("url", ["nonsense://bucket/x", "s3://"])
def test_a_location_that_obstore_does_not_take(url: str) -> None:
    with pytest.raises(StoreError, match="cannot be used for blobs"):
        ObjectBlobs(url)


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"")
    with pytest.raises(StoreError):
        ObjectBlobs(tmp_path / "f").put("x", b"")
    with pytest.raises(StoreError):
        ObjectBlobs(tmp_path).put("f/x", b"")


def test_what_a_killed_process_left_half_written_is_in_nobodys_way(tmp_path: Path) -> None:
    blobs = ObjectBlobs(tmp_path)
    uri = blobs.put("literals/x", b"old")
    # obstore stages under x#1, x#2, … and renames.
    (tmp_path / "literals" / "x#1").write_bytes(b"half")
    assert blobs.get(uri) == b"old"
    assert blobs.get(blobs.put("literals/x", b"new")) == b"new"


def test_threads_share_a_store(tmp_path: Path) -> None:
    blobs = ObjectBlobs(tmp_path / "blobs")
    failed: list[Exception] = []

    def work(number: int) -> None:
        try:
            for n in range(30):
                uri = blobs.put(f"literals/{n}", b"same for all" * n)
                assert blobs.get(uri) == b"same for all" * n
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
