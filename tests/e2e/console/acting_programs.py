"""What the tests of acting launch, fork, recover and answer."""

import datetime as dt
import json
import time
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pyarrow as pa

from whimbrel import FlyteDirectory, FlyteFile, LaunchPlan, StructuredDataset, approve, task, wait_for_input, workflow

FACTOR = 2


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Order:
    item: str
    count: int = 1


@task
def told(
    n: int,
    f: float,
    s: str,
    b: bool,
    when: dt.datetime,
    day: dt.date,
    span: dt.timedelta,
    raw: bytes,
    colour: Colour,
    order: Order,
    orders: list[Order],
    xs: list[int],
    counts: dict[str, int],
    maybe: str | None,
    perhaps: str | None,
    either: int | str,
    anything: dict,  # type: ignore[type-arg]
    file: FlyteFile,
    folder: FlyteDirectory,
    table: StructuredDataset,
    left: int = 7,
    named: str = "as ever",
) -> str:
    """What it was given, as the code sees it.

    Args:
        n: how many of them
    """
    directory = Path(folder)
    found: dict[str, Any] = {
        "scalars": [n, repr(f), s, b, raw.decode(), colour.name],
        "times": [when.astimezone(dt.UTC).isoformat(), day.isoformat(), span.total_seconds()],
        "structs": [repr(order), [repr(each) for each in orders], xs, counts],
        "unions": [maybe, perhaps, either, anything],
        "file": Path(file).read_text(),
        "folder": sorted(str(each.relative_to(directory)) for each in directory.rglob("*") if each.is_file()),
        "table": table.open(pa.Table).all().to_pydict(),
        "left": [left, named],
    }
    return json.dumps(found)


@workflow
def everything(
    n: int,
    f: float,
    s: str,
    b: bool,
    when: dt.datetime,
    day: dt.date,
    span: dt.timedelta,
    raw: bytes,
    colour: Colour,
    order: Order,
    orders: list[Order],
    xs: list[int],
    counts: dict[str, int],
    maybe: str | None,
    perhaps: str | None,
    either: int | str,
    anything: dict,  # type: ignore[type-arg]
    file: FlyteFile,
    folder: FlyteDirectory,
    table: StructuredDataset,
    left: int = 7,
    named: str = "as ever",
) -> str:
    """Takes one of each.

    Args:
        n: how many of them
    """
    return told(
        n=n,
        f=f,
        s=s,
        b=b,
        when=when,
        day=day,
        span=span,
        raw=raw,
        colour=colour,
        order=order,
        orders=orders,
        xs=xs,
        counts=counts,
        maybe=maybe,
        perhaps=perhaps,
        either=either,
        anything=anything,
        file=file,
        folder=folder,
        table=table,
        left=left,
        named=named,
    )


@task
def load(x: int) -> int:
    return x


@task
def fit(x: int) -> int:
    return FACTOR * x


@task
def opened(x: int, door: str) -> int:
    if not Path(door).exists():
        raise ValueError("the door is shut")
    return x


@task
def held(x: int, door: str) -> int:
    while not Path(door).exists():
        time.sleep(0.01)
    return x


@workflow
def chain(x: int = 4) -> int:
    return fit(x=load(x=x))


@workflow
def doors(x: int, door: str) -> int:
    return opened(x=fit(x=x), door=door)


@workflow
def waits(x: int, door: str) -> int:
    return held(x=load(x=x), door=door)


@workflow
def asks(x: int) -> int:
    return fit(x=approve(fit(x=x), "release", timeout=None))


@workflow
def wants(x: int) -> int:
    order = wait_for_input("order", timeout=None, expected_type=Order)
    return counted(x=x, order=order)


@task
def counted(x: int, order: Order) -> int:
    return x * order.count


fixed = LaunchPlan.get_or_create(chain, "fixed-chain", fixed_inputs={"x": 11})
