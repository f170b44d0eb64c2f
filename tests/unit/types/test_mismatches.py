"""What an error says: what was expected, what came, and where in the value."""

import datetime as dt
import enum
import pickle
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import pytest

from whimbrel.errors import UserError, ValueMismatch
from whimbrel.model import literals as lit
from whimbrel.types.registry import default_registry


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Row:
    price: float
    tags: list[str] = field(default_factory=list)


@dataclass
class SpecialRow(Row):
    extra: int = 0


@dataclass
class Table:
    rows: list[Row]
    next: "Table | None" = None


class Point(NamedTuple):
    x: int
    y: int


class Options(TypedDict):
    size: int


class Rude:
    def __repr__(self) -> str:
        raise RuntimeError("no")


def refusal(kind: Any, value: Any) -> str:
    transformer = default_registry().transformer(kind)
    with pytest.raises(ValueMismatch) as checked:
        transformer.check(value)
    with pytest.raises(ValueMismatch) as encoded:
        transformer.encode(value)
    assert str(checked.value) == str(encoded.value)
    return str(checked.value)


WRONG = [
    (int, "abc", "expected int, got str 'abc' at $"),
    (int, True, "expected int, got bool True at $"),
    (int, None, "expected int, got None at $"),
    (float, True, "expected float, got bool True at $"),
    (float, 2**53 + 1, "expected float, got int 9007199254740993 (a float cannot hold it exactly) at $"),
    (str, "\ud800", r"expected str, got str '\ud800' (it has a lone surrogate, which UTF-8 cannot hold) at $"),
    (bytes, "x", "expected bytes, got str 'x' at $"),
    (None, 0, "expected None, got int 0 at $"),
    (dt.date, dt.datetime(2024, 1, 2), "expected date, got datetime datetime.datetime(2024, 1, 2, 0, 0) at $"),
    (list[int], [1, 2, "x"], "expected int, got str 'x' at $[2]"),
    (list[int], (1, 2), "expected list[int], got tuple (1, 2) at $"),
    (Sequence[int], "12", "expected Sequence[int], got str '12' at $"),
    (tuple[int, str], (1, 2), "expected str, got int 2 at $[1]"),
    (tuple[int, str], (1,), "expected tuple[int, str] of 2 items, got tuple (1,) at $"),
    (tuple[int, ...], (1, 2, None), "expected int, got None at $[2]"),
    (Point, Point(1, "x"), "expected int, got str 'x' at $.y"),  # type: ignore[arg-type]
    (Point, (1, 2), "expected Point, got tuple (1, 2) at $"),
    (set[int], {"a"}, "expected int, got str 'a' at $"),
    (dict[str, list[float]], {"a b": [1.0, "x"]}, "expected float, got str 'x' at $['a b'][1]"),
    (dict[str, int], {1: 1}, "expected keys of str, got int 1 at $"),
    (dict[int, str], {1: "a", 2: 3}, "expected str, got int 3 at $[2]"),
    (dict[int, str], {"a": "a"}, "expected keys of int, got str 'a' at $"),
    (dict[Colour, int], {Colour.RED: None}, "expected int, got None at $[<Colour.RED: 'red'>]"),
    (
        dict,
        {"a": [1, {"b": (1, 2)}]},
        "expected a JSON-like value, got tuple (1, 2) (write a list, or declare its type) at $.a[1].b",
    ),
    (dict, {"a": {3: 1}}, "expected keys that are str, got int 3 at $.a"),
    (dict, [1], "expected dict, got list [1] at $"),
    (list, [b"x"], "expected a JSON-like value, got bytes b'x' (declare its type) at $[0]"),
    (Table, Table([Row(1.0), Row("abc")]), "expected float, got str 'abc' at $.rows[1].price"),  # type: ignore[arg-type]
    (Table, Table([], Table([Row(1.0, [2])])), "expected str, got int 2 at $.next.rows[0].tags[0]"),  # type: ignore[list-item]
    (Row, {"price": 1.0}, "expected Row, got dict {'price': 1.0} at $"),
    (
        Row,
        SpecialRow(1.0),
        "expected Row, got SpecialRow SpecialRow(price=1.0, tags=[], extra=0) "
        "(a subclass, whose own part would be lost: declare it, or a union of both) at $",
    ),
    (Colour, "red", "expected Colour, got str 'red' at $"),
    (Literal["a", 1], "b", "expected Literal['a', 1], got str 'b' at $"),
    (Literal["a", 1], True, "expected Literal['a', 1], got bool True at $"),
    (Literal["a", 1], [], "expected Literal['a', 1], got list [] at $"),
    (int | None, "x", "expected int | None, got str 'x' at $"),
    (Row | int, Row("x"), "expected float, got str 'x' at $.price"),  # type: ignore[arg-type]
    (Options, {"size": "x"}, "expected int, got str 'x' at $.size"),
    (Options, {}, "expected Options with 'size', got dict {} at $"),
    (Options, {"size": 1, "new": 2}, "expected Options, got dict {'new': 2, 'size': 1} (it has no key 'new') at $"),
    (Annotated[int, "m"], "x", "expected int, got str 'x' at $"),
    (int, Rude(), "expected int, got Rude <Rude instance> at $"),
    (int, "x" * 500, f"expected int, got str {('x' * 500)!r:.28}...{'x' * 28}' at $"),
]


@pytest.mark.parametrize(("kind", "value", "message"), WRONG)
def test_a_wrong_value_is_named_with_its_place(kind: Any, value: Any, message: str) -> None:
    assert refusal(kind, value) == message


DECODED = [
    (int, lit.StrLiteral("a"), "expected int, got str 'a' at $"),
    (int, lit.UnionLiteral(0, lit.NoneLiteral()), "expected int, got None at $"),
    (list[int], lit.ListLiteral((lit.IntLiteral(1), lit.FloatLiteral(2.5))), "expected int, got float 2.5 at $[1]"),
    (dict[str, int], lit.MapLiteral({"a": lit.NoneLiteral()}), "expected int, got None at $.a"),
    (Row, lit.MapLiteral({"tags": lit.ListLiteral(())}), "expected Row with 'price', got a struct with tags at $"),
    (Row, lit.MapLiteral({"price": lit.StrLiteral("x")}), "expected float, got str 'x' at $.price"),
    (Point, lit.ListLiteral((lit.IntLiteral(1),)), "expected Point of 2 items, got a list of 1 at $"),
    (Colour, lit.StrLiteral("blue"), "expected Colour (one of 'red', 'green'), got str 'blue' at $"),
    (int | str, lit.FloatLiteral(1.5), "expected int | str, got float 1.5 at $"),
    (
        set[Any],
        lit.ListLiteral((lit.ListLiteral(()),)),
        "expected set[Any], got a list of 1 (its items are not hashable) at $",
    ),
    (bytes, lit.BytesLiteral(b"x", "pickle"), "expected bytes, got 1 bytes of pickle at $"),
    (str, lit.RefLiteral("blob://1", "d", 3, ()), "expected str, got an unread reference to blob://1 at $"),
    (str, lit.BlobLiteral("s3://b/k"), "expected str, got file s3://b/k at $"),
    (dt.datetime, lit.DateLiteral(dt.date(2024, 1, 2)), "expected datetime, got date datetime.date(2024, 1, 2) at $"),
    (int, lit.DurationLiteral(1, 2, 3), "expected int, got timedelta 1d 2.000003s at $"),
]


@pytest.mark.parametrize(("kind", "literal", "message"), DECODED)
def test_so_is_a_literal_that_does_not_fit(kind: Any, literal: lit.Literal, message: str) -> None:
    with pytest.raises(ValueMismatch) as refused:
        default_registry().transformer(kind).decode(literal)
    assert str(refused.value) == message


def test_the_error_carries_its_facts_and_can_be_pickled() -> None:
    with pytest.raises(ValueMismatch) as refused:
        default_registry().transformer(list[Row]).check([Row("x")])  # type: ignore[arg-type]
    error = refused.value
    assert isinstance(error, UserError)
    assert isinstance(error, TypeError)
    assert (error.expected, error.got, error.path) == ("float", "str 'x'", "$[0].price")
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == str(error)
    assert again.path == "$[0].price"


def test_a_value_that_contains_itself_is_refused_not_followed() -> None:
    table = Table([])
    table.next = table
    message = refusal_of_any_length(Table, table)
    assert "nested too deeply, or containing itself" in message
    assert len(message) < 600
    knot: list[Any] = []
    knot.append(knot)
    assert "nested too deeply, or containing itself" in refusal_of_any_length(list, knot)


def refusal_of_any_length(kind: Any, value: Any) -> str:
    with pytest.raises(ValueMismatch) as refused:
        default_registry().transformer(kind).encode(value)
    return str(refused.value)
