"""Files across real worker processes: nobody holds a large one in memory, and who does not look reads nothing."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.literals import BlobLiteral
from whimbrel.model.run import Phase
from whimbrel.runtime.loading import load_module, locate
from whimbrel.stores.blobs import ObjectBlobs
from whimbrel.stores.home import Home, open_home
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.engine import TestEngine
from whimbrel.types.blobs import Entry, read_entries
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile

MIB = 200
# What a stream holds is some parts of 5 MiB; a tenth of the file is far below the file.
FLAT = MIB // 5


@pytest.fixture(scope="module")
def programs() -> ModuleType:
    where = locate(Path(__file__).with_name("file_programs.py"))
    return load_module(where.module, where.root)


async def execute(home: Home, entity: Any, **inputs: Any) -> Any:
    plane = ControlPlane(
        store=home.store,
        executor=ProcessExecutor(blobs=home.blobs.location, workers=2),
        clock=SystemClock(),
        ids=RandomIds(),
        owner="tests",
    )
    await plane.start()
    try:
        run = await plane.launch(entity.program(), entity.name, entity.signature.encode_inputs(inputs))
        result = await asyncio.wait_for(plane.wait(run), 60)
    finally:
        await plane.close()
    assert result.phase is Phase.SUCCEEDED, result.failure
    return entity.signature.decode_outputs(result.outputs)


def test_a_large_file_is_in_nobodys_memory(programs: ModuleType, tmp_path: Path) -> None:
    with open_home(tmp_path, exclusive=True) as home:
        digests, grown, size = asyncio.run(execute(home, programs.large, pieces=MIB))
    assert size == MIB * 1024 * 1024
    assert len(set(digests)) == 1
    assert max(grown) < FLAT, f"MiB by task, then the parent: {grown}"


class Counting(MemoryBlobs):
    """Counts reads."""

    def __init__(self) -> None:
        super().__init__()
        self.read: list[str] = []

    def get(self, uri: str) -> bytes:
        self.read.append(uri)
        return super().get(uri)


def test_a_parent_that_never_looks_reads_nothing(programs: ModuleType) -> None:
    blobs = Counting()
    engine = TestEngine(blobs=blobs)
    digests, _, _ = engine.run(programs.large, pieces=3)
    assert len(set(digests)) == 1
    # By `copied`: one range for each piece and one that finds the end. By `read`: its buffer's worth at a time.
    first, second = (f"memory:files/{digests[0]}/{name}" for name in ("large.bin", "copied.bin"))
    assert blobs.read.count(first) == 4
    assert set(blobs.read) == {first, second}


def test_a_body_may_look(programs: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "data.txt").write_text("one\ntwo\n")
    engine = TestEngine()
    assert engine.run(programs.looking, data=FlyteFile(tmp_path / "data.txt")) == "one\n"
    (tmp_path / "data.txt").unlink()
    assert engine.run(programs.looking, data=engine_file(engine)) == "one\n"


def engine_file(engine: TestEngine) -> FlyteFile[Any]:
    assert isinstance(engine.blobs, MemoryBlobs)
    (uri,) = (uri for uri in engine.blobs.contents if uri.startswith("memory:files/"))
    made: FlyteFile[Any] = FlyteFile.of(BlobLiteral(uri))
    return made


def test_what_an_engine_gives_back_can_be_opened(programs: ModuleType) -> None:
    file, _ = TestEngine().run(programs.written, pieces=1)
    with file.open("rb") as stream:
        assert hashlib.sha256(stream.read()).hexdigest() == file.digest


@pytest.mark.parametrize("always_replay", [False, True])
def test_a_call_with_the_same_contents_is_found_in_the_cache(
    programs: ModuleType, always_replay: bool, tmp_path: Path
) -> None:
    engine = TestEngine(always_replay=always_replay)
    places = {"first": str(tmp_path / "1"), "second": str(tmp_path / "2")}
    assert engine.run(programs.in_two_places, **places) == [3, 3]
    assert engine.run(programs.in_two_places, **places) == [3, 3]
    assert engine.executions["measured"] == 1


def test_a_new_driver_gives_the_same_files(programs: ModuleType, tmp_path: Path) -> None:
    engine = TestEngine(always_replay=True)
    digests, _, _ = engine.run(programs.large, pieces=1)
    assert len(set(digests)) == 1
    assert engine.rebuilt > 0
    assert engine.executions == {"written": 1, "copied": 1, "read": 1}


@pytest.mark.parametrize("dies", [False, True])
def test_a_file_of_the_attempts_own_is_moved(
    dies: bool, programs: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # On one disk, whatever the machine has.
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with open_home(tmp_path / "home", exclusive=True) as home:
        first, second, tree, (done, held) = asyncio.run(
            execute(home, programs.through_a_move, place=str(tmp_path), dies=dies)
        )
        assert (tmp_path / "linked").exists() == dies
        assert first == second
        content = programs.PIECE_OF_MOVED
        kept = [Path(home.blobs.path(file.uri) or "") for file in (first, *in_tree(home, tree))]
        assert kept[0] == kept[1]
        assert [path.stat().st_ino for path in kept] == [done, done, kept[2].stat().st_ino]
        assert kept[2].stat().st_ino != held
        for path in kept:
            assert path.read_bytes() == content
            assert hashlib.sha256(content).hexdigest() == path.parent.name


def in_tree(home: Home, tree: FlyteDirectory) -> tuple[Entry, ...]:
    return read_entries(home.blobs, tree.uri)


@pytest.mark.parametrize("always_replay", [False, True])
def test_what_a_body_hands_over_stays_its_own(programs: ModuleType, always_replay: bool, tmp_path: Path) -> None:
    blobs = ObjectBlobs(tmp_path / "blobs")
    engine = TestEngine(blobs=blobs, always_replay=always_replay)
    assert engine.run(programs.handed_over) == "mineent"
    kept = list((tmp_path / "blobs" / "files").glob("*/mine.bin"))
    assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in kept] == [path.parent.name for path in kept]
    assert kept
