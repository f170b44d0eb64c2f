"""Logs by line: whatever pieces they came in, the lines are those of a straightforward reading."""

import asyncio
import random

import pytest

from whimbrel.model.attempt import AttemptId
from whimbrel.server import lines as lines_module
from whimbrel.server.lines import CUT, Index, Indices, Wanted
from whimbrel.stores.memory import MemoryStore

RUN = "r1"


def written(store: MemoryStore, *chunks: tuple[str, str, str]) -> None:
    """Chunks of (path, stream, text)."""
    for path, stream, text in chunks:
        store.log_nowait(AttemptId(RUN, path, 1), stream, text, 1.0, "INFO" if stream == "log" else "")


def by_hand(chunks: list[tuple[str, str, str]]) -> list[str]:
    """The lines: each stands where its first piece does."""
    found: list[str] = []
    open: dict[tuple[str, str], int] = {}
    for path, stream, text in chunks:
        for at, piece in enumerate(text.splitlines(keepends=True)):
            begun = open.pop((path, stream), None) if at == 0 else None
            if begun is None:
                begun = len(found)
                found.append("")
            found[begun] += piece.removesuffix("\n")
            if not piece.endswith("\n"):
                open[path, stream] = begun
    return found


def some(seed: int, count: int) -> list[tuple[str, str, str]]:
    dice = random.Random(seed)
    letters = ["a", "b", "needle", "\n", "\n", "x\ny\n", "Ä", ""]
    return [
        (dice.choice(["n0", "n1", "n1/0"]), dice.choice(["stdout", "stderr"]), "".join(dice.choices(letters, k=4)))
        for _ in range(count)
    ]


@pytest.mark.parametrize("seed", range(8))
def test_lines_are_those_of_a_straightforward_reading(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "_SPACING", 7)
    monkeypatch.setattr(lines_module, "_PAGE", 3)
    chunks = some(seed, 300)
    expected = by_hand(chunks)
    dice = random.Random(seed)

    async def check() -> None:
        store = MemoryStore()
        index = Index(store, RUN, Wanted())
        for at in range(0, len(chunks), 50):
            written(store, *chunks[at : at + 50])
            total = await index.look()
            assert total == len(by_hand(chunks[: at + 50]))
        for _ in range(30):
            first, count = dice.randrange(total), dice.randrange(1, 40)
            read = await index.read(first, count)
            assert [line.number for line in read] == list(range(first, min(total, first + count)))
            assert [line.text for line in read] == expected[first : first + count]
        for text in ("needle", "NEEDLE", "ab", "ä"):
            for first in (0, total // 2):
                found = await index.find(text, first=first)
                hits = [at for at, line in enumerate(expected) if at >= first and text.lower() in line.lower()]
                assert (found.lines, found.done) == (hits, True)
        exact = await index.find("NEEDLE", case=True)
        assert exact.lines == []

    asyncio.run(check())


def test_a_line_in_many_pieces_is_one_line_and_is_cut() -> None:
    async def check() -> None:
        store = MemoryStore()
        written(store, *(("n0", "stdout", "x" * 999 + "y") for _ in range(1000)), ("n0", "stderr", "between\n"))
        written(store, ("n0", "stdout", "the end\nnext\n"))
        index = Index(store, RUN, Wanted("n0"))
        assert await index.look() == 3
        cut, between, after = await index.read(0, 5)
        assert (len(cut.text), cut.cut, between.text, after.text) == (CUT, True, "between", "next")
        (whole,) = await index.read(0, 1, whole=True)
        assert (len(whole.text), whole.cut) == (1_000_007, False)
        # Across the edge of two pieces, and of the piece that ends it.
        assert (await index.find("yxx")).lines == [0]
        assert (await index.find("ythe end")).lines == [0]

    asyncio.run(check())


def test_whole_lines_come_in_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "WHOLE", 100)

    async def check() -> None:
        store = MemoryStore()
        written(store, *(("n0", "stdout", f"{at:03}{'x' * 47}\n") for at in range(20)), ("n0", "stdout", "y" * 500))
        index = Index(store, RUN, Wanted())
        total, first, read = await index.look(), 0, []
        while lines := await index.read(first, total - first, whole=True):
            assert sum(len(line.text) for line in lines) <= 250
            read += lines
            first = lines[-1].number + 1
        assert [line.number for line in read] == list(range(21))
        assert (len(read[-1].text), read[-1].cut) == (100, True)

    asyncio.run(check())


def test_what_is_wanted_is_counted_by_itself() -> None:
    async def check() -> None:
        store = MemoryStore()
        written(store, ("n0", "stdout", "a\nb\n"), ("n0", "log", "warned\n"), ("n1", "stderr", "c\n"))
        store.log_nowait(AttemptId(RUN, "n0", 2), "stdout", "again\n", 2.0)
        indices = Indices(store)

        async def texts(wanted: Wanted) -> list[str]:
            index = indices.of(RUN, wanted)
            return [line.text for line in await index.read(0, await index.look())]

        assert await texts(Wanted()) == ["a", "b", "warned", "c", "again"]
        assert await texts(Wanted("n0", 2)) == ["again"]
        assert await texts(Wanted("n0", streams=frozenset({"log", "stderr"}))) == ["warned"]
        assert await texts(Wanted(levels=frozenset({"INFO"}))) == ["warned"]
        index = indices.of(RUN, Wanted("n0", 2))
        assert (index.attempts, index.streams, index.levels) == ({1, 2}, {"stdout", "log"}, {"", "INFO"})
        assert await indices.of(RUN, Wanted("elsewhere")).look() == 0

    asyncio.run(check())


def test_a_search_says_how_far_it_got_and_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "PATIENCE", -1.0)
    monkeypatch.setattr(lines_module, "_PAGE", 2)
    monkeypatch.setattr(lines_module, "_SPACING", 5)

    async def check() -> None:
        store = MemoryStore()
        written(store, *(("n0", "stdout", f"line {at}\n") for at in range(30)))
        index = Index(store, RUN, Wanted())
        await index.look()
        hits, first, rounds = [], 0, 0
        while True:
            found = await index.find("line", first=first)
            hits += found.lines
            rounds += 1
            if found.done:
                break
            assert found.until > first
            first = found.until
        assert hits == list(range(30))
        assert rounds > 3

    asyncio.run(check())


def test_a_search_for_what_every_line_has_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines_module, "MOST_HITS", 10)

    async def check() -> None:
        store = MemoryStore()
        written(store, ("n0", "stdout", "x\n" * 25))
        index = Index(store, RUN, Wanted())
        await index.look()
        found = await index.find("x")
        assert (found.lines, found.until, found.done) == (list(range(10)), 10, False)
        assert (await index.find("x", first=20)).lines == list(range(20, 25))

    asyncio.run(check())
