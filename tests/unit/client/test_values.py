"""Python values for a registered interface, and back, without the code that they are for."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from whimbrel.client.values import Values, encode, encode_inputs
from whimbrel.errors import CallMismatch, InputInvalid, ValueMismatch
from whimbrel.model.interface import Interface, Parameter
from whimbrel.model.literals import BlobLiteral, BytesLiteral, IntLiteral
from whimbrel.stores.blobs import ObjectBlobs
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile
from whimbrel.types.registry import default_registry


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Point:
    x: int
    y: float = 0.0


MOMENT = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)

ROUND = [
    (int, 3),
    (int, 2**80),
    (float, 2.5),
    (str, "text"),
    (bool, True),
    (bytes, b"\x00\xff"),
    (dt.datetime, MOMENT),
    (dt.timedelta, dt.timedelta(days=1, seconds=2)),
    (dt.date, dt.date(2026, 1, 2)),
    (list[int], [1, 2]),
    (dict[str, list[float]], {"a": [1.5]}),
    (int | None, None),
    (int | None, 4),
    (list[dt.datetime], [MOMENT]),
]


@pytest.fixture
def store(tmp_path: Path) -> ObjectBlobs:
    return ObjectBlobs(tmp_path / "blobs")


def literal_type(kind: Any) -> Any:
    return default_registry().transformer(kind).literal_type


@pytest.mark.parametrize(("kind", "value"), ROUND)
def test_plain_values_come_back_as_they_went(kind: Any, value: Any, store: ObjectBlobs) -> None:
    literal = encode(value, literal_type(kind))
    assert literal == default_registry().transformer(kind).encode(value)
    assert Values({"v": literal}, store)["v"] == value


@pytest.mark.parametrize(
    ("kind", "value", "plain"),
    [
        (float, 3, 3.0),
        (Point, Point(1, 2.0), {"x": 1, "y": 2.0}),
        (Point, {"x": 1}, {"x": 1}),
        (Point, {"x": 1, "y": 3}, {"x": 1, "y": 3.0}),
        (Colour, Colour.RED, "red"),
        (Colour, "red", "red"),
        (tuple[int, str], (1, "a"), [1, "a"]),
    ],
)
def test_others_come_back_plain_and_as_their_types(kind: Any, value: Any, plain: Any, store: ObjectBlobs) -> None:
    values = Values({"v": encode(value, literal_type(kind))}, store)
    assert values["v"] == plain
    assert isinstance(values.get("v", as_type=kind), getattr(kind, "__origin__", kind))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *((int, "3"), (int, 2.5), (int, True), (str, 3), (list[int], ["a"]), (Point, {"y": 1.0}), (Point, {"z": 1})),
        *((Colour, "blue"), (dt.datetime, "yesterday"), (int | None, "x"), (int, object()), (FlyteFile, "/no/such")),
    ],
)
def test_what_does_not_fit_is_refused(kind: Any, value: Any) -> None:
    with pytest.raises(ValueMismatch):
        encode(value, literal_type(kind))


def test_files_go_into_the_store_and_are_read_when_they_are_touched(store: ObjectBlobs, tmp_path: Path) -> None:
    (tmp_path / "tree" / "inner").mkdir(parents=True)
    (tmp_path / "tree" / "inner" / "a.txt").write_text("a")
    file = tmp_path / "f.txt"
    file.write_text("hello")
    interface = Interface({name: Parameter(literal_type(kind)) for name, kind in KINDS.items()})
    given = {"f": str(file), "d": FlyteDirectory(str(tmp_path / "tree")), "fs": [file, FlyteFile(str(file))]}
    literals = encode_inputs(interface, given, store, what="wf")
    literal = literals["f"]
    assert isinstance(literal, BlobLiteral)
    assert literal.uri.startswith("blob:files/")
    file.unlink()
    values = Values(literals, store)
    assert not values["f"].downloaded
    assert Path(values["f"]).read_text() == "hello"
    assert (Path(values["d"]) / "inner" / "a.txt").read_text() == "a"
    assert [one.uri for one in values["fs"]] == [literal.uri, literal.uri]


KINDS: dict[str, Any] = {"f": FlyteFile, "d": FlyteDirectory, "fs": list[FlyteFile]}


def test_large_values_are_references_and_read_when_they_are_looked_at(store: ObjectBlobs) -> None:
    interface = Interface({"xs": Parameter(literal_type(list[int]))})
    literals = encode_inputs(interface, {"xs": list(range(10_000))}, store, what="wf")
    assert "xs" in Values(literals, store)
    assert type(literals["xs"]).__name__ == "RefLiteral"
    assert Values(literals, store)["xs"] == list(range(10_000))


def test_names_are_checked_first(store: ObjectBlobs) -> None:
    kind = literal_type(int)
    interface = Interface({"x": Parameter(kind), "y": Parameter(kind), "z": Parameter(kind, "", IntLiteral(1))})
    with pytest.raises(CallMismatch, match=r"wf lacks the inputs 'x' \(int\), 'y' \(int\)"):
        encode_inputs(interface, {}, store, what="wf")
    with pytest.raises(CallMismatch, match="wf has no input 'w'; it takes x, y, z"):
        encode_inputs(interface, {"w": 1}, store, what="wf")
    with pytest.raises(ValueMismatch, match="wf, input 'x': expected int"):
        encode_inputs(interface, {"x": "a", "y": 1}, store, what="wf")


def test_what_only_its_class_can_read_says_so(store: ObjectBlobs) -> None:
    with pytest.raises(InputInvalid, match="as_type=TheClass"):
        _ = Values({"v": BytesLiteral(b"", "pickle")}, store)["v"]
