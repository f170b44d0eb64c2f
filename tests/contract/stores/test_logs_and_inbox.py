"""LogStore and Inbox."""

from __future__ import annotations

import asyncio

import pytest

from tests.contract.stores.conftest import AnyStore
from tests.unit.stores.samples import event, summary
from whimbrel.errors import EntityNotFound, Fenced
from whimbrel.model.run import AttemptId


def at(path: str, number: int = 1, run: str = "r") -> AttemptId:
    return AttemptId(run, path, number)


def test_chunks_are_read_in_order_of_writing(store: AnyStore) -> None:
    async def main() -> None:
        for n in range(100):
            store.log_nowait(at(f"n{n % 3}", n), "stdout", f"line {n}\n", 50.0 - n)
        store.log_nowait(at("n0", run="another"), "stdout", "not here", 1.0)
        lines = await store.logs("r")
        assert [line.text for line in lines] == [f"line {n}\n" for n in range(100)]
        assert lines[4].attempt == at("n1", 4)
        assert (lines[4].stream, lines[4].at) == ("stdout", 46.0)
        assert [line.id for line in lines] == sorted({line.id for line in lines})

    asyncio.run(main())


def test_readers_page_through_chunks(store: AnyStore) -> None:
    async def main() -> None:
        for n in range(10):
            store.log_nowait(at("n0"), "log", str(n), 1.0)
        first = await store.logs("r", limit=4)
        assert [line.text for line in first] == ["0", "1", "2", "3"]
        store.log_nowait(at("n0"), "log", "10", 1.0)
        rest = await store.logs("r", after=first[-1].id)
        assert [line.text for line in rest] == [str(n) for n in range(4, 11)]
        assert await store.logs("r", after=rest[-1].id) == []
        assert await store.logs("r", limit=0) == []

    asyncio.run(main())


def test_chunks_of_a_node_and_of_what_is_below(store: AnyStore) -> None:
    async def main() -> None:
        paths = ["n1", "n1/n0", "n1/n0/chain_a.1:3", "n10", "n1x/n0", "N1/n0", "n", "n1/%", "n0/n1"]
        for path in paths:
            store.log_nowait(at(path), "stdout", path, 1.0)

        async def texts(path: str) -> list[str]:
            return [line.text for line in await store.logs("r", path=path)]

        assert await texts("n1") == ["n1", "n1/n0", "n1/n0/chain_a.1:3", "n1/%"]
        assert await texts("n1/n0") == ["n1/n0", "n1/n0/chain_a.1:3"]
        assert await texts("n1/%") == ["n1/%"]
        assert await texts("n_") == []
        assert await texts("") == paths

    asyncio.run(main())


def test_a_run_without_chunks_has_none(store: AnyStore) -> None:
    assert asyncio.run(store.logs("none")) == []


@pytest.mark.parametrize("text", ["", "ünïcödé 🐦", "\0\x1b[31m\r\n", "lone \udc80 surrogate", "x" * 1_000_000])
def test_any_text_can_be_kept(store: AnyStore, text: str) -> None:
    async def main() -> None:
        store.log_nowait(at("n0"), "stderr", text, 1.0)
        (line,) = await store.logs("r")
        assert line.text == text.replace("\udc80", "\\udc80")

    asyncio.run(main())


async def asked(store: AnyStore, run: str) -> list[tuple[str, str]]:
    return [(request.request, request.detail) for request in await store.requests(run)]


def test_requests_stay_in_order_until_they_are_answered(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [event(1)])
        await store.create(summary("s"), [event(1)])
        assert await store.requests("r") == []
        await store.send("r", "abort", "enough", 9.0)
        await store.send("s", "abort", "too", 1.0)
        await store.send("r", "note", "", 1.0)
        assert await asked(store, "r") == [("abort", "enough"), ("note", "")]
        abort, note = await store.requests("r")
        assert (abort.at, note.at) == (9.0, 1.0)
        await store.append("r", 1, 2, [event(2)], None, [abort.id])
        assert await store.requests("r") == [note]
        await store.append("r", 1, 3, [event(3)])
        assert await store.requests("r") == [note]
        await store.append("r", 1, 4, [event(4)], summary("r"), [note.id])
        assert await store.requests("r") == []
        assert await asked(store, "s") == [("abort", "too")]

    asyncio.run(main())


def test_a_refused_append_answers_nobody(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [event(1)])
        await store.send("r", "abort", "enough", 9.0)
        (request,) = await store.requests("r")
        await store.claim("r", "another")
        with pytest.raises(Fenced):
            await store.append("r", 1, 2, [event(2)], None, [request.id])
        assert await store.requests("r") == [request]

    asyncio.run(main())


def test_nobody_answers_for_another_run(store: AnyStore) -> None:
    async def main() -> None:
        for run in ("r", "s"):
            await store.create(summary(run), [event(1)])
            await store.send(run, "abort", run, 9.0)
        (other,) = await store.requests("s")
        await store.append("r", 1, 2, [event(2)], None, [other.id, 10**9])
        await store.dismiss("r", [other.id])
        assert await asked(store, "r") == [("abort", "r")]
        assert await asked(store, "s") == [("abort", "s")]

    asyncio.run(main())


def test_dismissed_requests_are_gone_and_ids_are_not_given_again(store: AnyStore) -> None:
    async def main() -> None:
        await store.create(summary("r"), [])
        ids: list[int] = []
        for n in range(5):
            await store.send("r", "n", str(n), 1.0)
            (request,) = await store.requests("r")
            ids.append(request.id)
            await store.dismiss("r", [request.id])
        assert await store.requests("r") == []
        assert len(set(ids)) == 5

    asyncio.run(main())


def test_there_is_nobody_to_ask(store: AnyStore) -> None:
    async def main() -> None:
        with pytest.raises(EntityNotFound, match="none"):
            await store.send("none", "abort", "", 1.0)
        assert await store.requests("none") == []

    asyncio.run(main())


def test_runs_with_requests_are_named_once(store: AnyStore) -> None:
    async def main() -> None:
        for run in ("a", "b", "c"):
            await store.create(summary(run), [])
        assert await store.addressed() == []
        for run in ("c", "a", "c"):
            await store.send(run, "abort", "enough", 1.0)
        assert await store.addressed() == ["a", "c"]
        await store.dismiss("c", [request.id for request in await store.requests("c")])
        assert await store.addressed() == ["a"]

    asyncio.run(main())
