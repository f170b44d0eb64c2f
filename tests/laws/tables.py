"""Programs whose values are tables and arrays."""

from __future__ import annotations

from typing import Annotated

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from whimbrel import StructuredDataset, eager, kwtypes, task, workflow


@task
def made(rows: int) -> pd.DataFrame:
    """Numbers, and which third each is of."""
    return pd.DataFrame({"number": range(rows), "third": [at % 3 for at in range(rows)], "name": "x"})


@task
def squared(table: pl.DataFrame) -> pl.LazyFrame:
    """Another column, computed when the table is written."""
    return table.lazy().with_columns(square=pl.col("number") ** 2)


@task
def total(table: Annotated[pa.Table, kwtypes(square=int)]) -> int:
    """The sum of one column, the only one that it is given."""
    assert table.column_names == ["square"]
    return int(pc.sum(table["square"]).as_py())


@task(cache=True, cache_version="1")
def means(table: StructuredDataset) -> np.ndarray:
    """The mean of each third, by a query of which only two columns are read."""
    lazy = table.open(pl.LazyFrame).all()
    found = lazy.group_by("third").agg(pl.col("number").mean()).sort("third").collect()
    return found["number"].to_numpy()


@task
def parted(table: pa.Table) -> StructuredDataset:
    """A folder for each third."""
    return StructuredDataset(table, partition_by="third")


@workflow
def through_three(rows: int) -> int:
    """pandas, polars, Arrow."""
    return total(table=squared(table=made(rows=rows)))


@eager
async def by_thirds(rows: int) -> list[float]:
    """Passes tables on, looks at some, makes one of its own, and asks again for what is cached."""
    first = await made(rows=rows)
    lazy = await squared(table=first)
    sums = await total(table=lazy)
    folder = await parted(table=first)
    averages = await means(table=folder)
    again = await means(table=folder)
    assert list(again) == list(averages)
    seen = folder.open(Annotated[pd.DataFrame, kwtypes(number=int)]).all()
    own = await total(table=pl.DataFrame({"square": [1, 2, 3]}))
    return [float(sums), *map(float, averages), float(seen["number"].sum()), float(own)]
