"""Why the cache has nothing, in words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.stores.samples import key
from whimbrel.model.commands import CacheKey
from whimbrel.stores.misses import Candidate, why_not

KEYS = st.builds(
    CacheKey,
    task=st.just("m.t"),
    version=st.sampled_from("12"),
    interface=st.sampled_from("ij"),
    inputs=st.dictionaries(st.sampled_from("abc"), st.sampled_from("01")),
)


def row(there: CacheKey) -> Candidate:
    return Candidate(there, "r", "n0")


def test_inputs_that_came_or_went_differ_too() -> None:
    assert "y differs from" in why_not(key(x="1"), [row(key(x="1", y="1"))])
    assert "y differs from" in why_not(key(x="1", y="1"), [row(key(x="1"))])


def test_many_inputs_are_counted() -> None:
    ours, theirs = ({f"i{n}": side for n in range(9)} for side in "ab")
    sentence = why_not(key(**ours), [row(key(**theirs))])
    assert "i0, i1, i2, i3, i4 and 4 more differ" in sentence


def test_a_row_that_came_meanwhile_is_owned_up_to() -> None:
    assert why_not(key(x="1"), [row(key(x="1"))]) == "n0 of run r has just been cached under the same key"


@given(KEYS, st.lists(KEYS, max_size=6))
def test_it_is_one_sentence_and_names_what_differs(wanted: CacheKey, there: list[CacheKey]) -> None:
    sentence = why_not(wanted, map(row, there))
    assert "\n" not in sentence
    same = [other for other in there if (other.version, other.interface) == (wanted.version, wanted.interface)]
    if not there:
        assert "nothing is cached for m.t yet" in sentence
    elif same:
        fewest = min(len(wanted.inputs.items() ^ other.inputs.items()) for other in same)
        assert ("has just been cached" in sentence) == (fewest == 0)
        assert ("never run with these inputs" in sentence) == (fewest != 0)
    else:
        assert "version" in sentence or "declares" in sentence
