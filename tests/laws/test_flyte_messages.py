"""Types, literals and interfaces survive Flyte's messages: what is encoded is what is read."""

from __future__ import annotations

import datetime as dt

from hypothesis import given, settings
from hypothesis import strategies as st

from whimbrel.model import literal_types as kinds
from whimbrel.model import literals as lit
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.wire.flyte.interface import decode_interface, decode_parameters, encode_interface, encode_parameters
from whimbrel.wire.flyte.literals import decode_literal, decode_literals, encode_literal, encode_literals
from whimbrel.wire.flyte.types import decode_type, encode_type

# --- types and their values -------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=6)
NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)
CLASSES = st.sampled_from(["", "shop.Item", "shop.Order", "main.Outer.Inner"])
SIMPLE = st.sampled_from([kinds.SimpleType(simple) for simple in kinds.Simple])
ENUMS = st.one_of(
    st.builds(kinds.EnumType, st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple), st.just("shop.Color")),
    st.builds(kinds.EnumType, st.lists(st.integers(-5, 5), min_size=1, max_size=3, unique=True).map(tuple)),
    st.builds(kinds.EnumType, st.lists(st.sampled_from([True, None, "a", 2, 0.5]), min_size=1, unique=True).map(tuple)),
    st.builds(kinds.EnumType, st.lists(NAMES, min_size=1, max_size=3, unique=True).map(tuple)),
)
LEAVES = st.one_of(
    SIMPLE,
    ENUMS,
    st.builds(kinds.BlobType, st.sampled_from(["", "csv", "parquet"]), st.booleans()),
    st.just(kinds.DatasetType()),
    st.builds(kinds.BinaryType, st.sampled_from(["pickle", "cloudpickle"]), CLASSES),
    st.just(kinds.StructType()),
    st.just(kinds.ANY),
)


def _structs(inner: st.SearchStrategy[kinds.LiteralType]) -> st.SearchStrategy[kinds.LiteralType]:
    def build(name: str, fields: dict[str, kinds.LiteralType], count: int) -> kinds.LiteralType:
        return kinds.StructType(name, fields, tuple(fields)[count:])

    return st.builds(build, CLASSES, st.dictionaries(NAMES, inner, max_size=3), st.integers(0, 3))


def _compound(inner: st.SearchStrategy[kinds.LiteralType]) -> st.SearchStrategy[kinds.LiteralType]:
    several = st.lists(inner, min_size=1, max_size=3).map(tuple)
    return st.one_of(
        st.builds(kinds.ListType, inner),
        st.builds(kinds.MapType, inner),
        st.builds(kinds.TupleType, several),
        st.builds(kinds.UnionType, several),
        st.builds(kinds.DatasetType, st.dictionaries(NAMES, inner, max_size=2), st.sampled_from(["", "parquet"])),
        _structs(inner),
    )


TYPES = st.recursive(LEAVES, _compound, max_leaves=6)

ZONES = st.sampled_from(["", "Europe/Oslo", "+02:00"])
MOMENTS = st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30))
OPAQUE = st.one_of(
    st.builds(lit.BytesLiteral, st.binary(max_size=4), st.sampled_from(["", "pickle"])),
    st.builds(lit.BigIntLiteral, st.integers(2**64, 2**70).map(str)),
)
REFERENCES = st.builds(
    lit.RefLiteral,
    st.just("blob://literals/1"),
    st.just("0123abcd"),
    st.integers(0, 10**9),
    st.lists(st.one_of(NAMES, st.integers(0, 9)), max_size=2).map(tuple),
    st.integers(-1, 5),
)


def _value(literal: lit.Literal) -> st.SearchStrategy[lit.Literal]:
    return st.just(literal)


def _simple(simple: kinds.Simple) -> st.SearchStrategy[lit.Literal]:
    match simple:
        case kinds.Simple.NONE:
            return _value(lit.NoneLiteral())
        case kinds.Simple.INTEGER:
            return st.one_of(
                st.builds(lit.IntLiteral, st.integers(-(2**63), 2**63 - 1)),
                st.builds(lit.BigIntLiteral, st.integers(2**64, 2**70).map(str)),
            )
        case kinds.Simple.FLOAT:
            return st.builds(lit.FloatLiteral, st.floats(allow_nan=False))
        case kinds.Simple.STRING:
            return st.builds(lit.StrLiteral, TEXT)
        case kinds.Simple.BOOLEAN:
            return st.builds(lit.BoolLiteral, st.booleans())
        case kinds.Simple.DATETIME:
            aware = st.builds(lit.DatetimeLiteral, MOMENTS.map(lambda moment: moment.replace(tzinfo=dt.UTC)), ZONES)
            return st.one_of(aware, st.builds(lit.DatetimeLiteral, MOMENTS))
        case kinds.Simple.DATE:
            return st.builds(lit.DateLiteral, st.dates())
        case kinds.Simple.DURATION:
            spans = st.timedeltas(dt.timedelta(days=-3650), dt.timedelta(days=3650))
            return spans.map(lambda span: lit.DurationLiteral(span.days, span.seconds, span.microseconds))
        case kinds.Simple.BYTES:
            return st.builds(lit.BytesLiteral, st.binary(max_size=4))


def _of_value(value: str | int | bool | float | None) -> lit.Literal:
    match value:
        case None:
            return lit.NoneLiteral()
        case bool():
            return lit.BoolLiteral(value)
        case str():
            return lit.StrLiteral(value)
        case float():
            return lit.FloatLiteral(value)
        case _:
            return lit.IntLiteral(value)


def values(kind: kinds.LiteralType) -> st.SearchStrategy[lit.Literal]:
    """Literals of a type."""
    match kind:
        case kinds.SimpleType(simple=simple):
            return _simple(simple)
        case kinds.EnumType(values=members):
            return st.sampled_from([_of_value(member) for member in members])
        case kinds.ListType(item=item):
            return st.one_of(
                st.builds(lit.ListLiteral, st.lists(values(item), max_size=3).map(tuple)),
                REFERENCES,
            )
        case kinds.TupleType(items=items):
            return st.builds(lit.ListLiteral, st.tuples(*map(values, items)))
        case kinds.MapType(value=value):
            return st.builds(lit.MapLiteral, st.dictionaries(TEXT, values(value), max_size=3))
        case kinds.StructType(fields=None):
            return st.builds(lit.MapLiteral, st.dictionaries(TEXT, st.one_of(_json(), OPAQUE), max_size=3))
        case kinds.StructType(fields=dict() as fields):
            whole = st.fixed_dictionaries({name: values(field) for name, field in fields.items()})
            return st.builds(lit.MapLiteral, whole)
        case kinds.UnionType(variants=variants):
            return st.one_of([st.builds(lit.UnionLiteral, st.just(n), values(kind)) for n, kind in enumerate(variants)])
        case kinds.BlobType(format=format_, multipart=multipart):
            about = st.sampled_from(["", "ab12"]), st.integers(-1, 99)
            return st.builds(lit.BlobLiteral, TEXT, st.just(format_), st.just(multipart), *about)
        case kinds.DatasetType(format=format_):
            about = st.lists(NAMES, max_size=2).map(tuple), st.sampled_from(["", "ab12"]), st.integers(-1, 99)
            return st.builds(lit.DatasetLiteral, TEXT, st.just(format_), *about)
        case _:
            return st.builds(lit.BytesLiteral, st.binary(max_size=4), st.sampled_from(["pickle", "cloudpickle"]))


def _json() -> st.SearchStrategy[lit.Literal]:
    leaves = st.one_of(
        _value(lit.NoneLiteral()),
        st.builds(lit.BoolLiteral, st.booleans()),
        st.builds(lit.IntLiteral, st.integers(-(2**63), 2**63 - 1)),
        st.builds(lit.FloatLiteral, st.floats(allow_nan=False)),
        st.builds(lit.StrLiteral, TEXT),
    )
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lit.ListLiteral, st.lists(inner, max_size=2).map(tuple)),
            st.builds(lit.MapLiteral, st.dictionaries(TEXT, inner, max_size=2)),
        ),
        max_leaves=4,
    )


@st.composite
def typed(draw: st.DrawFn) -> tuple[kinds.LiteralType, lit.Literal]:
    """A type and a value of it."""
    kind = draw(TYPES)
    return kind, draw(values(kind))


def _distinct(kind: kinds.LiteralType) -> bool:
    """Whether the variants of every union in it can be told apart on Flyte's side: by their tags or their types."""
    match kind:
        case kinds.UnionType(variants=variants):
            shown = [
                encode_type(kinds.UnionType((variant,))).SerializeToString(deterministic=True) for variant in variants
            ]
            return len(set(shown)) == len(shown) and all(map(_distinct, variants))
        case kinds.ListType(item=inner) | kinds.MapType(value=inner):
            return _distinct(inner)
        case kinds.TupleType(items=items):
            return all(map(_distinct, items))
        case kinds.StructType(fields=dict() as fields):
            return all(map(_distinct, fields.values()))
        case _:
            return True


few = settings(max_examples=60)

# --- laws -------------------------------------------------------------------------------------------------------------


@few
@given(TYPES)
def test_exact_types_come_back(kind: kinds.LiteralType) -> None:
    assert decode_type(encode_type(kind, exact=True)) == kind


@few
@given(TYPES)
def test_types_without_annotation_settle(kind: kinds.LiteralType) -> None:
    # What Flyte makes of a type stays what it is, however often it is read and written.
    once = decode_type(encode_type(kind))
    assert decode_type(encode_type(once)) == once


@few
@given(typed().filter(lambda pair: _distinct(pair[0])))
def test_exact_literals_come_back(pair: tuple[kinds.LiteralType, lit.Literal]) -> None:
    kind, literal = pair
    assert decode_literal(encode_literal(literal, kind, exact=True), kind) == literal


@few
@given(st.dictionaries(NAMES, typed().filter(lambda pair: _distinct(pair[0])), max_size=3))
def test_maps_of_literals_come_back(given_: dict[str, tuple[kinds.LiteralType, lit.Literal]]) -> None:
    types = {name: kind for name, (kind, _) in given_.items()}
    inputs = {name: literal for name, (_, literal) in given_.items()}
    read = decode_literals(encode_literals(inputs, types, exact=True), types)
    assert read == inputs
    assert list(read) == list(inputs)


DESCRIPTIONS = st.sampled_from(["", "how many", "how many\nlines"])


@st.composite
def interfaces(draw: st.DrawFn) -> Interface:
    """An interface, variables by name; defaults of ``None`` lie outside the union, as Flyte has them."""
    inputs = {}
    for name in sorted(draw(st.sets(NAMES, max_size=3))):
        kind, literal = draw(typed().filter(lambda pair: _distinct(pair[0])))
        missing = isinstance(literal, lit.UnionLiteral) and isinstance(literal.value, lit.NoneLiteral)
        default = draw(st.sampled_from([None, lit.NoneLiteral() if missing else literal]))
        nested = isinstance(default, lit.UnionLiteral) and isinstance(default.value, lit.UnionLiteral)
        inputs[name] = Parameter(kind, draw(DESCRIPTIONS), None if nested else default)
    names = sorted(draw(st.sets(NAMES, max_size=3)))
    return Interface(inputs, {name: Variable(draw(TYPES), draw(DESCRIPTIONS)) for name in names})


@few
@given(interfaces())
def test_interfaces_come_back(interface: Interface) -> None:
    read = decode_interface(encode_interface(interface, exact=True))
    assert read.outputs == interface.outputs
    bare = {name: Parameter(each.type, each.description) for name, each in interface.inputs.items()}
    assert read.inputs == bare


@few
@given(interfaces())
def test_parameters_come_back(interface: Interface) -> None:
    assert decode_parameters(encode_parameters(interface.inputs, exact=True)) == interface.inputs
