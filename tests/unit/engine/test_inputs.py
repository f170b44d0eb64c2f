"""Which literals pass for which declared types, and how it is said that they do not."""

import datetime as dt

import pytest

from whimbrel.engine.binding import mismatch
from whimbrel.model.literal_types import (
    BOOLEAN,
    BYTES,
    DATE,
    DATETIME,
    DURATION,
    FLOAT,
    INTEGER,
    NONE,
    STRING,
    BinaryType,
    BlobType,
    DatasetType,
    EnumType,
    ListType,
    LiteralType,
    MapType,
    StructType,
    TupleType,
    UnionType,
)
from whimbrel.model.literals import (
    BigIntLiteral,
    BlobLiteral,
    BoolLiteral,
    BytesLiteral,
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

ONE, TEXT = IntLiteral(1), StrLiteral("a")
POINT = StructType("m.Point", {"x": INTEGER, "y": INTEGER}, ("y",))


@pytest.mark.parametrize(
    ("literal", "declared"),
    [
        (NoneLiteral(), NONE),
        (ONE, INTEGER),
        (BigIntLiteral("1" * 30), INTEGER),
        (ONE, FLOAT),
        (FloatLiteral(1.0), FLOAT),
        (TEXT, STRING),
        (BoolLiteral(True), BOOLEAN),
        (DatetimeLiteral(dt.datetime(2024, 1, 1)), DATETIME),
        (DateLiteral(dt.date(2024, 1, 1)), DATE),
        (DurationLiteral(1, 0, 0), DURATION),
        (BytesLiteral(b""), BYTES),
        (BytesLiteral(b"", "pickle"), BinaryType("pickle")),
        (StrLiteral("red"), EnumType(("red", "blue"))),
        (NoneLiteral(), EnumType(("red", None))),
        (ListLiteral((ONE, ONE)), ListType(INTEGER)),
        (ListLiteral((ONE, TEXT)), TupleType((INTEGER, STRING))),
        (MapLiteral({"k": ONE}), MapType(INTEGER)),
        (MapLiteral({"k": ONE}), StructType()),
        (MapLiteral({"x": ONE}), POINT),
        (MapLiteral({"x": ONE, "z": TEXT}), POINT),
        (UnionLiteral(1, TEXT), UnionType((INTEGER, STRING))),
        (TEXT, UnionType((INTEGER, STRING))),
        (UnionLiteral(0, ONE), INTEGER),
        (BlobLiteral("f://"), BlobType()),
        (BlobLiteral("f://"), DatasetType()),
        (RefLiteral("b://", "d", 9), ListType(INTEGER)),
    ],
    ids=str,
)
def test_what_fits(literal: Literal, declared: LiteralType) -> None:
    assert mismatch(literal, declared) == ""


@pytest.mark.parametrize(
    ("literal", "declared", "words"),
    [
        (TEXT, INTEGER, "expected int, got str at $"),
        (FloatLiteral(1.0), INTEGER, "expected int, got float at $"),
        (BoolLiteral(True), INTEGER, "expected int, got bool at $"),
        (StrLiteral("green"), EnumType(("red", "blue"), "m.Color"), "expected Color, got str at $"),
        (NoneLiteral(), EnumType(("red",), "m.Color"), "expected Color, got None at $"),
        (ListLiteral((ONE, TEXT)), ListType(INTEGER), "expected int, got str at $[1]"),
        (ListLiteral((ONE,)), TupleType((INTEGER, STRING)), "expected tuple[int, str], got list at $"),
        (ListLiteral((ONE, ONE)), TupleType((INTEGER, STRING)), "expected str, got int at $[1]"),
        (MapLiteral({"a": MapLiteral({"b": TEXT})}), MapType(MapType(INTEGER)), "expected int, got str at $.a.b"),
        (MapLiteral({"y": ONE}), POINT, "Point has no field x at $"),
        (MapLiteral({"x": TEXT}), POINT, "expected int, got str at $.x"),
        (TEXT, POINT, "expected Point, got str at $"),
        (UnionLiteral(1, ONE), UnionType((INTEGER, STRING)), "expected str, got int at $"),
        (UnionLiteral(7, ONE), UnionType((INTEGER, STRING)), "int | str has no variant 7 at $"),
        (BoolLiteral(True), UnionType((FLOAT, STRING)), "expected float | str, got bool at $"),
        (BlobLiteral("f://", multipart=True), BlobType(), "expected file, got file or directory at $"),
    ],
    ids=str,
)
def test_what_does_not_fit(literal: Literal, declared: LiteralType, words: str) -> None:
    assert mismatch(literal, declared) == words
