"""What counts of a value by its author's word: equal hashes hit the cache, whatever the bytes are."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import pytest

from whimbrel import FlyteFile, HashMethod, eager, task, workflow
from whimbrel.errors import UserError, ValueMismatch
from whimbrel.model.content import input_digest
from whimbrel.model.literal_types import StructType
from whimbrel.model.literals import BlobLiteral, IntLiteral, ListLiteral, RefLiteral
from whimbrel.runtime.values import keep_files, read_literal, write_literal
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.engine import TestEngine
from whimbrel.types.pickle import Pickle
from whimbrel.types.registry import default_registry


@dataclass
class Row:
    name: str
    noise: int


class Opaque:
    def __init__(self, name: str, noise: int) -> None:
        self.name, self.noise = name, noise


def by_name(value: Any) -> str:
    return str(value.name)


def first_line(file: FlyteFile) -> str:
    with file.open() as stream:
        return str(stream.readline())


Named = Annotated[Row, HashMethod(by_name)]
Pickled = Annotated[Opaque, Pickle, HashMethod(by_name)]
Headed = Annotated[FlyteFile, HashMethod(first_line)]

noise = iter(range(10_000))


@task
def row(name: str) -> Named:
    return Row(name, next(noise))


@task
def opaque(name: str) -> Pickled:
    return Opaque(name, next(noise))


@task
def headed(name: str, folder: str) -> Headed:
    path = Path(folder, "x.txt")
    path.write_text(f"{name}\n{next(noise)}")
    return FlyteFile(path)


@task
def several(name: str) -> list[Named]:
    return [Row(name, next(noise)), Row(name, next(noise))]


@task(cache=True, cache_version="1")
def used(row: Row, opaque: Annotated[Opaque, Pickle], file: FlyteFile, rows: list[Row]) -> int:
    with file.open() as stream:
        return row.noise + opaque.noise + len(rows) + len(stream.read())


@workflow
def using(name: str, folder: str) -> int:
    return used(
        row=row(name=name), opaque=opaque(name=name), file=headed(name=name, folder=folder), rows=several(name=name)
    )


def test_equal_hashes_hit_the_cache(tmp_path: Path) -> None:
    engine = TestEngine()
    first = engine.run(using, name="a", folder=str(tmp_path))
    assert engine.run(using, name="a", folder=str(tmp_path)) == first
    assert engine.executions["used"] == 1
    assert engine.run(using, name="b", folder=str(tmp_path)) != first
    assert engine.executions["used"] == 2
    assert using(name="a", folder=str(tmp_path)) != first


@task(cache=True, cache_version="1")
def named(row: Named) -> str:
    return row.name


@eager
async def naming(name: str) -> list[str]:
    return [await named(row=Row(name, number)) for number in range(3)]


@workflow
def naming_a_constant() -> str:
    return named(row=Row("constant", 1))


@pytest.mark.parametrize("always_replay", [False, True])
def test_what_an_eager_body_gives_is_hashed_too(always_replay: bool) -> None:
    engine = TestEngine(always_replay=always_replay)
    assert engine.run(naming, name="a") == ["a", "a", "a"]
    assert engine.executions["named"] == 1
    assert asyncio.run(naming(name="a")) == ["a", "a", "a"]
    assert engine.run(naming_a_constant) == naming_a_constant() == "constant"


def test_the_inputs_of_a_run_are_hashed_too() -> None:
    engine = TestEngine()
    for number in range(3):
        assert engine.run(named, row=Row("a", number)) == "a"
    assert engine.executions["named"] == 1


def test_the_literal_carries_the_hash(tmp_path: Path) -> None:
    store = MemoryBlobs()
    made = default_registry().transformer(Named)
    assert isinstance(made.literal_type, StructType)
    one, two = (write_literal(made.encode(Row("a", number)), store) for number in range(2))
    assert isinstance(one, RefLiteral)
    assert input_digest(one) == input_digest(two) != input_digest(write_literal(made.encode(Row("b", 0)), store))
    assert made.decode(read_literal(two, store)) == made.decode(made.encode(Row("a", 1))) == Row("a", 1)
    listed = default_registry().transformer(list[Named])
    lists = [keep_files(listed.encode([Row("a", number)]), store) for number in range(2)]
    assert input_digest(lists[0]) == input_digest(lists[1])
    assert listed.decode(read_literal(lists[1], store)) == [Row("a", 1)]
    (tmp_path / "x").write_text("head\nbody")
    file = keep_files(default_registry().transformer(Headed).encode(tmp_path / "x"), store)
    assert isinstance(file, BlobLiteral)
    assert store.get(file.uri) == b"head\nbody"
    assert file.digest != file.uri.split("/")[1]
    numbers = default_registry().transformer(Annotated[list[int], HashMethod(len_text)])
    ref = keep_files(numbers.encode([1, 2]), store)
    assert isinstance(ref, RefLiteral)
    assert (ref.length, read_literal(ref, store)) == (2, ListLiteral((IntLiteral(1), IntLiteral(2))))


def len_text(value: Any) -> str:
    return str(len(value))


def test_a_hash_is_a_text() -> None:
    method: HashMethod[Any] = HashMethod(len)  # type: ignore[arg-type]
    assert HashMethod(len_text).calculate("abc") == "3"
    for ask in (lambda: method.calculate("abc"), lambda: default_registry().transformer(Wrong).encode("abc")):
        with pytest.raises(ValueMismatch, match="a str, from the function of a HashMethod"):
            ask()
    assert isinstance(ValueMismatch("x", "y"), UserError)


Wrong = Annotated[str, HashMethod(len)]  # type: ignore[arg-type]
