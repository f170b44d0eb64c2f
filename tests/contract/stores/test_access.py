"""What every store promises of what is kept about access, and of the audit log."""

from __future__ import annotations

import asyncio

from msgspec.structs import replace

from tests.contract.stores.conftest import AnyStore
from whimbrel.model.access import AccessKind, AccessRow, AuditEntry

NAMES = ("'; DROP TABLE access; --", "<script>", "x" * 5_000, "\u202e", "a/b", "")


def row(id: str = "a", owner: str = "me", body: bytes = b"1", *, expires_at: float = 0.0) -> AccessRow:
    return AccessRow(AccessKind.TOKEN, id, owner, body, expires_at)


def test_the_first_of_an_id_stays(store: AnyStore) -> None:
    async def scenario() -> None:
        assert await store.add_access(row())
        assert not await store.add_access(row(body=b"2"))
        assert await store.access(AccessKind.TOKEN, "a") == row()
        assert await store.access(AccessKind.CLIENT, "a") is None

    asyncio.run(scenario())


def test_of_many_who_take_a_row_one_has_it(store: AnyStore) -> None:
    async def scenario() -> None:
        await store.add_access(row())
        taken = await asyncio.gather(*(store.drop_access(AccessKind.TOKEN, "a") for _ in range(20)))
        assert taken.count(True) == 1

    asyncio.run(scenario())


def test_of_many_who_change_a_row_one_does(store: AnyStore) -> None:
    async def scenario() -> None:
        await store.add_access(row(body=b"was"))
        changed = await asyncio.gather(*(store.put_access(row(body=b"%d" % at), b"was") for at in range(20)))
        assert changed.count(True) == 1
        assert not await store.put_access(row("b"), b"was")
        assert await store.access(AccessKind.TOKEN, "b") is None

    asyncio.run(scenario())


def test_put_is_there_in_any_case(store: AnyStore) -> None:
    async def scenario() -> None:
        for body in (b"1", b"2"):
            assert await store.put_access(row(owner="you", body=body, expires_at=3.0))
        assert await store.accesses(AccessKind.TOKEN) == [row(owner="you", body=b"2", expires_at=3.0)]

    asyncio.run(scenario())


def test_rows_are_found_by_their_owner(store: AnyStore) -> None:
    async def scenario() -> None:
        for at, name in enumerate(NAMES):
            await store.add_access(row(f"{at}{name}", name or "nobody"))
        for at, name in enumerate(NAMES[:-1]):
            assert [found.id for found in await store.accesses(AccessKind.TOKEN, name)] == [f"{at}{name}"]
        assert len(await store.accesses(AccessKind.TOKEN)) == len(NAMES)
        assert await store.accesses(AccessKind.USER) == []

    asyncio.run(scenario())


def test_what_has_expired_is_forgotten_and_what_never_does_stays(store: AnyStore) -> None:
    async def scenario() -> None:
        for id, at in {"never": 0.0, "past": 1.0, "now": 2.0, "later": 2.5}.items():
            await store.add_access(row(id, expires_at=at))
        assert await store.expire_access(2.0) == 2
        assert [found.id for found in await store.accesses(AccessKind.TOKEN)] == ["later", "never"]

    asyncio.run(scenario())


def test_the_audit_log_is_read_in_pages_the_latest_first(store: AnyStore) -> None:
    async def scenario() -> None:
        said = [
            AuditEntry(float(at), "user:" + "ab"[at % 2], "launch", "p/d", NAMES[at], "ok", "::1") for at in range(6)
        ]
        for entry in said:
            await store.audit(entry)
        first = await store.audited(limit=4)
        rest = await store.audited(before=first[-1].id)
        assert [replace(entry, id=0) for entry in first + rest] == said[::-1]
        assert [entry.at for entry in await store.audited(principal="user:a", since=1.0)] == [4.0, 2.0]
        assert await store.audited(action="nothing") == []

    asyncio.run(scenario())
