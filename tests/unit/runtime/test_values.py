"""Large literals leave as references and come back as they were."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.runtime.shelf import Shelf
from whimbrel.errors import EntityNotFound
from whimbrel.model import codec
from whimbrel.model.literals import (
    BigIntLiteral,
    BlobLiteral,
    BytesLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    MapLiteral,
    NoneLiteral,
    RefLiteral,
    StepMissing,
    StrLiteral,
    UnionLiteral,
    at_path,
)
from whimbrel.runtime.values import INLINE_BYTES, read_literals, write_literals

LITERALS = st.recursive(
    st.one_of(
        st.builds(IntLiteral, st.integers(-(2**63), 2**63 - 1)),
        st.builds(StrLiteral, st.one_of(st.text(max_size=20), st.integers(0, 30_000).map(lambda n: "é" * n))),
        st.builds(BytesLiteral, st.integers(0, 30_000).map(bytes)),
        st.just(NoneLiteral()),
        st.builds(BlobLiteral, st.text(max_size=10)),
    ),
    lambda inner: st.one_of(
        st.builds(lambda items: ListLiteral(tuple(items)), st.lists(inner, max_size=4)),
        st.builds(MapLiteral, st.dictionaries(st.text(max_size=5), inner, max_size=4)),
        st.builds(UnionLiteral, st.integers(0, 3), inner),
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=5), LITERALS, max_size=4))
def test_what_is_written_is_read_back_and_only_the_large_is_kept_elsewhere(literals: dict[str, Literal]) -> None:
    shelf = Shelf()
    written = write_literals(literals, shelf)
    for name, literal in written.items():
        large = len(codec.encode(literals[name])) > INLINE_BYTES
        assert isinstance(literal, RefLiteral) == large
        if isinstance(literal, RefLiteral):
            assert literal.digest == codec.digest(literals[name])
            assert literal.size == len(shelf.get(literal.uri))
    assert read_literals(written, shelf) == literals
    assert write_literals(written, shelf) == written


def test_the_order_of_a_map_survives_a_map_of_the_same_digest() -> None:
    shelf = Shelf()
    fields: dict[str, Literal] = {"b": StrLiteral("x" * 20_000), "a": IntLiteral(1)}
    one = MapLiteral(fields)
    other = MapLiteral(dict(reversed(fields.items())))
    assert codec.digest(one) == codec.digest(other)
    written = write_literals({"one": one, "other": other}, shelf)
    read = read_literals(written, shelf)
    assert list(read["one"].items) == ["b", "a"]  # type: ignore[union-attr]
    assert list(read["other"].items) == ["a", "b"]  # type: ignore[union-attr]


def test_references_are_followed_into_and_inside_of_values() -> None:
    shelf = Shelf()
    rows = ListLiteral((StrLiteral("x" * 20_000), IntLiteral(5)))
    ref = write_literals({"o0": rows}, shelf)["o0"]
    second = at_path(ref, (1,))
    assert isinstance(second, RefLiteral)
    nested = MapLiteral({"n": UnionLiteral(1, ListLiteral((second, IntLiteral(6))))})
    assert read_literals({"x": nested}, shelf) == {
        "x": MapLiteral({"n": UnionLiteral(1, ListLiteral((IntLiteral(5), IntLiteral(6))))})
    }


def test_a_kept_value_may_hold_references_itself() -> None:
    shelf = Shelf()
    inner = write_literals({"o0": StrLiteral("y" * 20_000)}, shelf)["o0"]
    outer = write_literals({"o0": ListLiteral((inner, StrLiteral("z" * 20_000)))}, shelf)
    assert isinstance(outer["o0"], RefLiteral)
    assert read_literals(outer, shelf)["o0"] == ListLiteral((StrLiteral("y" * 20_000), StrLiteral("z" * 20_000)))


def test_a_value_without_references_is_not_copied() -> None:
    literal = MapLiteral(
        {"a": ListLiteral((IntLiteral(1), BigIntLiteral("9" * 30))), "b": UnionLiteral(0, NoneLiteral())}
    )
    assert read_literals({"x": literal}, Shelf())["x"] is literal


def test_what_is_lost_or_leads_nowhere_is_said() -> None:
    shelf = Shelf()
    with pytest.raises(EntityNotFound):
        read_literals({"x": RefLiteral("shelf:literals/none", "", 1, ())}, shelf)
    ref = write_literals({"o0": ListLiteral((StrLiteral("x" * 20_000),))}, shelf)["o0"]
    with pytest.raises(StepMissing):
        read_literals({"x": at_path(ref, (4,))}, shelf)
