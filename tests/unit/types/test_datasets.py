"""Tables: as types, without an engine, and over a store that counts what is read of it."""

from __future__ import annotations

import asyncio
import copy
import pickle
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from whimbrel import CompileError, StructuredDataset, eager, kwtypes, task, workflow
from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.errors import CallMismatch, EntityNotFound, UnsupportedType, UserError, ValueMismatch
from whimbrel.graph.conformance import misfit
from whimbrel.model.codec import encode as encoded
from whimbrel.model.content import input_digest
from whimbrel.model.literal_types import FLOAT, INTEGER, STRING, DatasetType, holds_files
from whimbrel.model.literals import DatasetLiteral, StrLiteral
from whimbrel.runtime.values import keep_files
from whimbrel.testing.blobs import MemoryBlobs, MemoryWriter
from whimbrel.types.blobs import traffic
from whimbrel.types.files import FlyteFile
from whimbrel.types.registry import default_registry

COLUMNS = {"a": [1, 2, 3], "b": [0.5, None, 2.5], "s": ["x", None, "zoë"]}
FRAMES: dict[Any, Any] = {
    pd.DataFrame: pd.DataFrame(COLUMNS),
    pl.DataFrame: pl.DataFrame(COLUMNS),
    pl.LazyFrame: pl.LazyFrame(COLUMNS),
    pa.Table: pa.table(COLUMNS),
    pa.RecordBatch: pa.RecordBatch.from_pydict(COLUMNS),
}
every_library = pytest.mark.parametrize("kind", FRAMES, ids=lambda kind: f"{kind.__module__[:2]}.{kind.__name__}")


class Counting(MemoryBlobs):
    """Knows how many bytes were read, and whether what was begun was ended."""

    def __init__(self) -> None:
        super().__init__()
        self.read = 0
        self.open = 0

    def get(self, uri: str) -> bytes:
        data = super().get(uri)
        self.read += len(data)
        return data

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        data = MemoryBlobs.get(self, uri)[start : start + length]
        self.read += len(data)
        return data

    def writer(self) -> MemoryWriter:
        self.open += 1
        store = self

        class Writer(MemoryWriter):
            def finish(self, name: str) -> str:
                store.open -= 1
                return super().finish(name)

            def abandon(self) -> None:
                store.open -= 1
                super().abandon()

        return Writer(self)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Counting]:
    blobs = Counting()
    token = current.set(Direct(ExecutionContext(files=blobs, working_directory=str(tmp_path / "scratch"))))
    (tmp_path / "scratch").mkdir()
    yield blobs
    current.reset(token)
    assert blobs.open == 0


def transformer(kind: Any) -> Any:
    return default_registry().transformer(kind)


def kept(blobs: MemoryBlobs, value: Any, kind: Any = StructuredDataset) -> DatasetLiteral:
    """``value`` as the engine moves it."""
    literal = keep_files(transformer(kind).encode(value), blobs)
    assert isinstance(literal, DatasetLiteral)
    return literal


def stored(blobs: MemoryBlobs, value: Any, kind: Any = StructuredDataset, into: Any = StructuredDataset) -> Any:
    """``value`` as a task that is given it as ``into`` sees it."""
    return transformer(into).decode(kept(blobs, value, kind))


def plain(frame: Any) -> dict[str, list[Any]]:
    """The values of any frame, nulls as None."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    if isinstance(frame, pd.DataFrame):
        frame = pa.Table.from_pandas(frame, preserve_index=False)
    values = frame.to_dict(as_series=False) if isinstance(frame, pl.DataFrame) else frame.to_pydict()
    assert isinstance(values, dict)
    return values


# --- types


@pytest.mark.parametrize(
    ("kind", "literal_type"),
    [
        (StructuredDataset, DatasetType()),
        (pd.DataFrame, DatasetType()),
        (pl.LazyFrame, DatasetType()),
        (Annotated[StructuredDataset, "csv"], DatasetType({}, "csv")),
        (Annotated[pd.DataFrame, kwtypes(a=int, b=float)], DatasetType({"a": INTEGER, "b": FLOAT})),
        (Annotated[pa.Table, kwtypes(s=str), ".CSV"], DatasetType({"s": STRING}, "csv")),
        (
            Annotated[pd.DataFrame, pa.schema({"a": pa.int8(), "s": pa.string()})],
            DatasetType({"a": INTEGER, "s": STRING}),
        ),
        (Annotated[pd.DataFrame, "a note"], DatasetType()),
    ],
)
def test_literal_types(kind: Any, literal_type: DatasetType) -> None:
    assert transformer(kind).literal_type == literal_type
    assert holds_files(transformer(dict[str, list[kind] | None]).literal_type)


def test_a_column_of_an_unknown_type_is_named() -> None:
    with pytest.raises(UnsupportedType, match="the column 'when'"):
        transformer(Annotated[pd.DataFrame, kwtypes(when=object)])


@every_library
@pytest.mark.parametrize("value", [3, None, "text", b"x", [1], {"a": [1]}])
def test_what_is_no_table_is_refused(kind: Any, value: Any) -> None:
    for ask in (transformer(kind).check, transformer(kind).encode):
        with pytest.raises(ValueMismatch):
            ask(value)
    with pytest.raises(ValueMismatch):
        transformer(kind).decode(StrLiteral("x"))


def test_the_path_leads_to_the_table() -> None:
    with pytest.raises(ValueMismatch) as caught:
        transformer(dict[str, list[pd.DataFrame]]).encode({"x": [FRAMES[pd.DataFrame], 3]})
    assert caught.value.path == "$.x[1]"
    with pytest.raises(ValueMismatch) as caught:
        transformer(list[Annotated[pl.DataFrame, kwtypes(a=str)]]).encode([FRAMES[pl.DataFrame]])
    assert (caught.value.path, caught.value.expected) == ("$[0].a", "a column 'a' of str")


def test_a_table_is_not_text(store: Counting) -> None:
    literal = kept(store, FRAMES[pa.Table])
    assert misfit(literal, DatasetType()) == ""
    assert misfit(literal, STRING) == "expected str, got a dataset at $"
    assert misfit(StrLiteral("x"), DatasetType()) == "expected dataset, got str at $"


# --- there and back


@every_library
@pytest.mark.parametrize("into", FRAMES)
def test_every_library_reads_every_other(store: Counting, kind: Any, into: Any) -> None:
    arrived = stored(store, FRAMES[kind], kind, into)
    assert isinstance(arrived, into)
    assert plain(arrived) == COLUMNS


@every_library
@pytest.mark.parametrize("format_", ["parquet", "csv", "feather", "jsonl"])
def test_formats(store: Counting, kind: Any, format_: str) -> None:
    literal = kept(store, FRAMES[kind], Annotated[kind, format_])
    assert literal.format == format_
    assert literal.uri.endswith(f"/data.{format_}")
    arrived = transformer(pl.DataFrame).decode(literal)
    # CSV has no nulls but the empty text.
    assert arrived["a"].to_list() == COLUMNS["a"]
    assert arrived["b"].to_list() == COLUMNS["b"]
    assert [text or None for text in arrived["s"].to_list()] == COLUMNS["s"]


def test_text_that_looks_like_a_number_is_text_where_it_is_declared_so(store: Counting) -> None:
    kind = Annotated[pd.DataFrame, kwtypes(code=str), "csv"]
    assert list(stored(store, pd.DataFrame({"code": ["01", "1"]}), kind, kind)["code"]) == ["01", "1"]


def test_the_index_of_pandas_comes_back(store: Counting) -> None:
    frame = pd.DataFrame({"v": [1, 2], "w": [3, 4]}, index=pd.Index(["x", "y"], name="key"))
    assert stored(store, frame, pd.DataFrame, pd.DataFrame).equals(frame)
    some = stored(store, frame, pd.DataFrame, Annotated[pd.DataFrame, kwtypes(v=int)])
    assert list(some.columns) == ["v"]
    assert list(some.index) == ["x", "y"]


def test_types_of_columns_come_back(store: Counting) -> None:
    frame = pl.DataFrame(
        {
            "when": [None, pd.Timestamp("2024-05-17T12:30:00+00:00").to_pydatetime()],
            "list": [[1], []],
            "kind": pl.Series(["x", "y"], dtype=pl.Categorical),
            "small": pl.Series([1, 2], dtype=pl.UInt8),
            "none": [None, None],
        }
    )
    assert stored(store, frame, pl.DataFrame, pl.DataFrame).equals(frame)


@every_library
def test_a_table_of_no_rows(store: Counting, kind: Any) -> None:
    empty = stored(store, FRAMES[pa.Table].slice(0, 0), pa.Table, kind)
    assert plain(empty) == {"a": [], "b": [], "s": []}
    assert list(StructuredDataset.of(kept(store, FRAMES[pa.Table].slice(0, 0))).open(kind).iter()) == []


def test_an_iterator_of_frames_is_written_as_it_comes(store: Counting) -> None:
    frames = (pd.DataFrame({"a": [number]}) for number in range(3))
    assert plain(stored(store, StructuredDataset(frames), into=pa.Table)) == {"a": [0, 1, 2]}
    with pytest.raises(ValueMismatch, match="frames of the same columns"):
        kept(store, StructuredDataset(iter([pd.DataFrame({"a": [1]}), pd.DataFrame({"b": [1]})])))
    with pytest.raises(ValueMismatch, match="it is empty"):
        kept(store, StructuredDataset(iter(())))


def test_what_arrow_cannot_hold_is_told(store: Counting) -> None:
    with pytest.raises(ValueMismatch, match=r"columns that Arrow can hold.*column mixed"):
        kept(store, pd.DataFrame({"mixed": [1, "x", None]}, dtype=object), pd.DataFrame)
    with pytest.raises(ValueMismatch, match="lists or structs in 'l'"):
        kept(store, pl.DataFrame({"l": [[1]]}), Annotated[pl.DataFrame, "csv"])
    with pytest.raises(UserError, match="no tables are written as 'xls'; the formats are parquet"):
        kept(store, FRAMES[pa.Table], Annotated[pa.Table, "xls"])


def test_what_fails_while_it_is_written_leaves_nothing(store: Counting) -> None:
    def frames() -> Iterator[pa.Table]:
        yield pa.table({"a": [1]})
        raise OSError("the source is gone")

    with pytest.raises(OSError, match="the source is gone"):
        kept(store, StructuredDataset(frames()))
    with pytest.raises(OSError, match="the source is gone"):
        kept(store, StructuredDataset(frames(), file_format="csv"))
    assert store.contents == {}


# --- references


def test_equal_tables_are_equal_literals(store: Counting) -> None:
    first = kept(store, pd.DataFrame(COLUMNS), pd.DataFrame)
    assert first == kept(store, pd.DataFrame(COLUMNS), pd.DataFrame)
    assert first.size == len(store.contents[first.uri])
    assert first != kept(store, pd.DataFrame({**COLUMNS, "a": [1, 2, 4]}), pd.DataFrame)
    # However its rows came together.
    parts = [pa.table({"a": [1, 2]}), pa.table({"a": [3]})]
    assert kept(store, pa.concat_tables(parts), pa.Table) == kept(store, pa.table({"a": [1, 2, 3]}), pa.Table)
    moved = DatasetLiteral("s3://elsewhere/x", first.format, (), first.digest, first.size)
    assert input_digest(moved) == input_digest(first)


def test_passing_one_on_reads_nothing(store: Counting) -> None:
    literal = kept(store, FRAMES[pa.Table])
    store.read, before = 0, traffic.read
    dataset = transformer(StructuredDataset).decode(literal)
    assert kept(store, dataset) == literal
    assert pickle.loads(pickle.dumps(dataset)) == dataset == copy.copy(dataset)
    assert (store.read, traffic.read) == (0, before)
    assert dataset.uri == literal.uri
    assert dataset.digest == literal.digest


@pytest.mark.parametrize("kind", [pa.Table, pl.LazyFrame])
def test_what_never_changes_is_passed_on_as_it_was_stored(store: Counting, kind: Any) -> None:
    literal = kept(store, FRAMES[kind], kind)
    arrived = transformer(kind).decode(literal)
    files = dict(store.contents)
    store.contents.clear()
    assert kept(store, arrived, kind) is literal or kept(store, arrived, kind) == literal
    assert store.contents == {}
    store.contents.update(files)
    # In another format, or another store, it is written.
    assert kept(store, arrived, Annotated[kind, "csv"]).format == "csv"
    other = MemoryBlobs()
    token = current.set(Direct(ExecutionContext(files=other)))
    try:
        assert kept(other, FRAMES[kind], kind).uri in other.contents
    finally:
        current.reset(token)


def test_a_frame_that_may_change_is_written_again(store: Counting) -> None:
    literal = kept(store, FRAMES[pd.DataFrame], pd.DataFrame)
    arrived = transformer(pd.DataFrame).decode(literal)
    arrived["a"] = 0
    assert kept(store, arrived, pd.DataFrame) != literal


def wide(rows: int = 50_000, columns: int = 10) -> pa.Table:
    numbers = np.random.default_rng(1)
    return pa.table({f"c{at}": numbers.random(rows) for at in range(columns)})


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame, pa.Table, StructuredDataset, pl.LazyFrame])
def test_one_column_is_read_where_one_is_wanted(store: Counting, kind: Any) -> None:
    literal = kept(store, wide())
    store.read, before = 0, traffic.read
    some = transformer(Annotated[kind, kwtypes(c3=float)]).decode(literal)
    if kind is StructuredDataset:
        assert store.read == 0
        some = some.open(pa.Table).all()
    assert list(plain(some)) == ["c3"]
    # The column, and the end of the file, where its layout stands: once for the schema, once to read.
    assert literal.size / 11 < store.read < literal.size / 10 + 3 * 64 * 1024
    assert traffic.read - before == store.read


def test_a_query_reads_what_it_needs(store: Counting) -> None:
    lazy = stored(store, wide(), into=pl.LazyFrame)
    size = next(len(data) for data in store.contents.values())
    store.read = 0
    assert 0.49 < lazy.select(pl.col("c7").mean()).collect().item() < 0.51
    assert store.read < size / 8


def test_frames_one_after_another(store: Counting) -> None:
    dataset = stored(store, wide(200_000, 2))
    sizes = [len(frame) for frame in dataset.open(pd.DataFrame).iter()]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 64 * 1024
    in_memory = StructuredDataset(wide(100_000, 2)).open(Annotated[pl.DataFrame, kwtypes(c1=float)])
    assert [frame.shape for frame in in_memory.iter()] == [(65536, 1), (34464, 1)]


def test_declared_columns_are_checked(store: Counting) -> None:
    for kind in (pd.DataFrame, StructuredDataset):
        with pytest.raises(ValueMismatch, match=r"expected a column 'q' of int, got a table of 'a', 'b', 's' at \$.q"):
            transformer(Annotated[kind, kwtypes(a=int, q=int)]).encode(FRAMES[pd.DataFrame])
    literal = kept(store, FRAMES[pd.DataFrame])
    with pytest.raises(ValueMismatch, match=r"a column 's' of int, got one of (large_)?string at \$.s"):
        transformer(Annotated[pl.DataFrame, kwtypes(s=int)]).decode(literal)
    lazy = transformer(Annotated[StructuredDataset, kwtypes(q=int)]).decode(literal)
    with pytest.raises(ValueMismatch, match="a column 'q'"):
        lazy.open(pd.DataFrame).all()
    # Ints go where floats are wanted.
    assert plain(transformer(Annotated[pl.DataFrame, kwtypes(a=float)]).decode(literal)) == {"a": [1, 2, 3]}


# --- parted tables


def parted(rows: int = 20) -> pl.DataFrame:
    frame = pl.DataFrame({"year": [2023 + at % 2 for at in range(rows)], "code": [f"0{at % 3}" for at in range(rows)]})
    return frame.with_columns(v=pl.Series(range(rows)), other=pl.lit("x"))


@pytest.mark.parametrize("format_", ["parquet", "feather"])
def test_a_parted_table_is_a_folder_a_value(store: Counting, format_: str) -> None:
    dataset = StructuredDataset(parted(), partition_by=["year", "code"], file_format=format_)
    arrived = stored(store, dataset)
    assert "/data" in arrived.uri
    assert len([uri for uri in store.contents if "/files/" in uri or ":files/" in uri]) == 6
    frame = arrived.open(pl.DataFrame).all()
    assert frame.columns == ["year", "code", "v", "other"]
    assert frame.sort("v").equals(parted())
    # What is not asked for is not read.
    store.read = 0
    list_size = len(store.contents[arrived.uri])
    few = arrived.arrow_dataset().to_table(columns=["v"], filter=pa.compute.field("year") == 2024)
    assert sorted(few["v"].to_pylist()) == list(range(1, 20, 2))
    total = sum(len(data) for uri, data in store.contents.items() if uri != arrived.uri)
    assert store.read - list_size < total


def test_null_and_strange_values_part_too(store: Counting) -> None:
    frame = pl.DataFrame({"k": ["a/b", None, "c=d", "é "], "v": [1, 2, 3, 4]})
    arrived = stored(store, StructuredDataset(frame, partition_by="k")).open(pl.DataFrame).all()
    assert arrived.sort("v").equals(frame)


def test_parts_that_make_no_sense(store: Counting) -> None:
    with pytest.raises(ValueMismatch, match="a column 'q' to part the table by"):
        kept(store, StructuredDataset(parted(), partition_by="q"))
    with pytest.raises(ValueMismatch, match="besides those"):
        kept(store, StructuredDataset(pl.DataFrame({"k": [1]}), partition_by="k"))
    with pytest.raises(UserError, match="more than 200 parts by v"):
        kept(store, StructuredDataset(parted(300), partition_by="v"))


def test_a_local_folder_in_hives_style(store: Counting, tmp_path: Path) -> None:
    for year in (2023, 2024):
        (tmp_path / "t" / f"year={year}").mkdir(parents=True)
        pq.write_table(pa.table({"v": [year]}), tmp_path / "t" / f"year={year}" / "part-0.parquet")
    (tmp_path / "t" / "_SUCCESS").write_text("")
    expected = {"v": [2023, 2024], "year": [2023, 2024]}
    local = StructuredDataset(uri=tmp_path / "t")
    assert plain(local.open(pa.Table).all()) == expected
    assert plain(stored(store, local, into=pl.DataFrame)) == expected


def test_a_folder_of_files_is_one_table(store: Counting, tmp_path: Path) -> None:
    for part in range(3):
        pd.DataFrame({"v": [part]}).to_csv(tmp_path / f"{part}.csv", index=False)
    assert plain(stored(store, StructuredDataset(uri=tmp_path, file_format="csv"), into=pa.Table)) == {"v": [0, 1, 2]}
    (tmp_path / "empty").mkdir()
    with pytest.raises(EntityNotFound, match="a folder without a file"):
        StructuredDataset(uri=tmp_path / "empty").open(pa.Table).all()


# --- where they are


def test_local_files_and_other_places(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("a,s\n1,x\n")
    dataset = StructuredDataset(uri=path)
    assert (dataset.file_format, dataset.uri) == ("csv", str(path))
    assert plain(dataset.open(pa.Table).all()) == {"a": [1], "s": ["x"]}
    assert plain(StructuredDataset(uri=path.as_uri()).open(pl.DataFrame).all()) == {"a": [1], "s": ["x"]}
    with pytest.raises(ValueMismatch, match="there is nothing"):
        transformer(StructuredDataset).encode(str(tmp_path / "nowhere.csv"))
    with pytest.raises(EntityNotFound, match=r"cannot be read: a table is at a local path"):
        StructuredDataset(uri="gopher://x/t.parquet").open(pa.Table).all()
    path.write_bytes(b"\xff" * 10)
    with pytest.raises(ValueMismatch, match="a table in parquet"):
        StructuredDataset(uri=path, file_format="parquet").open(pa.Table).all()


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.LazyFrame])
def test_a_table_in_a_bucket(store: Counting, kind: Any, tmp_path: Path) -> None:
    pq.write_table(pa.table(COLUMNS), tmp_path / "t.parquet")
    data = (tmp_path / "t.parquet").read_bytes()
    for path in ("t.parquet", "parts/year=2023/0.parquet", "parts/year=2024/0.parquet"):
        with FlyteFile(f"memory://tables/{path}").open("wb") as file:
            file.write(data)
    one = StructuredDataset(uri="memory://tables/t.parquet")
    assert kept(store, one).uri == "memory://tables/t.parquet"
    assert plain(one.open(kind).all()) == COLUMNS
    several = StructuredDataset(uri="memory://tables/parts", file_format="parquet").open(pa.Table).all()
    assert several["year"].to_pylist() == [2023] * 3 + [2024] * 3
    with pytest.raises(EntityNotFound):
        StructuredDataset(uri="memory://tables/nowhere.parquet").open(kind).all()


def test_what_is_in_no_store(store: Counting) -> None:
    lost = StructuredDataset.of(DatasetLiteral("blob:files/x/data.parquet", "parquet"))
    with pytest.raises(EntityNotFound):
        lost.open(pd.DataFrame).all()
    token = current.set(Direct())
    try:
        with pytest.raises(EntityNotFound, match="open it in a task"):
            StructuredDataset.of(DatasetLiteral("blob:x", "parquet")).open(pd.DataFrame).all()
    finally:
        current.reset(token)


def test_how_one_is_made_and_opened() -> None:
    with pytest.raises(UserError, match="either of a dataframe"):
        StructuredDataset(FRAMES[pa.Table], uri="/x")
    with pytest.raises(UnsupportedType, match="int is no class of frames that whimbrel knows"):
        StructuredDataset(uri="/x").open(int)
    with pytest.raises(UnsupportedType, match=r"builtins\.dict"):
        StructuredDataset({"a": [1]})
    with pytest.raises(UserError, match=r"dataset.open\(pd.DataFrame\)"):
        StructuredDataset(uri="/x").all()
    with pytest.raises(ValueMismatch, match="neither a dataframe nor a uri"):
        transformer(StructuredDataset).check(StructuredDataset())
    frame = FRAMES[pd.DataFrame]
    dataset = StructuredDataset(dataframe=frame)
    assert dataset.all() is frame
    assert dataset.open(pd.DataFrame).all() is frame
    assert plain(dataset.open(pl.DataFrame).all()) == COLUMNS
    assert pickle.loads(pickle.dumps(dataset)).dataframe.equals(frame)
    assert repr(dataset) == "StructuredDataset(DataFrame in memory)"


# --- without an engine


@dataclass
class Split:
    train: pd.DataFrame
    rest: StructuredDataset


@task
def split(frame: pd.DataFrame) -> Split:
    return Split(frame.head(2), StructuredDataset(frame.tail(1)))


@task
def count(split: Split, also: pl.DataFrame) -> int:
    assert isinstance(also, pl.DataFrame)
    return len(split.train) + len(split.rest.open(pa.Table).all()) + len(also)


@workflow
def both(frame: pd.DataFrame) -> int:
    return count(split=split(frame=frame), also=frame)


@eager
async def both_eager(frame: pd.DataFrame) -> int:
    return await count(split=await split(frame=frame), also=frame)


def test_a_plain_call_converts_and_writes_nothing() -> None:
    assert both(frame=FRAMES[pd.DataFrame]) == 6
    assert asyncio.run(both_eager(frame=FRAMES[pd.DataFrame])) == 6


@task
def only_a(frame: Annotated[pd.DataFrame, kwtypes(a=int)]) -> list[str]:
    return list(frame.columns)


def test_a_plain_call_gives_the_columns_that_were_asked_for() -> None:
    assert only_a(frame=FRAMES[pl.DataFrame]) == ["a"]
    assert only_a(frame=FRAMES[pd.DataFrame]) == ["a"]
    with pytest.raises(ValueMismatch, match=r"only_a\(\), input 'frame'"):
        only_a(frame=pd.DataFrame({"b": [1]}))


def test_a_frame_is_no_part_of_a_program() -> None:
    @task
    def defaulted(frame: pd.DataFrame = FRAMES[pd.DataFrame]) -> int:
        return len(frame)

    with pytest.raises(CompileError, match="the default of 'frame' is in memory"):
        _ = defaulted.interface

    @workflow
    def constant() -> list[str]:
        return only_a(frame=FRAMES[pd.DataFrame])

    with pytest.raises((CompileError, CallMismatch), match="in memory cannot be part of a compiled program"):
        constant.program()
    with pytest.raises(TypeError):
        encoded(transformer(pd.DataFrame).encode(FRAMES[pd.DataFrame]))


def test_without_pyarrow_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow.dataset", None)
    with pytest.raises(UnsupportedType, match=r"pip install 'whimbrel\[arrow\]'"):
        kept(MemoryBlobs(), FRAMES[pl.DataFrame], pl.DataFrame)


def test_importing_whimbrel_imports_no_library_of_frames() -> None:
    code = "import sys, whimbrel; print(*{'pyarrow', 'pandas', 'polars', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_file_given_as_a_table_is_not_fetched() -> None:
    transformer = default_registry().transformer(StructuredDataset)
    there = FlyteFile("s3://bucket/table.parquet")
    transformer.check(there)
    assert transformer.encode(there) == DatasetLiteral("s3://bucket/table.parquet", "parquet")
