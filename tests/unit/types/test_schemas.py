"""``FlyteSchema``, plug-ins of frames in both shapes, and previews."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from whimbrel import StructuredDataset, kwtypes, task, workflow
from whimbrel.errors import UnsupportedType, UserError, ValueMismatch
from whimbrel.model.literal_types import INTEGER, DatasetType
from whimbrel.testing.engine import TestEngine
from whimbrel.types import libraries
from whimbrel.types.dataset_engine import (
    StructuredDatasetDecoder,
    StructuredDatasetEncoder,
    StructuredDatasetTransformerEngine,
)
from whimbrel.types.libraries import FrameLibrary, register_library
from whimbrel.types.previews import preview
from whimbrel.types.registry import default_registry
from whimbrel.types.schemas import FlyteSchema

Numbers = FlyteSchema[kwtypes(a=int)]


@task
def written(pieces: int) -> Numbers:
    out = FlyteSchema()
    for piece in range(pieces):
        out.open().write(pd.DataFrame({"a": [piece], "b": ["x"]}))
    return out


@task
def total(numbers: Numbers) -> int:
    frame = numbers.open(pl.DataFrame).all()
    assert frame.columns == ["a"]
    assert sum(len(each) for each in numbers.open().iter()) == len(frame)
    return int(frame["a"].sum())


@workflow
def summed(pieces: int) -> int:
    return total(numbers=written(pieces=pieces))


def test_a_schema_is_written_and_read() -> None:
    assert default_registry().transformer(Numbers).literal_type == DatasetType({"a": INTEGER})
    for pieces, expected in ((1, 0), (4, 6)):
        assert TestEngine().run(summed, pieces=pieces) == expected
        assert summed(pieces=pieces) == expected
    assert total(numbers=pd.DataFrame({"a": [1, 2]})) == 3


def test_what_is_wrong_with_one_is_told() -> None:
    check = default_registry().transformer(Numbers).check
    with pytest.raises(ValueMismatch, match="nothing was written to it"):
        check(FlyteSchema())
    with pytest.raises(ValueMismatch, match="FlyteSchema"):
        check(3)
    wrong = FlyteSchema()
    wrong.open().write(pd.DataFrame({"b": [1]}))
    with pytest.raises(ValueMismatch, match="a column 'a' of int"):
        check(wrong)
    with pytest.raises(UnsupportedType):
        wrong.write({"a": [1]})
    with pytest.raises(UserError, match="kept as it was written"):
        FlyteSchema(remote_path="s3://x/y").write(pd.DataFrame({"a": [1]}))


# --- plug-ins


class Rows:
    """Somebody's class of frames."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows


class Others(Rows):
    """Another's, served as flytekit's plug-ins are."""


@pytest.fixture(autouse=True)
def _as_it_was(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(libraries, "_libraries", dict(libraries._libraries))
    monkeypatch.setattr(StructuredDatasetTransformerEngine, "renderers", {})
    yield
    default_registry()._shelf.forget()


class RowsLibrary(FrameLibrary):
    frame = f"{__name__.partition('.')[0]}.Rows"

    def batches(self, frame: Any) -> tuple[Any, list[Any]]:
        table = pa.Table.from_pylist(frame.rows)
        return table.schema, [table]

    def from_arrow(self, table: Any) -> Any:
        return Rows(table.to_pylist())


def test_a_library_of_ones_own() -> None:
    register_library(RowsLibrary())
    with pytest.raises(UserError, match="two libraries for"):
        register_library(RowsLibrary())

    rows = Rows([{"a": 1}, {"a": 2}])
    made = default_registry().transformer(Rows)
    assert made.literal_type == DatasetType()
    assert made.decode(made.encode(rows)) is rows
    assert StructuredDataset(rows).open(pl.DataFrame).all()["a"].to_list() == [1, 2]
    assert StructuredDataset(pl.DataFrame({"a": [3]})).open(Rows).all().rows == [{"a": 3}]


class Encoder(StructuredDatasetEncoder[Others]):
    def __init__(self, where: Any) -> None:
        super().__init__(Others, supported_format="csv")
        self.where = where

    def encode(self, ctx: Any, structured_dataset: Any, structured_dataset_type: Any) -> Any:
        pd.DataFrame(structured_dataset.dataframe.rows).to_csv(self.where / "rows.csv", index=False)
        return StructuredDataset(uri=self.where / "rows.csv")


class Decoder(StructuredDatasetDecoder[Others]):
    def __init__(self) -> None:
        super().__init__(Others)

    def decode(self, ctx: Any, flyte_value: Any, current_task_metadata: Any) -> Others:
        return Others(pd.read_parquet(flyte_value.uri).to_dict("records"))


def test_plug_ins_of_flytekits_shape(tmp_path: Any) -> None:
    with pytest.raises(UnsupportedType, match="is no class of frames"):
        StructuredDataset(Others([]))
    StructuredDatasetTransformerEngine.register(Encoder(tmp_path))
    with pytest.raises(UserError, match="there is no decoder"):
        StructuredDataset(pl.DataFrame({"a": [3]})).open(Others).all()
    StructuredDatasetTransformerEngine.register(Decoder(), default_for_type=True)
    with pytest.raises(UserError, match="override=True"):
        StructuredDatasetTransformerEngine.register(Decoder())
    StructuredDatasetTransformerEngine.register(Decoder(), override=True)
    assert StructuredDataset(Others([{"a": 1}])).open(pl.DataFrame).all()["a"].to_list() == [1]
    assert StructuredDataset(pl.DataFrame({"a": [3]})).open(Others).all().rows == [{"a": 3}]


# --- previews


def test_a_preview() -> None:
    frame = pd.DataFrame({"name": ["<b>", None, "x" * 50, "d", "e", "f"], "v": [0.123456789, 2, 3, 4, 5, 6]})
    seen = preview(frame)
    assert (seen.rows, seen.width, seen.shape()) == (6, 2, "6 x 2")
    lines = seen.text().splitlines()
    assert lines[0].split() == ["name", "v"]
    assert lines[1].split() == ["<b>", "0.123457"]
    assert lines[-1] == "… 1 more rows"
    assert "&lt;b&gt;" in seen.html()
    assert "<b>" not in seen.html()
    wide = preview(pa.table({f"c{at}": [1] for at in range(20)}))
    assert wide.text().endswith("8 more columns")
    assert preview(StructuredDataset(pl.LazyFrame({"a": range(10_000)}))).shape() == "? x 1"
    StructuredDatasetTransformerEngine.register_renderer(pd.DataFrame, Loud())
    assert StructuredDatasetTransformerEngine.to_html(frame) == "LOUD 6"
    assert "<table>" in StructuredDatasetTransformerEngine.to_html(pl.DataFrame({"a": [1]}))


class Loud:
    def to_html(self, frame: pd.DataFrame) -> str:
        return f"LOUD {len(frame)}"
