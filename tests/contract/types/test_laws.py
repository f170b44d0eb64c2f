"""What holds for every kind of type: what is written is read again as it was, on every road."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.types.kinds import KINDS, Opaque, composites, json_values, same
from whimbrel.errors import ValueMismatch
from whimbrel.graph import conformance
from whimbrel.model import codec
from whimbrel.model import literal_types as kinds
from whimbrel.model import literals as lit
from whimbrel.types.registry import default_registry
from whimbrel.types.transformer import Transformer

REGISTRY = default_registry()
DECODER = codec.decoder(lit.Literal)

every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(getattr(kind, "__name__", kind)))
# Values of many kinds, for asking each kind about strangers.
strangers = st.one_of(*KINDS.values(), json_values, st.builds(Opaque, st.integers()), st.complex_numbers())


def travels(transformer: Transformer, value: Any) -> None:
    transformer.check(value)
    literal = transformer.encode(value)
    arrived = DECODER.decode(codec.encode(literal))
    assert codec.digest(arrived) == codec.digest(literal)
    for received in (literal, arrived):
        back = transformer.decode(received)
        assert same(back, value)
        assert codec.digest(transformer.encode(back)) == codec.digest(literal)
    assert conforms(literal, transformer.literal_type)
    assert not conformance.misfit(literal, transformer.literal_type)


def refusal(ask: Callable[[Any], Any], value: Any) -> str | None:
    """Where in ``value`` it is refused; ``None`` if it is not. Nothing but a mismatch may be raised."""
    try:
        ask(value)
    except ValueMismatch as error:
        return error.path
    return None


def conforms(literal: Any, kind: kinds.LiteralType) -> bool:
    """Whether ``literal`` is what its literal type says: the engine and the console believe it."""
    match kind, literal:
        case kinds.StructType(name="any", fields=None), _:
            return True
        case kinds.SimpleType(simple=simple), _:
            return isinstance(literal, SIMPLE[simple])
        case kinds.EnumType(values=values), lit.NoneLiteral():
            return None in values
        case kinds.EnumType(values=values), _:
            return any(type(value) is type(literal.value) and value == literal.value for value in values)
        case kinds.ListType(item=item), lit.ListLiteral(items=items):
            return all(conforms(each, item) for each in items)
        case kinds.TupleType(items=wanted), lit.ListLiteral(items=items):
            return len(wanted) == len(items) and all(map(conforms, items, wanted))
        case kinds.MapType(value=value), lit.MapLiteral(items=fields):
            return all(conforms(each, value) for each in fields.values())
        case kinds.StructType(fields=None), lit.MapLiteral():
            return True
        case kinds.StructType(fields=dict() as wanted, optional=optional), lit.MapLiteral(items=fields):
            return all(name in fields or name in optional for name in wanted) and all(
                conforms(each, wanted[name]) for name, each in fields.items()
            )
        case kinds.UnionType(variants=variants), lit.UnionLiteral(variant=variant, value=value):
            return conforms(value, variants[variant])
        case kinds.BlobType(format=format_, multipart=multipart), lit.BlobLiteral():
            return literal.multipart == multipart and literal.format == format_
        case kinds.DatasetType(), lit.DatasetLiteral():
            return True
        case kinds.BinaryType(encoding=encoding), lit.BytesLiteral():
            return literal.encoding == encoding
        case _:
            return False


SIMPLE = {
    kinds.Simple.NONE: lit.NoneLiteral,
    kinds.Simple.INTEGER: lit.IntLiteral | lit.BigIntLiteral,
    kinds.Simple.FLOAT: lit.FloatLiteral,
    kinds.Simple.STRING: lit.StrLiteral,
    kinds.Simple.BOOLEAN: lit.BoolLiteral,
    kinds.Simple.DATETIME: lit.DatetimeLiteral,
    kinds.Simple.DATE: lit.DateLiteral,
    kinds.Simple.DURATION: lit.DurationLiteral,
    kinds.Simple.BYTES: lit.BytesLiteral,
}


@every_kind
@settings(max_examples=40)
@given(data=st.data())
def test_values_come_back_as_they_were(kind: Any, data: st.DataObject) -> None:
    travels(REGISTRY.transformer(kind), data.draw(KINDS[kind]))


@settings(max_examples=150)
@given(data=st.data())
def test_so_do_values_of_types_put_together(data: st.DataObject) -> None:
    kind, values = data.draw(composites())
    travels(REGISTRY.transformer(kind), data.draw(values))


@every_kind
@settings(max_examples=25)
@given(value=strangers)
def test_check_and_encode_agree(kind: Any, value: Any) -> None:
    transformer = REGISTRY.transformer(kind)
    assert refusal(transformer.check, value) == refusal(transformer.encode, value)


@every_kind
@settings(max_examples=15)
@given(data=st.data())
def test_a_foreign_literal_is_refused_or_read(kind: Any, data: st.DataObject) -> None:
    sender = data.draw(st.sampled_from(list(KINDS)))
    transformer = REGISTRY.transformer(kind)
    literal = REGISTRY.transformer(sender).encode(data.draw(KINDS[sender]))
    if refusal(transformer.decode, literal) is None:
        transformer.check(transformer.decode(literal))


@every_kind
def test_a_value_fits_its_own_literal_type(kind: Any) -> None:
    literal_type = REGISTRY.transformer(kind).literal_type
    assert kinds.assignable(literal_type, literal_type)
    assert codec.decoder(kinds.LiteralType).decode(codec.encode(literal_type)) == literal_type


@given(value=st.dictionaries(st.text("ab"), json_values, max_size=3))
def test_json_like_literals_are_read_without_a_declaration(value: dict[str, Any]) -> None:
    literal = REGISTRY.transformer(dict).encode(value)
    assert same(REGISTRY.transformer(dict[str, Any]).decode(literal), value)


@given(numbers=st.sets(st.integers() | st.dates().map(dt.date.toordinal), max_size=8))
def test_equal_sets_are_equal_literals(numbers: set[int]) -> None:
    transformer = REGISTRY.transformer(set[int])
    other = set()
    for number in sorted(numbers, key=lambda number: (number % 7, number)):
        other.add(number)
    assert codec.digest(transformer.encode(numbers)) == codec.digest(transformer.encode(other))
