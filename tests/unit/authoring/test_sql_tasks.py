"""SQL tasks: what is bound, what comes back, and that no value is ever read as SQL."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import sqlite3
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from tests.unit.authoring import command_flows as flows
from whimbrel import CallMismatch, DuckDBConfig, SQLite3Config, SQLite3Task, SQLiteConfig, SQLTask, UserError, kwtypes
from whimbrel.testing.engine import TestEngine

ITEMS = [("tea", 2.5), ("it's", 3.0), ("a; b", 1.0)]


@pytest.fixture(autouse=True)
def shop() -> Iterator[str]:
    with closing(sqlite3.connect(flows.HERE)) as connection, connection:
        connection.execute("DROP TABLE IF EXISTS items")
        connection.execute("CREATE TABLE items (name TEXT, price REAL)")
        connection.executemany("INSERT INTO items VALUES (?, ?)", ITEMS)
    yield flows.HERE
    os.remove(flows.HERE)


@pytest.mark.parametrize(
    "name", ["tea", "it's", "a; b", "' OR '1'='1", "x'; DROP TABLE items; --", "{{ .inputs.name }}", "\\' OR 1=1 --"]
)
def test_no_value_is_read_as_sql(name: str) -> None:
    expected = [{"name": item, "price": price} for item, price in ITEMS if item == name]
    assert flows.by_name(name=name) == expected
    assert flows.in_quotes(name=name) == [{"price": row["price"]} for row in expected]
    assert flows.among(names=[name], by="price") == [flows.Item(**row) for row in expected]  # type: ignore[arg-type]
    flows.add(name=name, price=1.0)
    assert len(flows.by_name(name=name)) == len(expected) + 1


def test_lists_and_names_of_columns() -> None:
    assert flows.among(names=["tea", "a; b"], by="price") == [flows.Item("a; b", 1.0), flows.Item("tea", 2.5)]
    assert flows.among(names=[], by="name") == []
    assert len(flows.among(names=["tea"], by='price" DESC; DROP TABLE items; --')) == 1
    assert len(flows.by_name(name="tea")) == 1


def test_frames() -> None:
    pandas, polars, dataset = flows.as_pandas(), flows.as_polars(), flows.as_dataset()
    assert isinstance(pandas, pd.DataFrame)
    assert isinstance(polars, pl.DataFrame)
    assert list(pandas["price"]) == list(polars["price"]) == [2.5, 3.0, 1.0]
    assert dataset.open(pd.DataFrame).all().equals(pandas)


def test_in_workflows_and_bodies() -> None:
    engine = TestEngine()
    assert engine.run(flows.sold, name="new") == 4.0
    assert engine.run(flows.average) == pytest.approx(10.5 / 4)
    assert engine.run(flows.prices, names=["tea", "it's"]) == 5.5
    assert flows.sold(name="newer") == 4.0
    assert flows.average() == pytest.approx(14.5 / 5)
    assert asyncio.run(flows.prices(names=["tea"])) == 2.5


def test_duckdb_reads_files_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "items.csv").write_text("name,price\ntea,2.5\nrum,9\nit's,3\n")
    assert flows.duck(file=str(tmp_path / "items.csv"), but="it's") == [{"total": 11.5}]
    day = SQLTask(
        "day",
        "SELECT {{ .inputs.at }} + INTERVAL 1 DAY AS next, {{ .inputs.span }} AS span",
        DuckDBConfig(str(tmp_path / "duck.db")),
        inputs=kwtypes(at=dt.datetime, span=dt.timedelta),
        output_schema_type=pd.DataFrame,
    )
    (row,) = day(at=dt.datetime(2026, 1, 1), span=dt.timedelta(hours=1)).itertuples(index=False)
    assert row.next == pd.Timestamp(2026, 1, 2)
    assert row.span == pd.Timedelta(hours=1)


def test_a_database_in_an_archive_and_by_uri(tmp_path: Path, shop: str) -> None:
    with zipfile.ZipFile(tmp_path / "shop.zip", "w") as archive:
        archive.write(shop, "inside/shop.db")
    for uri, compressed in (
        (str(tmp_path / "shop.zip"), True),
        ((tmp_path / "shop.zip").as_uri(), True),
        (f"sqlite:///{shop}", False),
        (Path(shop).as_uri(), False),
    ):
        made = SQLite3Task(
            "count",
            "SELECT count(*) AS n FROM items",
            task_config=SQLite3Config(uri, compressed),
            output_schema_type=list[dict[str, int]],
        )
        assert made() == [{"n": 3}]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("SELECT * FROM nowhere", "SQLite says: no such table: nowhere"),
        ("SELECT 1; SELECT 2", "SQLite says: .*one statement at a time"),
        ("SELEKT", "SQLite says: near"),
    ],
)
def test_what_the_database_says(query: str, told: str, shop: str) -> None:
    with pytest.raises(UserError, match=rf"broken: {told}.*\. Mend the query"):
        SQLTask("broken", query, SQLiteConfig(shop))()
    with pytest.raises(UserError, match="DuckDB says: "):
        SQLTask("broken", "SELEKT", DuckDBConfig())()
    with pytest.raises(UserError, match="a row is not what was declared"):
        SQLTask("broken", "SELECT 'x' AS a", SQLiteConfig(shop), output_schema_type=list[dict[str, int]])()


@pytest.mark.parametrize(
    ("query", "options", "told"),
    [
        ("SELECT 1", {"task_config": None}, "Say which database"),
        ("SELECT {{ .inputs.y }}", {}, "the query names y"),
        ("SELECT 'a {{ .inputs.x }} b'", {}, "stands inside the quotes of 'a {{ .inputs.x }} b'"),
        ('SELECT "{{ .inputs.x }}"', {}, "stands inside the quotes"),
        ("SELECT {{ inputs.x }}", {}, "is no template"),
    ],
)
def test_what_a_query_cannot_be(query: str, options: dict[str, Any], told: str) -> None:
    with pytest.raises(CallMismatch, match=told):
        SQLTask("wrong", query, **{"task_config": SQLiteConfig(":memory:"), "inputs": kwtypes(x=int), **options})
