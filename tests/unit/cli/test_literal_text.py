"""Values as people write them: text and JSON to literals, and back."""

from __future__ import annotations

import datetime as dt
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whimbrel.errors import ValueMismatch
from whimbrel.model import literal_types as kinds
from whimbrel.model import literals as lit
from whimbrel.runtime.literal_text import example, from_json, from_text
from whimbrel.wire.literal_json import brief, plain, to_json
from whimbrel.wire.spans import iso_span, parse_span, show_seconds

POINT = kinds.StructType("m.Point", {"x": kinds.FLOAT, "y": kinds.FLOAT, "label": kinds.STRING}, ("label",))
COLOUR = kinds.EnumType(("red", "green"), "m.Colour")


@pytest.mark.parametrize(
    ("text", "kind", "literal"),
    [
        ("3", kinds.INTEGER, lit.IntLiteral(3)),
        ("-3", kinds.INTEGER, lit.IntLiteral(-3)),
        ("0x10", kinds.INTEGER, lit.IntLiteral(16)),
        (str(2**70), kinds.INTEGER, lit.BigIntLiteral(str(2**70))),
        ("3", kinds.FLOAT, lit.FloatLiteral(3.0)),
        ("inf", kinds.FLOAT, lit.FloatLiteral(math.inf)),
        ("yes", kinds.BOOLEAN, lit.BoolLiteral(True)),
        ("False", kinds.BOOLEAN, lit.BoolLiteral(False)),
        (" a b ", kinds.STRING, lit.StrLiteral(" a b ")),
        ("@home", kinds.STRING, lit.StrLiteral("@home")),
        ("aGVsbG8=", kinds.BYTES, lit.BytesLiteral(b"hello")),
        ("2024-05-17", kinds.DATE, lit.DateLiteral(dt.date(2024, 5, 17))),
        ("2024-05-17T12:00", kinds.DATETIME, lit.DatetimeLiteral(dt.datetime(2024, 5, 17, 12))),
        (
            "2024-05-17T12:00:00+02:00",
            kinds.DATETIME,
            lit.DatetimeLiteral(dt.datetime(2024, 5, 17, 10, tzinfo=dt.UTC), "+02:00"),
        ),
        ("2024-05-17T12:00Z", kinds.DATETIME, lit.DatetimeLiteral(dt.datetime(2024, 5, 17, 12, tzinfo=dt.UTC))),
        ("90s", kinds.DURATION, lit.DurationLiteral(0, 90, 0)),
        ("1h30m", kinds.DURATION, lit.DurationLiteral(0, 5400, 0)),
        ("PT1H30M", kinds.DURATION, lit.DurationLiteral(0, 5400, 0)),
        ("red", COLOUR, lit.StrLiteral("red")),
        ("2", kinds.EnumType((1, 2)), lit.IntLiteral(2)),
        ("true", kinds.EnumType((True, None)), lit.BoolLiteral(True)),
        ("[1, 2]", kinds.ListType(kinds.INTEGER), lit.ListLiteral((lit.IntLiteral(1), lit.IntLiteral(2)))),
        ('{"a": 1}', kinds.MapType(kinds.FLOAT), lit.MapLiteral({"a": lit.FloatLiteral(1.0)})),
        (
            '{"x": 1, "y": 2.5}',
            POINT,
            lit.MapLiteral({"x": lit.FloatLiteral(1.0), "y": lit.FloatLiteral(2.5)}),
        ),
        ("none", kinds.UnionType((kinds.INTEGER, kinds.NONE)), lit.UnionLiteral(1, lit.NoneLiteral())),
        ("7", kinds.UnionType((kinds.STRING, kinds.INTEGER)), lit.UnionLiteral(1, lit.IntLiteral(7))),
        ('"7"', kinds.UnionType((kinds.STRING, kinds.INTEGER)), lit.UnionLiteral(0, lit.StrLiteral("7"))),
        ("seven", kinds.UnionType((kinds.STRING, kinds.INTEGER)), lit.UnionLiteral(0, lit.StrLiteral("seven"))),
        (
            '[1, "a", null]',
            kinds.ListType(kinds.ANY),
            lit.ListLiteral((lit.IntLiteral(1), lit.StrLiteral("a"), lit.NoneLiteral())),
        ),
        (
            '[1, "a"]',
            kinds.TupleType((kinds.INTEGER, kinds.STRING)),
            lit.ListLiteral((lit.IntLiteral(1), lit.StrLiteral("a"))),
        ),
        (
            '{"a": 1, "b": "x"}',
            kinds.TupleType((kinds.INTEGER, kinds.STRING), ("a", "b")),
            lit.ListLiteral((lit.IntLiteral(1), lit.StrLiteral("x"))),
        ),
    ],
)
def test_text_is_read(text: str, kind: kinds.LiteralType, literal: lit.Literal) -> None:
    assert from_text(text, kind) == literal


@pytest.mark.parametrize(
    ("text", "kind", "expected", "path"),
    [
        ("three", kinds.INTEGER, "int", "$"),
        ("1.5", kinds.INTEGER, "int", "$"),
        ("maybe", kinds.BOOLEAN, "bool", "$"),
        ("soon", kinds.DATETIME, "datetime", "$"),
        ("1 fortnight", kinds.DURATION, "timedelta", "$"),
        ("blue", COLOUR, "one of red, green", "$"),
        ("[1, 2", kinds.ListType(kinds.INTEGER), "list[int] as JSON", "$"),
        ('[1, "2"]', kinds.ListType(kinds.INTEGER), "int", "$[1]"),
        ('{"rows": [{"x": 1, "y": true}]}', kinds.MapType(kinds.ListType(POINT)), "float", "$.rows[0].y"),
        ('{"x": 1}', POINT, "float", "$.y"),
        ('{"x": 1, "y": 2, "z": 3}', POINT, "a field of Point (x, y, label)", "$.z"),
        ("[1]", kinds.TupleType((kinds.INTEGER, kinds.INTEGER)), "tuple[int, int], 2 items", "$"),
        ("@no/such/file", kinds.ListType(kinds.INTEGER), "list[int]", "$"),
        ("not base64!", kinds.BYTES, "bytes in base64, or @file", "$"),
        ("x", kinds.BinaryType("pickle", "m.Model"), "Model", "$"),
        ("x", kinds.UnionType((kinds.INTEGER, kinds.NONE)), "int", "$"),
        ("x", kinds.UnionType((kinds.INTEGER, kinds.FLOAT)), "int | float", "$"),
    ],
)
def test_what_does_not_fit_says_where(text: str, kind: kinds.LiteralType, expected: str, path: str) -> None:
    with pytest.raises(ValueMismatch) as caught:
        from_text(text, kind)
    assert caught.value.expected == expected
    assert caught.value.path == path


def test_a_file_stands_for_its_contents(tmp_path: Path) -> None:
    file = tmp_path / "xs.json"
    file.write_text("[1, 2]")
    assert to_json(from_text(f"@{file}", kinds.ListType(kinds.INTEGER))) == [1, 2]
    assert from_text(f"@{file}", kinds.BYTES) == lit.BytesLiteral(b"[1, 2]")


def test_a_float_takes_no_turn_before_an_int() -> None:
    union = kinds.UnionType((kinds.FLOAT, kinds.INTEGER))
    assert from_json(3, union) == lit.UnionLiteral(1, lit.IntLiteral(3))


def scalars() -> st.SearchStrategy[tuple[kinds.LiteralType, lit.Literal]]:
    return st.one_of(
        st.integers().map(
            lambda n: (kinds.INTEGER, lit.IntLiteral(n) if -(2**63) <= n < 2**63 else lit.BigIntLiteral(str(n)))
        ),
        st.floats(allow_nan=False).map(lambda x: (kinds.FLOAT, lit.FloatLiteral(x))),
        st.text().map(lambda s: (kinds.STRING, lit.StrLiteral(s))),
        st.booleans().map(lambda b: (kinds.BOOLEAN, lit.BoolLiteral(b))),
        st.binary().map(lambda b: (kinds.BYTES, lit.BytesLiteral(b))),
        st.dates().map(lambda d: (kinds.DATE, lit.DateLiteral(d))),
        st.datetimes().map(lambda d: (kinds.DATETIME, lit.DatetimeLiteral(d))),
        st.timedeltas(min_value=dt.timedelta(days=-(10**6)), max_value=dt.timedelta(days=10**6)).map(
            lambda d: (kinds.DURATION, lit.DurationLiteral(d.days, d.seconds, d.microseconds))
        ),
        st.just((kinds.NONE, lit.NoneLiteral())),
    )


@given(scalars())
def test_what_is_printed_reads_back(pair: tuple[kinds.LiteralType, lit.Literal]) -> None:
    kind, literal = pair
    assert from_json(to_json(literal), kind) == literal
    inside = from_json([to_json(literal)], kinds.ListType(kind))
    assert inside == lit.ListLiteral((literal,))


@given(st.timedeltas(min_value=dt.timedelta(days=-(10**6)), max_value=dt.timedelta(days=10**6)))
def test_spans_read_back_exactly(span: dt.timedelta) -> None:
    assert parse_span(iso_span(span.days, span.seconds, span.microseconds)) == span


@pytest.mark.parametrize("text", ["", "s", "5 parsecs", "1h 30", "P", "PT", "::", "1:5"])
def test_no_span(text: str) -> None:
    with pytest.raises(ValueError):
        parse_span(text)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0 ms"),
        (0.0124, "12 ms"),
        (1.239, "1.24 s"),
        (59.9, "59.9 s"),
        (125, "2m 05s"),
        (11220, "3h 07m"),
        (360000, "4d 04h"),
    ],
)
def test_durations_are_short(seconds: float, shown: str) -> None:
    assert show_seconds(seconds) == shown


@pytest.mark.parametrize(
    ("literals", "shown"),
    [
        ({}, ""),
        ({"o0": lit.FloatLiteral(81.0)}, "81.0"),
        ({"o0": lit.BoolLiteral(True)}, "True"),
        ({"o0": lit.StrLiteral("as it is")}, "as it is"),
        ({"o0": lit.ListLiteral((lit.IntLiteral(1), lit.FloatLiteral(math.nan)))}, '[1, "NaN"]'),
        ({"o0": lit.DurationLiteral(0, 90, 0)}, "PT90S"),
        ({"o0": lit.BigIntLiteral("9" * 30)}, "9" * 30),
        ({"total": lit.IntLiteral(1)}, '{"total": 1}'),
        ({"o0": lit.IntLiteral(1), "o1": lit.StrLiteral("é")}, '{"o0": 1, "o1": "é"}'),
        ({"o0": lit.UnionLiteral(0, lit.NoneLiteral())}, "None"),
        ({"o0": lit.BlobLiteral("file:///a/b.csv")}, "file:///a/b.csv"),
        (
            {"o0": lit.RefLiteral("blob:x", "d", 20_000, ("rows", 3))},
            '{"ref": "blob:x", "bytes": 20000, "path": "$.rows[3]"}',
        ),
    ],
)
def test_outputs_for_a_shell(literals: lit.Literals, shown: str) -> None:
    assert plain(literals) == shown


def test_a_zone_is_shown() -> None:
    moment = lit.DatetimeLiteral(dt.datetime(2024, 5, 17, 10, tzinfo=dt.UTC), "Europe/Oslo")
    assert to_json(moment) == "2024-05-17T12:00:00+02:00"


def test_integers_beyond_what_json_writers_take_are_strings() -> None:
    assert to_json(lit.BigIntLiteral("-" + "7" * 4000)) == -(7 * (10**4000 - 1) // 9)
    assert plain({"o0": lit.ListLiteral((lit.BigIntLiteral("7" * 9001),))}) == f'["{"7" * 9001}"]'


def test_brief_is_brief() -> None:
    assert len(brief({"x": lit.StrLiteral("y" * 500)}, 40)) == 40


@pytest.mark.parametrize(
    "kind",
    [
        POINT,
        COLOUR,
        kinds.DURATION,
        kinds.ListType(POINT),
        kinds.MapType(kinds.DATE),
        kinds.UnionType((kinds.NONE, POINT)),
    ],
)
def test_an_example_is_an_example(kind: kinds.LiteralType) -> None:
    written = example(kind).removesuffix(" or @file.json").strip("'")
    assert from_text(written, kind)
