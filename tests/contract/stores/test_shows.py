"""ShowStore: decks and progress."""

from __future__ import annotations

import asyncio

from tests.contract.stores.conftest import AnyStore
from whimbrel.model.attempt import DeckUpdate, Progress
from whimbrel.model.run import AttemptId


def deck(path: str, name: str = "a", number: int = 1, *, place: int = 0, html: str = "", run: str = "r") -> DeckUpdate:
    return DeckUpdate(AttemptId(run, path, number), name, place, html, 1.0)


def test_a_deck_takes_the_place_of_its_earlier_version(store: AnyStore) -> None:
    async def main() -> None:
        for n in range(50):
            store.deck_nowait(deck("n0", html=f"<b>{n}</b>"))
        assert [one.html for one in await store.decks("r")] == ["<b>49</b>"]
        store.deck_nowait(deck("n0", html="last"))
        assert [one.html for one in await store.decks("r")] == ["last"]

    asyncio.run(main())


def test_decks_are_kept_by_attempt_and_stand_in_their_places(store: AnyStore) -> None:
    async def main() -> None:
        rows = [
            deck("n1", "x"),
            deck("n0", "b", 2, place=1),
            deck("n0", "c", 2, place=0),
            deck("n0", "b", 1),
            deck("n0/n1", "in"),
            deck("n0x", "no"),
        ]
        for row in rows:
            store.deck_nowait(row)
        store.deck_nowait(deck("n0", run="other"))
        found = [(one.attempt.path, one.attempt.number, one.name) for one in await store.decks("r")]
        assert found == [
            ("n0", 1, "b"),
            ("n0", 2, "c"),
            ("n0", 2, "b"),
            ("n0/n1", 1, "in"),
            ("n0x", 1, "no"),
            ("n1", 1, "x"),
        ]
        below = [one.attempt.path for one in await store.decks("r", path="n0")]
        assert below == ["n0", "n0", "n0", "n0/n1"]
        assert await store.decks("none") == []

    asyncio.run(main())


def test_any_text_may_stand_in_a_deck(store: AnyStore) -> None:
    async def main() -> None:
        store.deck_nowait(DeckUpdate(AttemptId("r", "n0", 1), "\udc80 'n\"", 3, "<\0\udc80>" + "x" * 100_000, 2.5, "u"))
        (found,) = await store.decks("r")
        assert (found.name, found.place, found.at, found.uri) == ("\\udc80 'n\"", 3, 2.5, "u")
        assert found.html == "<\0\\udc80>" + "x" * 100_000

    asyncio.run(main())


def test_the_last_progress_of_each_attempt_is_kept(store: AnyStore) -> None:
    async def main() -> None:
        for n in range(100):
            for path in ("n1", "n0"):
                store.progress_nowait(Progress(AttemptId("r", path, 1), n, 100.0, f"at {n}\udc80", 1.0 + n))
        store.progress_nowait(Progress(AttemptId("r", "n0", 2), 1.0, 0.0, "", 500.0))
        store.progress_nowait(Progress(AttemptId("q", "n0", 1), 1.0, 0.0, "", 500.0))
        assert await store.progress("r") == [
            Progress(AttemptId("r", "n0", 1), 99.0, 100.0, "at 99\\udc80", 100.0),
            Progress(AttemptId("r", "n0", 2), 1.0, 0.0, "", 500.0),
            Progress(AttemptId("r", "n1", 1), 99.0, 100.0, "at 99\\udc80", 100.0),
        ]
        assert await store.progress("none") == []

    asyncio.run(main())


def test_a_log_record_has_a_level(store: AnyStore) -> None:
    async def main() -> None:
        store.log_nowait(AttemptId("r", "n0", 1), "log", "x: hello\n", 1.0, "WARNING")
        store.log_nowait(AttemptId("r", "n0", 1), "stdout", "hello\n", 1.0)
        assert [line.level for line in await store.logs("r")] == ["WARNING", ""]

    asyncio.run(main())
