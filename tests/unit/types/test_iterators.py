"""Iterators in and out of tasks: in plain calls, in workflows and in eager bodies, a line at a time."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from whimbrel import FlyteFile, eager, task, workflow
from whimbrel.errors import ValueMismatch
from whimbrel.model.literal_types import INTEGER, BlobType, ListType
from whimbrel.model.literals import IntLiteral, ListLiteral
from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.engine import TestEngine
from whimbrel.types.iterators import JSON, FlyteIterator, JSONIterator
from whimbrel.types.registry import default_registry

ROWS: list[Any] = [{"a": 1, "b": [None, "ü\n"]}, [1, 2.5], "text", 3, True, {}]


def transformer(kind: Any) -> Any:
    return default_registry().transformer(kind)


@task
def numbers(count: int) -> Iterator[int]:
    yield from range(count)


@task
def doubled(numbers: Iterator[int]) -> Generator[int, None, None]:
    return (2 * number for number in numbers)


@task
def total(numbers: Iterator[int]) -> int:
    return sum(numbers)


@task
def as_list(numbers: list[int]) -> list[int]:
    return numbers


@workflow
def summing(count: int) -> tuple[int, int, list[int]]:
    found = numbers(count=count)
    return total(numbers=found), total(numbers=doubled(numbers=found)), as_list(numbers=found)


@eager
async def summing_eagerly(count: int) -> tuple[int, int, list[int]]:
    found = await numbers(count=count)
    # However far it has come, it is passed on as a whole.
    assert next(found) == 0
    return (
        await total(numbers=found),
        await total(numbers=await doubled(numbers=found)),
        await as_list(numbers=list(await numbers(count=count))),
    )


@task
def rows() -> Iterator[JSON]:
    yield from ROWS


@task
def kept(rows: Iterator[JSON]) -> list[str]:
    return [repr(row) for row in rows]


@workflow
def passing() -> tuple[list[str], list[str]]:
    found = rows()
    return kept(rows=found), kept(rows=found)


@eager
async def passing_eagerly() -> tuple[list[str], list[str]]:
    found = await rows()
    next(found)
    return await kept(rows=found), await kept(rows=found)


@pytest.mark.parametrize("way", ["direct", "compiled", "eager", "eager, direct"])
def test_iterators_go_everywhere(way: str) -> None:
    engine = TestEngine(always_replay=True)
    texts = [repr(row) for row in ROWS]
    if way == "direct":
        sums, lines = summing(count=5), passing()
    elif way == "eager, direct":
        sums, lines = asyncio.run(summing_eagerly(count=5)), asyncio.run(passing_eagerly())
    elif way == "compiled":
        sums, lines = engine.run(summing, count=5), engine.run(passing)
    else:
        sums, lines = engine.run(summing_eagerly, count=5), engine.run(passing_eagerly)
    assert sums == (10, 20, [0, 1, 2, 3, 4])
    assert lines == (texts, texts)


def test_literal_types() -> None:
    assert transformer(Iterator[int]).literal_type == ListType(INTEGER)
    assert transformer(FlyteIterator[int]).literal_type == ListType(INTEGER)
    assert transformer(Iterator[JSON]).literal_type == BlobType("jsonl")
    assert transformer(JSONIterator).literal_type == BlobType("jsonl")


def test_an_iterator_over_literals_has_a_length_and_names_the_item_that_is_wrong() -> None:
    made = transformer(Iterator[int])
    found = made.decode(ListLiteral((IntLiteral(1), IntLiteral(2))))
    assert (len(found), next(found), len(found), repr(found)) == (2, 1, 2, "FlyteIterator of 2")
    assert made.encode(found) == ListLiteral((IntLiteral(1), IntLiteral(2)))
    for value, path in (([1, "x"], "$[1]"), (iter([1, 2, "x"]), "$[2]")):
        with pytest.raises(ValueMismatch) as caught:
            made.encode(value)
        assert caught.value.path == path
    for value in ("abc", {1: 2}, 3, None):
        with pytest.raises(ValueMismatch):
            made.check(value)


def test_what_is_no_json_is_refused_with_its_line(tmp_path: Path) -> None:
    made = transformer(Iterator[JSON])
    with pytest.raises(ValueMismatch) as caught:
        made.encode(iter([1, {"x": object()}]))
    assert caught.value.path == "$[1].x"
    (tmp_path / "bad.jsonl").write_text('1\n\n{"a": \n')
    found = made.decode(made.encode(str(tmp_path / "bad.jsonl")))
    assert next(found) == 1
    with pytest.raises(ValueMismatch, match="JSON in line 3"):
        next(found)
    assert list(found) == []


@task
def failing() -> Iterator[JSON]:
    yield 1
    raise RuntimeError("the source went away")


def test_a_generator_that_fails_leaves_nothing() -> None:
    engine = TestEngine()
    with pytest.raises(RuntimeError, match="the source went away"):
        engine.run(failing)
    assert isinstance(engine.blobs, MemoryBlobs)
    assert not [uri for uri in engine.blobs.contents if uri.startswith("memory:files/")]
    with pytest.raises(RuntimeError, match="the source went away"):
        failing()


@workflow
def from_a_file(data: FlyteFile) -> list[str]:
    return kept(rows=data)


def test_a_file_of_lines_is_an_iterator(tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text('{"a":1}\n2')
    for run in (from_a_file, lambda **given: TestEngine().run(from_a_file, **given)):
        assert run(data=FlyteFile(tmp_path / "x.jsonl")) == ["{'a': 1}", "2"]


@task
def files(folder: str) -> Iterator[FlyteFile]:
    for name in ("a", "b"):
        Path(folder, name).write_text(name)
        yield FlyteFile(Path(folder, name))


@task
def joined(files: Iterator[FlyteFile]) -> str:
    return "".join(Path(file).read_text() for file in files)


@workflow
def joining(folder: str) -> str:
    return joined(files=files(folder=folder))


def test_files_one_after_another(tmp_path: Path) -> None:
    assert joining(folder=str(tmp_path)) == "ab"
    assert TestEngine().run(joining, folder=str(tmp_path)) == "ab"


@task
def many(count: int) -> Iterator[JSON]:
    for number in range(count):
        yield {"number": number, "padding": "x" * 1000}


@task
def counted(rows: Iterator[JSON]) -> int:
    return sum(1 for _ in rows)


def test_neither_side_has_more_than_a_piece_in_memory(tmp_path: Path) -> None:
    tracemalloc.start()
    try:
        assert counted(rows=many(count=20_000)) == 20_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    # 20 MB of lines.
    assert peak < 4_000_000
