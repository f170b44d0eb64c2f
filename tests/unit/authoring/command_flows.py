"""SQL and container tasks, and workflows of them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import pandas as pd
import polars as pl

from whimbrel import (
    ContainerTask,
    DuckDBConfig,
    FlyteDirectory,
    FlyteFile,
    SQLite3Config,
    SQLite3Task,
    SQLiteConfig,
    SQLTask,
    StructuredDataset,
    eager,
    kwtypes,
    task,
    workflow,
)

HERE = os.path.join(os.environ.get("TMPDIR", "/tmp"), f"whimbrel-shop-{os.getpid()}.db")
SHOP = SQLiteConfig(HERE)


@dataclass
class Item:
    name: str
    price: float


by_name = SQLTask(
    "shop.by_name", "SELECT name, price FROM items WHERE name = {{ .inputs.name }}", SHOP, inputs=kwtypes(name=str)
)
in_quotes = SQLTask(
    "shop.in_quotes",
    "SELECT price FROM items -- not {{ .inputs.name }}\nWHERE name = '{{ .inputs.name }}' AND name <> '{}'",
    SHOP,
    inputs=kwtypes(name=str),
)
among = SQLTask(
    "shop.among",
    "SELECT name, price FROM items WHERE name IN ({{ .inputs.names }}) ORDER BY {{ .inputs.by | identifier }}",
    SHOP,
    inputs=kwtypes(names=list[str], by=str),
    output_schema_type=list[Item],
)
add = SQLTask(
    "shop.add",
    "INSERT INTO items VALUES ({{ .inputs.name }}, {{ .inputs.price }})",
    SHOP,
    inputs=kwtypes(name=str, price=float),
)
as_pandas = SQLTask("shop.pandas", "SELECT * FROM items", SHOP, output_schema_type=pd.DataFrame)
as_polars = SQLTask("shop.polars", "SELECT * FROM items", SHOP, output_schema_type=pl.DataFrame)
as_dataset = SQLite3Task("shop.dataset", "SELECT * FROM items", task_config=SQLite3Config(HERE))
duck = SQLTask(
    "duck.total",
    "SELECT sum(price) AS total FROM read_csv({{ .inputs.file }}) WHERE name <> {{ .inputs.but }}",
    DuckDBConfig(),
    inputs=kwtypes(file=str, but=str),
)


@task
def total(rows: list[dict[str, Any]]) -> float:
    return sum(row["price"] for row in rows)


@task
def mean(table: StructuredDataset) -> float:
    return float(table.open(pd.DataFrame).all()["price"].mean())


@workflow
def sold(name: str) -> float:
    added = add(name=name, price=4.0)
    found = by_name(name=name)
    added >> found
    return total(rows=found)


@workflow
def average() -> float:
    return mean(table=as_dataset())


@eager
async def prices(names: list[str]) -> float:
    return sum(item.price for item in await among(names=names, by="price"))


area = ContainerTask(
    "area",
    image="shapes:1.2",
    command=["python", "-c"],
    arguments=[
        "import json, sys; a = json.load(open('/var/inputs/inputs.json')); "
        "open('/var/outputs/area', 'w').write(str(a['width'] * a['height'])); "
        "json.dump({'text': sys.argv[1], 'same': open('/var/inputs/label').read() == sys.argv[1]},"
        " open('/var/outputs/seen', 'w'))",
        "{{.inputs.label}}",
    ],
    inputs=kwtypes(width=float, height=float, label=str),
    outputs=kwtypes(area=float, seen=dict[str, Any]),
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
    environment={"LEVEL": "3"},
)
copied = ContainerTask(
    "copied",
    image="alpine",
    command=["sh", "-c", "cp {{.inputs.file}} /var/outputs/copy; mkdir /var/outputs/tree; cp $0 /var/outputs/tree"],
    arguments=["/var/inputs/file"],
    inputs=kwtypes(file=FlyteFile),
    outputs=kwtypes(copy=FlyteFile, tree=FlyteDirectory),
    input_data_dir="/var/inputs",
    output_data_dir="/var/outputs",
)
fails = ContainerTask("fails", image="alpine", command=["sh", "-c", "echo no good >&2; exit 4"])


@workflow
def square(side: float) -> float:
    return area(width=side, height=side, label="square").area


@eager
async def squares(sides: list[float]) -> list[float]:
    return [(await area(width=side, height=side, label="s")).area for side in sides]


@workflow
def copying(file: FlyteFile) -> FlyteFile:
    return copied(file=copied(file=file).copy).copy
