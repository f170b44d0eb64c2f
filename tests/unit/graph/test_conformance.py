"""Literals and the types that they are of."""

import datetime as dt

import pytest

from whimbrel.graph.conformance import kind_of, misfit
from whimbrel.model.literal_types import (
    ANY,
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

ONE = IntLiteral(1)
A = StrLiteral("a")
POINT = StructType("Point", {"x": INTEGER, "y": FLOAT}, ("y",))


@pytest.mark.parametrize(
    ("literal", "kind"),
    [
        (NoneLiteral(), NONE),
        (ONE, INTEGER),
        (BigIntLiteral("9" * 30), INTEGER),
        (FloatLiteral(1.5), FLOAT),
        (ONE, FLOAT),
        (A, STRING),
        (BoolLiteral(True), BOOLEAN),
        (DatetimeLiteral(dt.datetime(2024, 1, 1)), DATETIME),
        (DateLiteral(dt.date(2024, 1, 1)), DATE),
        (DurationLiteral(1, 2, 3), DURATION),
        (BytesLiteral(b"a"), BYTES),
        (BytesLiteral(b"a", "pickle"), BinaryType("pickle")),
        (A, EnumType(("a", "b"))),
        (NoneLiteral(), EnumType((None, 1))),
        (ListLiteral((ONE, ONE)), ListType(INTEGER)),
        (ListLiteral((ONE, A)), TupleType((INTEGER, STRING))),
        (MapLiteral({"k": ONE}), MapType(INTEGER)),
        (MapLiteral({"x": ONE}), POINT),
        (MapLiteral({"anything": A}), StructType()),
        (MapLiteral({"x": ONE, "more": A}), POINT),
        (UnionLiteral(0, ONE), INTEGER),
        (ListLiteral((A,)), ANY),
        (A, UnionType((INTEGER, STRING))),
        (UnionLiteral(1, A), UnionType((INTEGER, STRING))),
        (BlobLiteral("s3://x"), BlobType()),
        (BlobLiteral("s3://x", multipart=True), BlobType(multipart=True)),
        (DatasetLiteral("s3://x"), DatasetType()),
        (RefLiteral("blob://x", "d", 3, ()), INTEGER),
    ],
)
def test_what_fits(literal: Literal, kind: LiteralType) -> None:
    assert misfit(literal, kind) == ""


@pytest.mark.parametrize(
    ("literal", "kind", "message"),
    [
        (A, INTEGER, "expected int, got str at $"),
        (BoolLiteral(True), INTEGER, "expected int, got bool at $"),
        (FloatLiteral(1.0), INTEGER, "expected int, got float at $"),
        (NoneLiteral(), STRING, "expected str, got None at $"),
        (StrLiteral("c"), EnumType(("a", "b")), "expected one of 'a', 'b', got 'c' at $"),
        (BoolLiteral(True), EnumType((1, 2)), "expected one of 1, 2, got True at $"),
        (ListLiteral((ONE, A)), ListType(INTEGER), "expected int, got str at $[1]"),
        (ListLiteral((ONE,)), TupleType((INTEGER, STRING)), "expected tuple[int, str], got 1 items at $"),
        (MapLiteral({"k": ListLiteral((A,))}), MapType(ListType(INTEGER)), "expected int, got str at $.k[0]"),
        (ListLiteral((ONE, ONE)), TupleType((INTEGER, STRING)), "expected str, got int at $[1]"),
        (MapLiteral({"a": MapLiteral({"b": A})}), MapType(MapType(INTEGER)), "expected int, got str at $.a.b"),
        (BoolLiteral(True), UnionType((FLOAT, STRING)), "expected float | str, got bool at $"),
        (UnionLiteral(7, ONE), UnionType((INTEGER, STRING)), "int | str has no variant 7 at $"),
        (MapLiteral({"y": FloatLiteral(1.0)}), POINT, "Point lacks 'x' at $"),
        (MapLiteral({"x": A}), POINT, "expected int, got str at $.x"),
        (ONE, POINT, "expected Point, got int at $"),
        (A, UnionType((INTEGER, NONE)), "expected int | None, got str at $"),
        (UnionLiteral(0, A), UnionType((INTEGER, STRING)), "expected int, got str at $"),
        (BlobLiteral("s3://x"), BlobType(multipart=True), "expected directory, got a file at $"),
        (ONE, BinaryType("pickle"), "expected pickle, got int at $"),
        (ONE, DatasetType(), "expected dataset, got int at $"),
        (BlobLiteral("s3://x"), DatasetType(), "expected dataset, got a file at $"),
    ],
)
def test_what_does_not_fit(literal: Literal, kind: LiteralType, message: str) -> None:
    assert misfit(literal, kind) == message


def test_kinds_of_scalars() -> None:
    assert kind_of(ONE) == INTEGER
    assert kind_of(UnionLiteral(0, A)) == STRING
    assert kind_of(ListLiteral(())) is None
