"""Values as pages show them: what they are, and never more than was asked for."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whimbrel.model import codec
from whimbrel.model.literal_types import (
    INTEGER,
    STRING,
    EnumType,
    LiteralType,
    StructType,
    TupleType,
    UnionType,
)
from whimbrel.model.literals import (
    BigIntLiteral,
    BlobLiteral,
    BoolLiteral,
    BytesLiteral,
    DatasetLiteral,
    DateLiteral,
    DatetimeLiteral,
    DurationLiteral,
    FloatLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    MapLiteral,
    NoneLiteral,
    RefLiteral,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.runtime.values import write_literal
from whimbrel.server.showing import ITEMS, TEXT, Showing
from whimbrel.server.showing import Path as Way
from whimbrel.stores.blobs import ObjectBlobs


def link(path: Way) -> str:
    return "/".join(map(str, path))


def shown(literal: Literal, kind: LiteralType | None = None, home: Path = Path("nowhere"), **said: int) -> Any:
    return Showing(ObjectBlobs(home), **said).value(literal, kind, link)


@pytest.mark.parametrize(
    ("literal", "kind", "said"),
    [
        (NoneLiteral(), None, None),
        (BoolLiteral(True), None, True),
        (IntLiteral(-5), None, -5),
        (IntLiteral(2**53), None, {"kind": "integer", "text": "9007199254740992"}),
        (BigIntLiteral("9" * 30), None, {"kind": "integer", "text": "9" * 30, "length": 30}),
        (FloatLiteral(0.1), None, 0.1),
        (FloatLiteral(2.0), None, {"kind": "float", "text": "2.0"}),
        (FloatLiteral(math.nan), None, {"kind": "float", "text": "NaN"}),
        (StrLiteral("a\nb"), None, "a\nb"),
        (StrLiteral("red"), EnumType(("red",), "m.Colour"), {"kind": "enum", "text": "red"}),
        (IntLiteral(2), EnumType((1, 2)), {"kind": "enum", "text": "2"}),
        (DateLiteral(dt.date(2026, 2, 1)), None, {"kind": "date", "text": "2026-02-01"}),
        (
            DatetimeLiteral(dt.datetime(2026, 2, 1, 12, tzinfo=dt.UTC), "+02:00"),
            None,
            {"kind": "datetime", "text": "2026-02-01T14:00:00+02:00", "zone": "+02:00"},
        ),
        (DurationLiteral(1, 3, 500000), None, {"kind": "duration", "text": "P1DT3.5S", "seconds": 86403.5}),
        (BytesLiteral(b"ab"), None, {"kind": "bytes", "base64": "YWI=", "bytes": 2, "encoding": ""}),
        (UnionLiteral(1, IntLiteral(3)), UnionType((STRING, INTEGER)), 3),
        (
            ListLiteral((IntLiteral(1), StrLiteral("x"))),
            TupleType((INTEGER, STRING), ("a", "b")),
            {"kind": "list", "length": 2, "items": [1, "x"], "names": ["a", "b"]},
        ),
        (
            MapLiteral({"x": FloatLiteral(1.5)}),
            StructType("shop.Point", {"x": INTEGER}),
            {"kind": "struct", "type": "Point", "length": 1, "fields": [["x", 1.5]]},
        ),
        (MapLiteral({"<b>": NoneLiteral()}), None, {"kind": "map", "length": 1, "fields": [["<b>", None]]}),
        (
            ListLiteral((BlobLiteral("blob:files/d/a%20b.txt", size=3),)),
            None,
            {
                "kind": "list",
                "length": 1,
                "items": [
                    {
                        "kind": "file",
                        "name": "a%20b.txt",
                        "uri": "blob:files/d/a%20b.txt",
                        "format": "",
                        "bytes": 3,
                        "link": "0",
                    }
                ],
            },
        ),
        (
            DatasetLiteral("blob:files/d/data.parquet", "parquet"),
            None,
            {
                "kind": "dataset",
                "name": "data.parquet",
                "uri": "blob:files/d/data.parquet",
                "format": "parquet",
                "bytes": -1,
                "link": "",
            },
        ),
    ],
)
def test_each_is_what_it_is(literal: Literal, kind: LiteralType | None, said: Any) -> None:
    assert shown(literal, kind) == said


def test_what_follows_something_that_was_cut_is_shown(tmp_path: Path) -> None:
    long = StrLiteral("é" * (TEXT + 1))
    many = ListLiteral(tuple(IntLiteral(at) for at in range(ITEMS + 50)))
    fields = MapLiteral({str(at): NoneLiteral() for at in range(ITEMS + 1)})
    found = shown(ListLiteral((long, many, fields, StrLiteral("last"))))
    text, numbers, names, last = found["items"]
    assert (text["kind"], len(text["text"]), text["bytes"]) == ("string", TEXT, 2 * (TEXT + 1))
    assert (len(numbers["items"]), numbers["length"]) == (ITEMS, ITEMS + 50)
    assert (len(names["fields"]), names["length"]) == (ITEMS, ITEMS + 1)
    assert last == "last"


class Counted(ObjectBlobs):
    """Counts the bytes that are read."""

    read = 0

    def read_range(self, uri: str, start: int, length: int) -> bytes:
        data = super().read_range(uri, start, length)
        self.read += len(data)
        return data

    def get(self, uri: str) -> bytes:
        raise AssertionError("all of it is read")


@pytest.mark.parametrize(
    "literal",
    [
        StrLiteral("x" * 5_000_000),
        ListLiteral(tuple(map(IntLiteral, range(200_000)))),
        MapLiteral({"deep": MapLiteral({"text": StrLiteral("y" * 3_000_000)}), "after": IntLiteral(1)}),
        ListLiteral((BytesLiteral(b"z" * 3_000_000),)),
    ],
)
def test_of_what_is_large_the_front_is_read(tmp_path: Path, literal: Literal) -> None:
    blobs = Counted(tmp_path)
    reference = write_literal(literal, blobs)
    assert isinstance(reference, RefLiteral)
    whole = Showing(blobs, budget=50_000).value(reference, None, link)
    assert blobs.read <= 50_000
    assert len(str(whole)) < 100_000
    match whole["kind"]:
        case "string":
            assert (len(whole["text"]), whole["bytes"]) == (TEXT, 5_000_000)
        case "map":
            assert whole["length"] == 2
            assert whole["fields"][0][1]["fields"][0][1]["bytes"] == 3_000_000
        case "list":
            assert whole["length"] in (1, 200_000)


def test_many_large_ones_share_what_may_be_read(tmp_path: Path) -> None:
    blobs = Counted(tmp_path)
    each = write_literal(StrLiteral("x" * 100_000), blobs)
    found = Showing(blobs, budget=20_000).value(ListLiteral((each,) * 150), None, link)
    assert blobs.read < 20_000 + 150 * 512
    assert found["items"][0]["kind"] == "string"
    assert found["items"][-1] == {
        "kind": "more",
        "bytes": each.size if isinstance(each, RefLiteral) else 0,
        "length": -1,
    }


def test_what_is_gone_is_said(tmp_path: Path) -> None:
    gone = RefLiteral("blob:literals/none", "d", 5, ())
    assert shown(gone, home=tmp_path)["kind"] == "lost"
    assert shown(ListLiteral((gone, IntLiteral(1))), home=tmp_path)["items"][1] == 1


def test_depth_has_an_end() -> None:
    deep: Literal = IntLiteral(1)
    for _ in range(200):
        deep = ListLiteral((deep,))
    text = str(shown(deep))
    assert "more" in text


literals = st.recursive(
    st.one_of(
        st.just(NoneLiteral()),
        st.booleans().map(BoolLiteral),
        st.integers(-(2**63), 2**64 - 1).map(IntLiteral),
        st.floats().map(FloatLiteral),
        st.text(max_size=300).map(StrLiteral),
        st.binary(max_size=300).map(BytesLiteral),
        st.dates().map(DateLiteral),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=20).map(lambda items: ListLiteral(tuple(items))),
        st.dictionaries(st.text(max_size=20), inner, max_size=20).map(MapLiteral),
        inner.map(lambda value: UnionLiteral(0, value)),
    ),
    max_leaves=30,
)


@given(literals, st.integers(1, 600))
def test_wherever_it_is_cut_something_is_shown(literal: Literal, budget: int) -> None:
    whole = shown(literal)
    part = shown(literal, budget=budget)
    assert isinstance(part, dict) or part == whole or part != part
    if len(codec.encode(literal)) <= 512:
        assert repr(part) == repr(whole)
