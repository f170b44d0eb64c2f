"""Every kind of type, each with a strategy for its values. The laws run over them."""

import collections.abc
import datetime as dt
import decimal
import enum
import math
import typing
import uuid
from collections.abc import Callable
from dataclasses import InitVar, dataclass, field, fields, is_dataclass
from typing import (
    Annotated,
    Any,
    Generic,
    Literal,
    NamedTuple,
    NewType,
    NotRequired,
    Optional,
    TypedDict,
    TypeVar,
    Union,
)

from hypothesis import strategies as st
from pydantic import BaseModel, Field, RootModel

from whimbrel.types.datasets import StructuredDataset
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile
from whimbrel.types.pickle import Pickle

T = TypeVar("T")
B = TypeVar("B", bound=float)


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Name(enum.StrEnum):
    A = "a"
    B = "b"


class Shape(enum.Enum):
    """Not scalars: they travel by name."""

    DOT = (0, 0)
    LINE = (1, 0)


class Right(enum.Flag):
    READ = 1
    WRITE = 2


@dataclass
class Row:
    price: float
    tags: list[str] = field(default_factory=list)


@dataclass
class Table:
    rows: list[Row]
    colour: Colour = Colour.RED
    above: "Table | None" = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Box(Generic[T]):
    item: T


@dataclass(frozen=True)
class IntBox(Box[int]):
    count: int = 0


@dataclass
class Bounded(Generic[B]):
    low: B


@dataclass
class Scaled:
    """Its constructor wants more than its fields, and its fields are not what it was given."""

    base: int
    factor: InitVar[int]
    product: int = field(init=False, default=0)

    def __post_init__(self, factor: int) -> None:
        self.product = self.base * factor


@dataclass
class Doubling:
    """Making it from its own fields would double again."""

    amount: int

    def __post_init__(self) -> None:
        self.amount *= 2
        self.derived = self.amount


class Point(NamedTuple):
    x: int
    y: float = 0.5


class Pair(NamedTuple, Generic[T]):
    left: T
    right: T


class Chain(NamedTuple):
    head: int
    tail: "Chain | None" = None


class Options(TypedDict):
    size: int
    label: NotRequired[str]


class Item(BaseModel):
    name: str
    price: float = 1.0
    when: dt.datetime | None = None
    alias: int = Field(default=3, alias="aliasName")
    parts: "list[Item]" = []


class Numbers(RootModel[list[int]]):
    pass


class Opaque:
    """No kind knows it."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Opaque) and other.value == self.value

    def __hash__(self) -> int:
        return hash(self.value)


Celsius = NewType("Celsius", float)

integers = st.integers() | st.integers(min_value=-(2**80), max_value=2**80)
floats = st.floats()
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
json_values = st.recursive(
    st.none() | st.booleans() | integers | floats | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
offsets = st.timedeltas(min_value=-dt.timedelta(hours=23), max_value=dt.timedelta(hours=23)).map(dt.timezone)
# A day from each end of time: an offset leads past it.
moments = st.datetimes(
    min_value=dt.datetime(1, 1, 2), max_value=dt.datetime(9999, 12, 30), timezones=st.none() | st.just(dt.UTC) | offsets
)
rows = st.builds(Row, floats, st.lists(texts, max_size=2))
tables = st.recursive(
    st.builds(Table, st.lists(rows, max_size=2), st.sampled_from(Colour)),
    lambda inner: st.builds(Table, st.lists(rows, max_size=1), st.sampled_from(Colour), st.none() | inner),
    max_leaves=3,
)
items = st.recursive(
    st.builds(Item, name=texts, price=floats, when=st.none() | moments, aliasName=integers),
    lambda inner: st.builds(Item, name=texts, parts=st.lists(inner, max_size=2)),
    max_leaves=3,
)

SCALARS: dict[Any, st.SearchStrategy[Any]] = {
    int: integers,
    float: floats,
    bool: st.booleans(),
    str: texts,
    bytes: st.binary(max_size=8),
    None: st.none(),
    dt.datetime: moments,
    dt.date: st.dates(),
    dt.timedelta: st.timedeltas(),
    dt.time: st.times() | st.times(timezones=offsets),
    decimal.Decimal: st.decimals(allow_nan=False),
    uuid.UUID: st.uuids(),
    Colour: st.sampled_from(Colour),
    Level: st.sampled_from(Level),
    Name: st.sampled_from(Name),
    Shape: st.sampled_from(Shape),
    Right: st.sampled_from([Right(bits) for bits in range(4)]),
    Literal["a", 1, True, None]: st.sampled_from(["a", 1, True, None]),
    Literal[Colour.RED, "red"]: st.sampled_from([Colour.RED, "red"]),
}

# In a store: a local one would have to be there.
uris = st.integers(0, 9).map(lambda number: f"s3://bucket/{number}")

STRUCTURES: dict[Any, st.SearchStrategy[Any]] = {
    dict: st.dictionaries(texts, json_values, max_size=3),
    dict[str, Any]: st.dictionaries(texts, json_values, max_size=3),
    list: st.lists(json_values, max_size=3),
    tuple: st.lists(json_values, max_size=3).map(tuple),
    list[int]: st.lists(integers, max_size=4),
    typing.List[str]: st.lists(texts, max_size=4),  # noqa: UP006  authors write it
    list[list[float]]: st.lists(st.lists(floats, max_size=3), max_size=3),
    set[int]: st.sets(integers, max_size=4),
    frozenset[str]: st.frozensets(texts, max_size=4),
    tuple[int, str]: st.tuples(integers, texts),
    tuple[int, ...]: st.lists(integers, max_size=4).map(tuple),
    tuple[()]: st.just(()),
    collections.abc.Sequence[int]: st.lists(integers, max_size=4),
    collections.abc.Mapping[str, int]: st.dictionaries(texts, integers, max_size=3),
    dict[str, int]: st.dictionaries(texts, integers, max_size=3),
    dict[str, list[Row]]: st.dictionaries(texts, st.lists(rows, max_size=2), max_size=2),
    dict[int, str]: st.dictionaries(integers, texts, max_size=3),
    dict[Colour, int]: st.dictionaries(st.sampled_from(Colour), integers, max_size=2),
    dict[uuid.UUID, int]: st.dictionaries(st.uuids(), integers, max_size=2),
    dict[tuple[int, str], float]: st.dictionaries(st.tuples(integers, texts), floats, max_size=2),
    Optional[int]: st.none() | integers,  # noqa: UP045  authors write it
    int | str | None: st.none() | integers | texts,
    Union[str, bytes]: texts | st.binary(max_size=4),  # noqa: UP007  authors write it
    float | int: floats | integers,
    int | float | bool: integers | floats | st.booleans(),
    Colour | str: st.sampled_from(Colour) | texts,
    list[int] | list[str]: st.lists(integers, min_size=1, max_size=3) | st.lists(texts, min_size=1, max_size=3),
    Row | Point | None: st.none() | rows | st.builds(Point, integers, floats),
    Row: rows,
    Table: tables,
    Box[int]: st.builds(Box, item=integers),
    Box[Box[str]]: st.builds(Box, item=st.builds(Box, item=texts)),
    IntBox: st.builds(IntBox, item=integers, count=integers),
    Bounded: st.builds(Bounded, floats),
    Scaled: st.builds(Scaled, integers, integers),
    Doubling: st.builds(Doubling, integers),
    Point: st.builds(Point, integers, floats),
    Chain: st.builds(Chain, integers, st.none() | st.builds(Chain, integers)),
    Pair[str]: st.builds(Pair, texts, texts),
    Options: st.fixed_dictionaries({"size": integers}, optional={"label": texts}),
    Item: items,
    Numbers: st.builds(Numbers, st.lists(integers, max_size=3)),
    FlyteFile: st.builds(FlyteFile, uris),
    FlyteFile["csv"]: st.builds(FlyteFile["csv"], uris),
    list[FlyteFile | None]: st.lists(st.none() | st.builds(FlyteFile, uris), max_size=3),
    FlyteDirectory: st.builds(FlyteDirectory, uris),
    StructuredDataset: st.builds(StructuredDataset, uri=uris),
    list[StructuredDataset | None]: st.lists(st.none() | st.builds(StructuredDataset, uri=uris), max_size=3),
    Celsius: floats,
    Annotated[int, "metadata"]: integers,
    Annotated[Opaque, Pickle]: st.builds(Opaque, integers),
    Annotated[object, Pickle]: st.tuples(integers, texts) | texts,
}

KINDS = SCALARS | STRUCTURES


def same(left: Any, right: Any) -> bool:
    """Equal, of the same class all the way down; NaN is NaN, minus zero is minus zero, and offsets are kept."""
    if type(left) is not type(right):
        return False
    if isinstance(left, float):
        return (math.isnan(left) and math.isnan(right)) or (
            left == right and math.copysign(1, left) == math.copysign(1, right)
        )
    if isinstance(left, BaseModel):
        return same(left.__dict__, right.__dict__)
    if is_dataclass(left):
        return all(same(getattr(left, each.name), getattr(right, each.name)) for each in fields(left))
    if isinstance(left, dict):
        return list(left) == list(right) and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list | tuple):
        return len(left) == len(right) and all(map(same, left, right))
    if isinstance(left, dt.datetime | dt.time):
        return bool(left == right) and left.utcoffset() == right.utcoffset()
    if isinstance(left, decimal.Decimal):
        return left.as_tuple() == right.as_tuple()
    return bool(left == right)


def composites() -> st.SearchStrategy[tuple[Any, st.SearchStrategy[Any]]]:
    """Types put together at random, each with a strategy for its values."""
    leaves = st.sampled_from([(kind, values) for kind, values in SCALARS.items() if kind is not None])
    hashable = st.sampled_from([(kind, SCALARS[kind]) for kind in (int, str, dt.date, Colour)])
    Typed = tuple[Any, st.SearchStrategy[Any]]

    def lists(inner: Typed) -> Typed:
        return list[inner[0]], st.lists(inner[1], max_size=2)  # type: ignore[valid-type]

    def dicts(key: Typed, value: Typed) -> Typed:
        return dict[key[0], value[0]], st.dictionaries(key[1], value[1], max_size=2)  # type: ignore[valid-type]

    def tuples(inner: list[Typed]) -> Typed:
        kinds = tuple(kind for kind, _ in inner)
        return tuple[kinds], st.tuples(*(values for _, values in inner))

    def optionals(inner: Typed) -> Typed:
        return Optional[inner[0]], st.none() | inner[1]  # noqa: UP045  built from a value

    def boxes(inner: Typed) -> Typed:
        return Box[inner[0]], st.builds(Box, item=inner[1])  # type: ignore[valid-type]

    def grow(inner: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
        one: list[Callable[[Typed], Typed]] = [lists, optionals, boxes]
        return (
            st.builds(lambda make, kind: make(kind), st.sampled_from(one), inner)
            | st.builds(dicts, hashable, inner)
            | st.builds(tuples, st.lists(inner, min_size=1, max_size=3))
        )

    return st.recursive(leaves, grow, max_leaves=4)
