"""Programs that move a large file between processes, and say what each process used."""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from pathlib import Path
from typing import IO, Any

from whimbrel import current_context, eager, task
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile

PIECE = os.urandom(1024 * 1024)
PIECE_OF_MOVED = b"content" * 1000
HELD: list[IO[bytes]] = []


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


@task
def moved(place: str, dies: bool) -> tuple[FlyteFile, FlyteFile, FlyteDirectory, list[int]]:
    """One file as two outputs and in a directory that is the third, which nobody has open any more; a second, which
    somebody has. Says which files they are. With ``dies``, the first attempt is killed between keeping and telling.
    """
    scratch = Path(current_context().working_directory)
    (scratch / "tree").mkdir()
    done, held = scratch / "tree" / "done.bin", scratch / "tree" / "held.bin"
    for path in (done, held):
        path.write_bytes(PIECE_OF_MOVED)
    HELD.append(held.open("r+b", buffering=0))
    if dies and not Path(place, "died").exists():
        Path(place, "died").touch()
        link = os.link

        def link_and_die(*args: Any, **kwargs: Any) -> None:
            link(*args, **kwargs)
            Path(place, "linked").touch()
            os.kill(os.getpid(), signal.SIGKILL)

        os.link = link_and_die  # type: ignore[assignment]  # this process won't see another task
    return (
        FlyteFile(done),
        FlyteFile(done),
        FlyteDirectory(scratch / "tree"),
        [path.stat().st_ino for path in (done, held)],
    )


@task
def changed(file: FlyteFile) -> str:
    """Writes to what the task before still has open, if it ran in this process, and to what it is given."""
    for stream in HELD:
        stream.write(b"changed")
    with Path(file).open("r+b") as own:
        own.write(b"changed")
    with file.open("rb") as stream:
        return str(stream.read(7).decode())


@eager
async def through_a_move(place: str, dies: bool) -> tuple[FlyteFile, FlyteFile, FlyteDirectory, list[int]]:
    """Passes on what was moved."""
    first, second, tree, numbers = await moved(place=place, dies=dies)
    await asyncio.gather(*(changed(file=first) for _ in range(4)))
    return first, second, tree, numbers


def mine(how: str) -> Path:
    """A file in the scratch directory of who calls, opened as ``how`` says."""
    path = Path(current_context().working_directory, "mine.bin")
    with path.open(how) as stream:
        stream.write(PIECE_OF_MOVED if how == "wb" else b"mine")
    return path


@eager
async def handed_over() -> str:
    """A file of the body's own is there after it was given to a task, and may be changed."""
    await changed(file=FlyteFile(mine("wb")))
    with FlyteFile(mine("r+b")).open("rb") as stream:
        return str(stream.read(7).decode())
