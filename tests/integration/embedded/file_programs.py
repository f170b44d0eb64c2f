"""Programs that move a large file between processes, and say what each process used."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from whimbrel import eager, task
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile

PIECE = os.urandom(1024 * 1024)


def peak() -> int:
    """The most memory that this process has held, in MiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024


@task
def written(pieces: int) -> tuple[FlyteFile, int]:
    """A large file, streamed out."""
    file = FlyteFile.new_remote_file("large.bin")
    before = peak()
    with file.open("wb") as stream:
        for _ in range(pieces):
            stream.write(PIECE)
    return file, peak() - before


@task
def copied(source: FlyteFile) -> tuple[FlyteFile, int]:
    """The same, by a local path in and another out."""
    before = peak()
    local = Path(source)
    target = local.with_name("copied.bin")
    local.rename(target)
    return FlyteFile(target), peak() - before


@task
def read(source: FlyteFile) -> tuple[str, int]:
    """Its digest, read as a stream."""
    before = peak()
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), peak() - before


@eager
async def large(pieces: int) -> tuple[list[str], list[int], int]:
    """Passes it on, and never looks."""
    before = peak()
    made, writing = await written(pieces=pieces)
    copy, copying = await copied(source=made)
    digest, reading = await read(source=copy)
    return [made.digest, copy.digest, digest], [writing, copying, reading, peak() - before], made.size


@eager
async def looking(data: FlyteFile) -> str:
    """Reads the first line itself."""
    with data.open() as stream:
        return str(stream.readline())


@task(cache=True, cache_version="1")
def measured(source: FlyteFile, folder: FlyteDirectory) -> int:
    """How much it is given."""
    with source.open("rb") as stream:
        return len(stream.read()) + sum(1 for _ in folder.crawl())


def grow(place: str) -> Path:
    """A tree of two files."""
    tree = Path(place, "tree")
    tree.mkdir(parents=True, exist_ok=True)
    for name in ("a", "b"):
        (tree / name).write_text(name)
    return tree


@eager
async def in_two_places(first: str, second: str) -> list[int]:
    """The same contents from two places, written by the body itself."""
    found = []
    for place in (first, second):
        tree = grow(place)
        found.append(await measured(source=FlyteFile(tree / "a"), folder=FlyteDirectory(tree)))
    return found
