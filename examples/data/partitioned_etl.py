"""Orders, partitioned by day: each day is cleaned and summed on its own, then all are joined to one table.

    whimbrel run examples/data/partitioned_etl.py etl --days 5

Tables travel by reference: only the task that works on a day reads that day. Running it again for more days
computes the new ones alone, since the tasks are cached by what they are given.
"""

from __future__ import annotations

import datetime as dt
import random

import polars as pl

from whimbrel import dynamic, task, workflow


@task(cache=True, cache_version="1")
def extract(day: dt.date) -> pl.DataFrame:
    """A day's orders as they come: some twice, some without a price."""
    draw = random.Random(day.toordinal())
    rows = [
        {
            "order": number,
            "shop": draw.choice(["Bergen", "Oslo", "Tromsø"]),
            "price": draw.choice([None, 9.5, 20.0, 31.25]),
        }
        for number in (draw.randrange(400) for _ in range(500))
    ]
    print(f"{day}: {len(rows)} rows")
    return pl.DataFrame(rows, schema={"order": pl.Int64, "shop": pl.String, "price": pl.Float64})


@task(cache=True, cache_version="1")
def clean(orders: pl.DataFrame) -> pl.DataFrame:
    """Each order once, and only with a price."""
    return orders.drop_nulls("price").unique("order", keep="first", maintain_order=True)


@task(cache=True, cache_version="1")
def by_shop(orders: pl.DataFrame, day: dt.date) -> pl.DataFrame:
    """What each shop sold that day."""
    sums = orders.group_by("shop").agg(pl.col("price").sum().alias("sales"), pl.len().cast(pl.Int64).alias("orders"))
    return sums.with_columns(pl.lit(day).alias("day")).sort("shop")


@task
def join(days: list[pl.DataFrame]) -> pl.DataFrame:
    """One table, a row per day and shop."""
    return pl.concat(days).select("day", "shop", "orders", "sales").sort("day", "shop")


@task
def report(sales: pl.DataFrame) -> dict[str, float]:
    """Total sales by shop."""
    totals = sales.group_by("shop").agg(pl.col("sales").sum()).sort("shop")
    return dict(totals.iter_rows())


@dynamic
def every_day(first: dt.date, days: int) -> pl.DataFrame:
    """One chain of tasks for each day: how many there are is known when this runs."""
    tables = []
    for offset in range(days):
        day = first + dt.timedelta(days=offset)
        tables.append(by_shop(orders=clean(orders=extract(day=day)), day=day))
    return join(days=tables)


@workflow
def etl(first: dt.date = dt.date(2024, 5, 1), days: int = 3) -> dict[str, float]:
    """Sales by shop over some days."""
    return report(sales=every_day(first=first, days=days))
