"""What tells twelve calls of one task apart."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whimbrel.model.literals import (
    BigIntLiteral,
    BlobLiteral,
    BoolLiteral,
    DateLiteral,
    FloatLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    MapLiteral,
    NoneLiteral,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.wire.hints import WIDTH, hint


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ({}, ""),
        ({"x": IntLiteral(3), "lr": FloatLiteral(0.1)}, "x=3, lr=0.1"),
        ({"x": FloatLiteral(0.1 + 0.2)}, "x=0.3"),
        ({"x": FloatLiteral(float("nan"))}, "x=nan"),
        ({"flag": BoolLiteral(True), "s": StrLiteral("")}, 'flag=True, s=""'),
        ({"s": StrLiteral("a\n\tb\x00c")}, "s=a b\x00c"),
        ({"s": StrLiteral("x" * 1_000_000)}, f"s={'x' * 23}…"),
        ({"n": BigIntLiteral("9" * 5_000)}, f"n={'9' * 23}…"),
        ({"u": UnionLiteral(1, UnionLiteral(0, IntLiteral(4)))}, "u=4"),
        ({"day": DateLiteral(dt.date(2026, 3, 1))}, "day=2026-03-01"),
        (
            {
                "xs": ListLiteral((IntLiteral(1),)),
                "m": MapLiteral({}),
                "f": BlobLiteral("/x"),
                "n": NoneLiteral(),
                "k": IntLiteral(1),
            },
            "k=1",
        ),
    ],
)
def test_small_values_are_said(inputs: dict[str, Literal], said: str) -> None:
    assert hint(inputs) == said


def test_what_does_not_fit_is_left_out() -> None:
    assert hint({f"parameter{at}": IntLiteral(at) for at in range(10)}) == (
        "parameter0=0, parameter1=1, parameter2=2, parameter3=3, …"
    )


@given(st.dictionaries(st.text(min_size=1, max_size=80), st.text(max_size=80), max_size=8))
def test_it_is_never_long(values: dict[str, str]) -> None:
    assert len(hint({name: StrLiteral(text) for name, text in values.items()})) <= WIDTH
