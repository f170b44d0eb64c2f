"""What is particular to one kind of type, beyond the laws."""

import dataclasses
import datetime as dt
import decimal
import enum
import io
import json
import struct
import subprocess
import sys
import zoneinfo
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, InitVar, dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Generic, Literal, NamedTuple, NotRequired, Required, TypedDict, TypeVar

import pydantic
import pytest

from whimbrel.errors import UnsupportedType, ValueMismatch
from whimbrel.model import codec
from whimbrel.model import literals as lit
from whimbrel.model.literal_types import (
    ANY,
    FLOAT,
    INTEGER,
    STRING,
    EnumType,
    ListType,
    MapType,
    StructType,
    TupleType,
    assignable,
    attribute,
)
from whimbrel.types.pickle import Pickle
from whimbrel.types.registry import default_registry

T = TypeVar("T")
REGISTRY = default_registry()


def through(kind: Any, value: Any) -> Any:
    """``value`` written, read as bytes, and read again."""
    transformer = REGISTRY.transformer(kind)
    transformer.check(value)
    written = codec.encode(transformer.encode(value))
    return transformer.decode(codec.decoder(lit.Literal).decode(written))


def refuses(kind: Any, value: Any) -> None:
    transformer = REGISTRY.transformer(kind)
    for ask in (transformer.check, transformer.encode):
        with pytest.raises(ValueMismatch):
            ask(value)


# --- scalars ----------------------------------------------------------------------------------------------------------


def test_integers_are_of_any_size() -> None:
    for value in (2**63 - 1, 2**63, -(2**63), -(2**63) - 1, 10**10_000):
        assert through(int, value) == value
    assert isinstance(REGISTRY.transformer(int).encode(2**63), lit.BigIntLiteral)


def test_subclasses_of_scalars_travel_as_the_plain_value() -> None:
    class Text(str):
        __slots__ = ()

        def __str__(self) -> str:
            return "disguised"

    class Whole(int):
        pass

    class Real(float):
        pass

    class Raw(bytes):
        pass

    for kind, value, plain in (
        (str, Text("a"), "a"),
        (int, Whole(3), 3),
        (float, Real(1.5), 1.5),
        (bytes, Raw(b"x"), b"x"),
    ):
        back = through(kind, value)
        assert back == plain
        assert type(back) is kind


def test_an_int_is_a_float_where_that_is_exact() -> None:
    assert through(float, 3) == 3.0
    assert type(through(float, 3)) is float
    assert through(float, 2**60) == float(2**60)
    refuses(float, 2**60 + 1)
    refuses(float, 10**400)


# --- time -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def zone(tmp_path: Path) -> Iterator[zoneinfo.ZoneInfo]:
    """A zone of our own making, Test/Shifting: +01:00, and +02:00 from March to October 2024."""
    header = struct.pack(">4s1s15x6l", b"TZif", b"\0", 0, 0, 0, 2, 2, 8)
    spring, autumn = (int(dt.datetime(2024, m, d, 1, tzinfo=dt.UTC).timestamp()) for m, d in ((3, 31), (10, 27)))
    data = (
        header
        + struct.pack(">2l2B", spring, autumn, 1, 0)
        + struct.pack(">lBBlBB", 3600, 0, 0, 7200, 1, 4)
        + b"STD\0DST\0"
    )
    (tmp_path / "Test").mkdir()
    (tmp_path / "Test" / "Shifting").write_bytes(data)
    zoneinfo.reset_tzpath(to=[str(tmp_path)])
    try:
        yield zoneinfo.ZoneInfo("Test/Shifting")
    finally:
        zoneinfo.reset_tzpath()
        zoneinfo.ZoneInfo.clear_cache()


def test_a_moment_keeps_its_zone(zone: zoneinfo.ZoneInfo) -> None:
    for value in (
        dt.datetime(2024, 7, 1, 12, 30, 15, 123456, tzinfo=zone),
        dt.datetime(2024, 10, 27, 2, 30, tzinfo=zone, fold=0),
        dt.datetime(2024, 10, 27, 2, 30, tzinfo=zone, fold=1),
    ):
        back = through(dt.datetime, value)
        assert back.tzinfo is zone
        assert (back, back.fold, back.utcoffset()) == (value, value.fold, value.utcoffset())
    assert REGISTRY.transformer(dt.datetime).encode(dt.datetime(2024, 7, 1, 12, tzinfo=zone)) == lit.DatetimeLiteral(
        dt.datetime(2024, 7, 1, 10, tzinfo=dt.UTC), "Test/Shifting"
    )


def test_a_time_that_the_clocks_skipped_keeps_its_wall_time(zone: zoneinfo.ZoneInfo) -> None:
    skipped = dt.datetime(2024, 3, 31, 2, 30, tzinfo=zone)
    back = through(dt.datetime, skipped)
    assert back.replace(tzinfo=None) == skipped.replace(tzinfo=None)
    assert back.utcoffset() == skipped.utcoffset()


def test_other_zones_become_their_offset(zone: zoneinfo.ZoneInfo) -> None:
    class Odd(dt.tzinfo):
        def utcoffset(self, moment: dt.datetime | None) -> dt.timedelta:
            return -dt.timedelta(hours=3, minutes=30, seconds=15, microseconds=7)

        def dst(self, moment: dt.datetime | None) -> None:
            return None

        def tzname(self, moment: dt.datetime | None) -> str:
            return "odd"

    value = dt.datetime(2024, 1, 2, 3, tzinfo=Odd())
    back = through(dt.datetime, value)
    assert back == value
    assert back.utcoffset() == value.utcoffset()
    literal = REGISTRY.transformer(dt.datetime).encode(value)
    assert isinstance(literal, lit.DatetimeLiteral)
    assert literal.zone == "-03:30:15.000007"


def test_a_zone_that_is_not_known_here_is_named() -> None:
    literal = lit.DatetimeLiteral(dt.datetime(2024, 1, 2, tzinfo=dt.UTC), "Nowhere/Atall")
    with pytest.raises(ValueMismatch, match=r"time zone Nowhere/Atall is not known here: install tzdata"):
        REGISTRY.transformer(dt.datetime).decode(literal)


def test_moments_at_the_ends_of_time() -> None:
    for value in (dt.datetime.min, dt.datetime.max, dt.datetime.min.replace(tzinfo=dt.UTC)):
        assert through(dt.datetime, value) == value
    refuses(dt.datetime, dt.datetime.max.replace(tzinfo=dt.timezone(-dt.timedelta(hours=1))))
    refuses(dt.datetime, dt.datetime.min.replace(tzinfo=dt.timezone(dt.timedelta(hours=1))))


def test_a_subclass_of_datetime_becomes_one() -> None:
    class Stamp(dt.datetime):
        pass

    back = through(dt.datetime, Stamp(2024, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC))
    assert type(back) is dt.datetime
    assert back == dt.datetime(2024, 1, 2, 3, 4, 5, 6, tzinfo=dt.UTC)
    assert type(through(dt.date, type("Day", (dt.date,), {})(2024, 1, 2))) is dt.date


def test_texts_that_do_not_parse_are_refused() -> None:
    for kind in (decimal.Decimal, dt.time):
        with pytest.raises(ValueMismatch, match="got str 'abc'"):
            REGISTRY.transformer(kind).decode(lit.StrLiteral("abc"))
    refuses(dt.time, dt.time(1, tzinfo=zoneinfo.ZoneInfo.from_file(_utc_file(), key=None)))
    nan = through(decimal.Decimal, decimal.Decimal("NaN"))
    assert nan.is_nan()


def _utc_file() -> io.BytesIO:
    """A zone with two offsets, so that a time of day alone has none."""
    header = struct.pack(">4s1s15x6l", b"TZif", b"\0", 0, 0, 0, 1, 2, 4)
    return io.BytesIO(header + struct.pack(">lB", 0, 1) + struct.pack(">lBBlBB", 0, 0, 0, 3600, 0, 0) + b"ABC\0")


# --- enums ------------------------------------------------------------------------------------------------------------


class Colour(enum.Enum):
    RED = "red"
    CRIMSON = "red"  # noqa: PIE796  an alias
    GREEN = "green"


class Mixed(enum.Enum):
    ONE = 1
    HALF = 0.5
    NOTHING = None


class Loose(enum.Enum):
    LIST = [1]  # noqa: RUF012  an unhashable value is the point


def test_an_enum_is_known_by_its_values_and_read_by_names_too() -> None:
    transformer = REGISTRY.transformer(Colour)
    assert transformer.literal_type == EnumType(("red", "green"), f"{__name__}.Colour")
    assert transformer.decode(lit.StrLiteral("green")) is Colour.GREEN
    assert transformer.decode(lit.StrLiteral("CRIMSON")) is Colour.RED
    assert [through(Mixed, member) for member in Mixed] == list(Mixed)
    assert through(Loose, Loose.LIST) is Loose.LIST
    assert assignable(transformer.literal_type, STRING)


def test_values_of_an_enum_may_be_of_subclasses() -> None:
    class Text(str):
        __slots__ = ()

    class Real(float):
        pass

    for value, plain in ((Text("a"), "a"), (Real(0.5), 0.5), (Colour.RED.value, "red")):
        made: Any = enum.Enum("Made", {"ONLY": value})
        assert REGISTRY.transformer(made).literal_type == EnumType((plain,), f"{__name__}.Made")
        assert through(made, made.ONLY) is made.ONLY


def test_an_enum_without_members_is_no_type() -> None:
    with pytest.raises(UnsupportedType, match="has no members"):
        REGISTRY.transformer(enum.Enum("Empty", []))
    with pytest.raises(UnsupportedType, match="written alike"):
        REGISTRY.transformer(Literal[Colour.RED, "Colour.RED"])


# --- collections ------------------------------------------------------------------------------------------------------


def test_literal_types_of_collections() -> None:
    for kind, literal_type in (
        (list[int], ListType(INTEGER)),
        (Sequence[int], ListType(INTEGER)),
        (tuple[int, ...], ListType(INTEGER)),
        (set[int], ListType(INTEGER)),
        (tuple[int, str], TupleType((INTEGER, STRING))),
        (dict[str, int], MapType(INTEGER)),
        (dict[Colour, int], MapType(INTEGER)),
        (dict[int, str], ListType(TupleType((INTEGER, STRING)))),
        (dict, StructType()),
        (dict[str, Any], StructType()),
        (list, ListType(ANY)),
        (dict[str, list], MapType(ListType(ANY))),
    ):
        assert REGISTRY.transformer(kind).literal_type == literal_type


def test_what_is_in_a_loose_container_fits_where_it_is_wanted() -> None:
    assert attribute(StructType(), "a") == ANY
    assert attribute(ANY, 3) == ANY
    assert assignable(ANY, INTEGER)
    assert assignable(ListType(INTEGER), ListType(ANY))
    assert not assignable(StructType(), INTEGER)
    assert not assignable(INTEGER, StructType())


def test_dicts_and_lists_of_other_classes_become_plain_ones() -> None:
    assert type(through(dict[str, int], OrderedDict(b=1, a=2))) is dict
    assert list(through(dict[str, int], OrderedDict(b=1, a=2))) == ["b", "a"]
    assert through(dict, defaultdict(list, {"a": [1]})) == {"a": [1]}
    assert through(Sequence[int], (1, 2)) == [1, 2]


def test_a_list_does_not_share_its_items_with_what_is_read() -> None:
    value: list[Any] = [[1]]
    assert through(list, value)[0] is not value[0]


# --- unions -----------------------------------------------------------------------------------------------------------


@dataclass
class Small:
    size: int


@dataclass
class Large:
    size: int
    more: int = 0


def test_the_exact_class_goes_first() -> None:
    for kind, value, variant in (
        (float | int, 3, 1),
        (float | int, 3.0, 0),
        (int | bool, True, 1),
        (float | str, 3, 0),
        (Small | Large, Large(1), 1),
        (list[int] | list[str], ["a"], 1),
        (list[str] | tuple[int, ...], (1,), 1),
        (dict[str, int] | dict[str, str], {"a": "b"}, 1),
    ):
        literal = REGISTRY.transformer(kind).encode(value)
        assert isinstance(literal, lit.UnionLiteral)
        assert literal.variant == variant
        assert through(kind, value) == value


def test_a_union_reads_what_another_wrote() -> None:
    whole = REGISTRY.transformer(float | str | int).decode
    assert type(whole(lit.IntLiteral(3))) is int
    assert type(whole(lit.UnionLiteral(0, lit.IntLiteral(3)))) is int
    assert whole(lit.UnionLiteral(7, lit.StrLiteral("a"))) == "a"
    assert type(REGISTRY.transformer(float | None).decode(lit.IntLiteral(3))) is float
    assert REGISTRY.transformer(int).decode(lit.UnionLiteral(0, lit.IntLiteral(3))) == 3


# --- dataclasses ------------------------------------------------------------------------------------------------------


@dataclass
class Everything:
    plain: int
    counter: ClassVar[int] = 0
    _: KW_ONLY
    listed: list[int] = field(default_factory=list)
    hidden: str = field(default="h", repr=False, compare=False)
    late: int = field(init=False)

    def __post_init__(self) -> None:
        self.late = self.plain + 1
        self.cache = {"made": True}


@dataclass
class OwnInit:
    size: int

    def __init__(self, text: str) -> None:
        self.size = len(text)


@dataclass
class Seeded:
    seed: InitVar[int]
    size: int = 0
    name: str = "n"

    def __post_init__(self, seed: int) -> None:
        self.size += seed


@dataclass
class Positive:
    size: int

    def __post_init__(self) -> None:
        if self.size < 0:
            raise ValueError("negative")


class Keep(Generic[T]):
    pass


@dataclass
class Kept(Keep[T]):
    item: T


@dataclass
class KeptText(Kept[str]):
    size: int = 0


def test_literal_types_of_dataclasses() -> None:
    assert REGISTRY.transformer(Everything).literal_type == StructType(
        f"{__name__}.Everything",
        {"plain": INTEGER, "listed": ListType(INTEGER), "hidden": STRING, "late": INTEGER},
        ("listed", "hidden", "late"),
    )
    inherited = REGISTRY.transformer(KeptText).literal_type
    assert isinstance(inherited, StructType)
    assert inherited.fields == {"item": STRING, "size": INTEGER}


def test_every_field_comes_back_and_the_rest_is_set_up() -> None:
    value = Everything(1, listed=[2], hidden="x")
    value.late = 99
    back = through(Everything, value)
    assert (back.plain, back.listed, back.hidden, back.late) == (1, [2], "x", 99)
    assert back.cache == {"made": True}


def test_a_constructor_that_wants_more_is_not_called() -> None:
    back = through(OwnInit, OwnInit("abc"))
    assert back.size == 3
    seeded = Seeded(5)
    back = through(Seeded, seeded)
    assert (back.size, back.name) == (5, "n")


def test_fields_with_defaults_may_be_missing_and_unknown_ones_are_left() -> None:
    decode = REGISTRY.transformer(Large).decode
    assert decode(lit.MapLiteral({"size": lit.IntLiteral(1), "new": lit.NoneLiteral()})) == Large(1, 0)
    assert REGISTRY.transformer(Seeded).decode(lit.MapLiteral({"size": lit.IntLiteral(2)})).name == "n"
    with pytest.raises(ValueMismatch, match="expected Large with 'size'"):
        decode(lit.MapLiteral({}))


def test_a_dataclass_that_refuses_says_so_itself() -> None:
    with pytest.raises(ValueError, match="negative"):
        REGISTRY.transformer(Positive).decode(lit.MapLiteral({"size": lit.IntLiteral(-1)}))


def test_a_field_that_was_never_set_is_named() -> None:
    value = Small(1)
    del value.size
    for ask in (REGISTRY.transformer(Small).check, REGISTRY.transformer(Small).encode):
        with pytest.raises(ValueMismatch, match="its field 'size' was never set"):
            ask(value)


def test_a_plain_subclass_of_a_dataclass_is_no_dataclass() -> None:
    class Plain(Small):
        pass

    refuses(Small, Plain(1))
    with pytest.raises(UnsupportedType):
        REGISTRY.transformer(Plain)


# --- typed dicts and named tuples -------------------------------------------------------------------------------------


class Partial(TypedDict, total=False):
    size: int
    label: str


class Whole(Partial):
    id: Annotated[int, "key"]


class Late(TypedDict):
    """As under `from __future__ import annotations`, where the class cannot see what is required."""

    size: int
    label: "NotRequired[str]"


class LatePartial(TypedDict, total=False):
    size: "Required[int]"
    label: str


class Named(NamedTuple):
    left: int
    right: str = "r"


def test_typed_dicts_say_what_is_optional() -> None:
    assert REGISTRY.transformer(Whole).literal_type == StructType(
        f"{__name__}.Whole", {"size": INTEGER, "label": STRING, "id": INTEGER}, ("size", "label")
    )
    assert through(Whole, {"id": 1, "label": "x"}) == {"id": 1, "label": "x"}
    refuses(Whole, {"label": "x"})
    for kind in (Late, LatePartial):
        literal_type = REGISTRY.transformer(kind).literal_type
        assert isinstance(literal_type, StructType)
        assert literal_type.optional == ("label",)
        assert through(kind, {"size": 1}) == {"size": 1}
        refuses(kind, {"label": "x"})


def test_named_tuples_keep_their_names() -> None:
    literal_type = REGISTRY.transformer(Named).literal_type
    assert literal_type == TupleType((INTEGER, STRING), ("left", "right"))
    assert attribute(literal_type, "right") == STRING
    assert type(through(Named, Named(1))) is Named


# --- pydantic ---------------------------------------------------------------------------------------------------------


class Inner(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)
    size: int = pydantic.Field(gt=0)


class Model(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")
    inner: Inner
    url: pydantic.HttpUrl
    secret: str = "s"
    many: dict[str, list[Inner]] = {}
    by: int = pydantic.Field(default=1, validation_alias=pydantic.AliasChoices("byWhom", "by_whom"))

    @pydantic.field_validator("secret")
    @classmethod
    def scramble(cls, value: str) -> str:
        return value[::-1]


class Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)
    when: dt.datetime
    pair: tuple[int, str]


def test_models_travel_by_field() -> None:
    url = pydantic.HttpUrl("http://a.example/")
    value = Model(inner=Inner(size=1), url=url, secret="abc", many={"a": [Inner(size=2)]}, byWhom=7, extra=[1])  # type: ignore[call-arg]
    assert value.secret == "cba"
    back = through(Model, value)
    assert back == value
    assert back.by == 7
    assert back.url == url
    assert back.model_extra == {"extra": [1]}
    literal_type = REGISTRY.transformer(Model).literal_type
    assert isinstance(literal_type, StructType)
    assert literal_type.fields is not None
    assert literal_type.fields["url"] == ANY
    assert attribute(literal_type.fields["inner"], "size") == INTEGER
    assert literal_type.optional == ("secret", "many", "by")


def test_strict_models_too() -> None:
    value = Strict(when=dt.datetime(2024, 1, 2), pair=(1, "a"))
    assert through(Strict, value) == value


def test_a_literal_that_the_model_refuses_is_a_mismatch_with_a_path() -> None:
    bad = lit.MapLiteral({"inner": lit.MapLiteral({"size": lit.IntLiteral(-1)}), "url": lit.StrLiteral("http://a.b")})
    with pytest.raises(
        ValueMismatch, match=r"expected Inner, got -1 \(Input should be greater than 0\) at \$.inner.size"
    ):
        REGISTRY.transformer(Model).decode(bad)
    with pytest.raises(ValueMismatch, match=r"expected Model, .*\$.url"):
        good = lit.MapLiteral({"size": lit.IntLiteral(1)})
        REGISTRY.transformer(Model).decode(lit.MapLiteral({"inner": good, "url": lit.StrLiteral("nonsense")}))


class Opaque:
    pass


class Loosest(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)
    thing: object = None
    pickled: Annotated[set[frozenset[int]] | complex, Pickle] = 0j


def test_what_pydantic_writes_but_does_not_read_again_is_refused() -> None:
    assert through(Loosest, Loosest(thing=[1], pickled=1j)) == Loosest(thing=[1], pickled=1j)
    for value, words in ((Opaque(), "pydantic cannot write it"), (io.BytesIO(b"lost"), "reads as it wrote it")):
        model = Loosest(thing=value)
        for ask in (REGISTRY.transformer(Loosest).check, REGISTRY.transformer(Loosest).encode):
            with pytest.raises(ValueMismatch, match=words):
                ask(model)


# --- what it costs ----------------------------------------------------------------------------------------------------

LOOK = """
import json, sys
import whimbrel.types.registry
from whimbrel.types.failures import rebuild
registry = whimbrel.types.registry.default_registry()
for kind in (int, list[int], dict[str, float] | None, dict):
    registry.transformer(kind)
print(json.dumps(sorted(sys.modules)))
"""


def test_nothing_heavy_is_imported() -> None:
    run = subprocess.run([sys.executable, "-I", "-c", LOOK], check=True, capture_output=True, text=True)
    loaded = set(json.loads(run.stdout))
    assert not loaded & {"pydantic", "numpy", "pickle", "zoneinfo", "importlib.metadata"}


def test_a_hundred_thousand_plain_items_are_checked_as_one() -> None:
    # Counted, not timed: no Python code runs for each item.
    calls = 0

    def count(frame: Any, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    transformer = REGISTRY.transformer(list[int])
    value = list(range(100_000))
    sys.setprofile(count)
    try:
        transformer.check(value)
    finally:
        sys.setprofile(None)
    assert calls < 10
    assert dataclasses.is_dataclass(Small)
    assert REGISTRY.transformer(list[float]).literal_type == ListType(FLOAT)
