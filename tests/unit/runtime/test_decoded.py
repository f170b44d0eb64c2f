"""Parts of referenced lists: the list is read once, and kept as long as there is room."""

from __future__ import annotations

from whimbrel.model import codec
from whimbrel.model.literals import IntLiteral, ListLiteral, RefLiteral
from whimbrel.runtime.decoded import Decoded
from whimbrel.runtime.values import read_literal
from whimbrel.testing.blobs import MemoryBlobs


class Counting(MemoryBlobs):
    """Counts what is read."""

    def __init__(self) -> None:
        super().__init__()
        self.reads: list[str] = []

    def get(self, uri: str) -> bytes:
        self.reads.append(uri)
        return super().get(uri)


def kept(blobs: MemoryBlobs, *values: int) -> RefLiteral:
    data = codec.encode(ListLiteral(tuple(map(IntLiteral, values))))
    return RefLiteral(blobs.put(f"literals/{values[0]}", data), "d", len(data), (), len(values))


def part(whole: RefLiteral, at: int) -> RefLiteral:
    return RefLiteral(whole.uri, whole.digest, whole.size, (at,), whole.length)


def test_many_items_of_one_list_read_it_once() -> None:
    blobs = Counting()
    whole = kept(blobs, 5, 6, 7)
    assert [read_literal(part(whole, at), blobs) for at in range(3)] == [IntLiteral(5), IntLiteral(6), IntLiteral(7)]
    assert len(blobs.reads) == 1


def test_what_was_read_longest_ago_goes_first_and_the_latest_stays() -> None:
    blobs = Counting()
    first, second, third = (kept(blobs, *range(number, number + 50)) for number in (1000, 2000, 3000))
    decoded = Decoded(budget=first.size * 2)
    for reference in (first, second, first, third, first):
        decoded.read(part(reference, 0), blobs)
    assert blobs.reads == [first.uri, second.uri, third.uri]
    decoded.read(part(second, 0), blobs)
    assert blobs.reads[3:] == [second.uri]
    tiny = Decoded(budget=1)
    for _ in range(3):
        tiny.read(part(first, 0), blobs)
    assert blobs.reads[4:] == [first.uri]


def test_stores_do_not_share_what_they_keep() -> None:
    one, other = Counting(), Counting()
    kept(other, 5, 8)
    whole = kept(one, 5, 6)
    assert read_literal(part(whole, 1), one) == IntLiteral(6)
    assert read_literal(part(whole, 1), other) == IntLiteral(8)
