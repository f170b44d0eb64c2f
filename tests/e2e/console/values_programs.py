"""Programs whose values the tests of the console look at: one of each kind."""

from __future__ import annotations

import json
import struct
import zlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from enum import Enum
from pathlib import Path

import pandas as pd

from whimbrel import (
    FlyteDirectory,
    FlyteFile,
    Resources,
    Secret,
    StructuredDataset,
    approve,
    current_context,
    task,
    workflow,
)

HOSTILE = "<img src=x onerror=document.title='taken'>"
ROWS = 120
SIDE = 24


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Point:
    x: float
    name: str
    tags: list[str] = field(default_factory=list)


@task
def plain(count: int) -> tuple[int, float, bool, str, None]:
    return 2**60 + count, 0.1 + 0.2, True, f"two\nlines {HOSTILE}", None


@task
def moments() -> tuple[datetime, date, timedelta, Colour, bytes]:
    at = datetime(2026, 1, 31, 12, 0, 0, 250, tzinfo=UTC)
    return at, date(2026, 2, 1), timedelta(days=1, minutes=2, seconds=3), Colour.BLUE, b"\x00\x01binary"


@task
def composed() -> tuple[list[int], dict[str, Point], int | str, list[dict[str, int]]]:
    points = {HOSTILE: Point(1.5, "first", ["a", "b"]), "second": Point(float("nan"), "2")}
    return list(range(500)), points, "a union", [{"at": at} for at in range(3)]


@task
def table() -> StructuredDataset:
    frame = pd.DataFrame({"number": range(ROWS), HOSTILE: [f"{HOSTILE}{at}" for at in range(ROWS)], "long": "x" * 5000})
    return StructuredDataset(dataframe=frame)


def png(side: int) -> bytes:
    """A red square."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = (b"\0" + b"\xff\x20\x20" * side) * side
    head = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


SVG = (
    f'<svg xmlns="http://www.w3.org/2000/svg" width="{SIDE}" height="{SIDE}"><script>document.title="taken"</script>'
    f'<rect width="{SIDE}" height="{SIDE}" fill="red"/></svg>'
)


@task
def files() -> tuple[FlyteFile, FlyteFile, FlyteFile, FlyteFile]:
    here = Path(current_context().working_directory)
    (here / "picture.png").write_bytes(png(SIDE))
    (here / "drawing.svg").write_text(SVG)
    (here / "notes <b>&.txt").write_text(f"first line\n{HOSTILE}\n")
    (here / "page.html").write_text(f"<script>document.title='taken'</script>{HOSTILE}")
    names = ("picture.png", "drawing.svg", "notes <b>&.txt", "page.html")
    picture, drawing, notes, page = (FlyteFile(str(here / name)) for name in names)
    return picture, drawing, notes, page


@task
def directory() -> FlyteDirectory:
    tree = Path(current_context().working_directory) / "tree"
    (tree / "inner").mkdir(parents=True)
    for at in range(3):
        (tree / "inner" / f"{at}.txt").write_text(f"entry {at}")
    (tree / HOSTILE).write_text("hostile")
    return FlyteDirectory(str(tree))


@task
def large(bytes: int) -> str:
    return "0123456789" * (bytes // 10)


@task
def long(length: int) -> list[int]:
    return list(range(length))


@task
def deeper(x: int) -> int:
    values = {"x": x}
    try:
        return values["missing"]
    except KeyError as error:
        raise RuntimeError(f"could not find it {HOSTILE}") from error


@task(
    retries=1,
    cache=True,
    cache_version="7",
    requests=Resources(cpu="500m", mem="200Mi"),
    timeout=timedelta(minutes=5),
    environment={"MODE": "careful"},
    secret_requests=[Secret(group="shop", key="token")],
)
def costly(x: int) -> int:
    return x + 1


@workflow
def shown(count: int = 1) -> int:
    plain(count=count)
    moments()
    composed()
    table()
    files()
    directory()
    return costly(x=count)


@workflow
def wide_output(bytes: int) -> str:
    return large(bytes=bytes)


@workflow
def long_output(length: int) -> list[int]:
    return long(length=length)


@workflow
def broken(x: int = 1) -> int:
    return deeper(x=x)


@task(retries=1)
def flaky(text: str) -> int:
    try:
        json.loads(text)
    except ValueError as error:
        error.add_note(f"the text was {text!r}")
        raise
    return 1


@task
def several() -> int:
    raise ExceptionGroup("two at once", [ValueError("one"), KeyError("two")])


@workflow
def unsteady() -> int:
    return flaky(text="no json")


@workflow
def together() -> int:
    return several()


@workflow
def again(x: int) -> int:
    return costly(x=x)


@workflow
def agreed(x: int = 1) -> int:
    return costly(x=approve(x, "release", timeout=None))
