"""What every store promises of what was registered."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from tests.contract.stores.conftest import AnyStore
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, HeadQuery, Operator


def entity(name: str = "m.f", version: str = "v1", at: float = 1.0, *, kind: EntityKind = EntityKind.TASK) -> Entity:
    return Entity(EntityId(kind, "p", "d", name, version), b"message", b"model", "", at, at)


def test_what_was_registered_first_stays(store: AnyStore) -> None:
    async def scenario() -> None:
        first = entity()
        assert await store.add_entity(first) == first
        assert await store.add_entity(replace(first, message=b"another")) == first
        assert await store.entity(first.id) == first
        assert await store.entity(replace(first.id, version="v2")) is None

    asyncio.run(scenario())


def test_what_people_set_is_replaced_and_forgotten(store: AnyStore) -> None:
    async def scenario() -> None:
        first = entity(kind=EntityKind.NAME)
        other = entity("m.g", kind=EntityKind.NAME)
        assert not await store.drop_entity(first.id)
        await store.put_entity(first)
        await store.put_entity(other)
        await store.put_entity(replace(first, message=b"another", state="ARCHIVED", updated_at=2.0))
        assert await store.entity(first.id) == replace(first, message=b"another", state="ARCHIVED", updated_at=2.0)
        assert await store.drop_entity(first.id)
        assert await store.entity(first.id) is None
        assert await store.entity(other.id) == other

    asyncio.run(scenario())


async def filled(store: AnyStore) -> None:
    for number in range(6):
        await store.add_entity(entity(f"m.{'ab'[number % 2]}", f"v{number}", float(number // 2)))
    await store.add_entity(entity("m.w", kind=EntityKind.WORKFLOW))


@pytest.mark.parametrize(
    ("filter", "expected"),
    [
        (Filter("version", Operator.EQ, ("v3",)), "3"),
        (Filter("version", Operator.NE, ("v3",)), "01245"),
        (Filter("created_at", Operator.GT, (1.0,)), "45"),
        (Filter("created_at", Operator.GTE, (1.0,)), "2345"),
        (Filter("created_at", Operator.LT, (1.0,)), "01"),
        (Filter("created_at", Operator.LTE, (1.0,)), "0123"),
        (Filter("name", Operator.CONTAINS, (".a",)), "024"),
        (Filter("name", Operator.CONTAINS, ("%",)), ""),
        (Filter("version", Operator.CONTAINS, ("V",)), ""),
        (Filter("version", Operator.VALUE_IN, ("v1", "v5", "' OR 1=1 --")), "15"),
        (Filter("version", Operator.VALUE_NOT_IN, ("v1", "v5")), "0234"),
    ],
)
def test_filters(store: AnyStore, filter: Filter, expected: str) -> None:
    async def scenario() -> None:
        await filled(store)
        found = await store.entities(EntityQuery(EntityKind.TASK, "p", "d", filters=(filter,), sort="version"))
        assert "".join(sorted(row.id.version[1:] for row in found)) == expected

    asyncio.run(scenario())


def test_pages_neither_repeat_nor_miss_any(store: AnyStore) -> None:
    async def scenario() -> None:
        await filled(store)
        query = EntityQuery(EntityKind.TASK)
        whole = await store.entities(query)
        assert [row.created_at for row in whole] == [2.0, 2.0, 1.0, 1.0, 0.0, 0.0]
        pages = [await store.entities(replace(query, limit=2, offset=at)) for at in (0, 2, 4, 6)]
        assert [row for page in pages for row in page] == whole
        named = await store.entities(replace(query, name="m.a", sort="version", descending=False))
        assert [row.id.version for row in named] == ["v0", "v2", "v4"]

    asyncio.run(scenario())


def test_an_unknown_field_is_refused(store: AnyStore) -> None:
    async def scenario() -> None:
        for query in (
            EntityQuery(EntityKind.TASK, sort="1; DROP TABLE entities"),
            EntityQuery(EntityKind.TASK, filters=(Filter("message", Operator.EQ, ("",)),)),
        ):
            with pytest.raises(ValueError, match="no field"):
                await store.entities(query)

    asyncio.run(scenario())


def test_names_come_once_each(store: AnyStore) -> None:
    async def scenario() -> None:
        await filled(store)
        assert await store.entity_names(EntityKind.TASK, "p", "d") == ["m.a", "m.b"]
        assert await store.entity_names(EntityKind.TASK, "", "", limit=1, offset=1) == ["m.b"]
        assert await store.entity_names(EntityKind.TASK, "q", "d") == []

    asyncio.run(scenario())


def test_at_most_one_version_is_active(store: AnyStore) -> None:
    async def scenario() -> None:
        await filled(store)
        first, second, other = (EntityId(EntityKind.TASK, "p", "d", name, v) for name, v in NAMED)
        for number, id in enumerate((first, other, second)):
            assert await store.set_entity_state(id, "ACTIVE", 10.0 + number, alone="INACTIVE")
        states = {row.id.version: (row.state, row.updated_at) for row in await store.entities(BY_VERSION)}
        assert states == {
            "v0": ("INACTIVE", 12.0),
            "v1": ("ACTIVE", 11.0),
            "v2": ("ACTIVE", 12.0),
            "v3": ("", 1.0),
            "v4": ("", 2.0),
            "v5": ("", 2.0),
        }
        assert not await store.set_entity_state(replace(first, version="none"), "ACTIVE", 1.0)

    asyncio.run(scenario())


NAMED = [("m.a", "v0"), ("m.a", "v2"), ("m.b", "v1")]
BY_VERSION = EntityQuery(EntityKind.TASK, sort="version", descending=False)


def test_many_are_kept_or_none(store: AnyStore) -> None:
    async def scenario() -> None:
        one, two, three = (entity(f"m.{name}") for name in "abc")
        assert await store.add_entities([one, two])
        assert not await store.add_entities([three, replace(two, message=b"another")])
        assert await store.entity(three.id) is None
        assert await store.entity(two.id) == two
        assert await store.add_entities([three])
        assert await store.add_entities([])
        assert await store.entity_names(EntityKind.TASK, "p", "d") == ["m.a", "m.b", "m.c"]

    asyncio.run(scenario())


def test_of_many_that_are_kept_one_version_alone_has_the_state(store: AnyStore) -> None:
    async def scenario() -> None:
        plans = [entity(f"m.{name}", kind=EntityKind.LAUNCH_PLAN) for name in "ab"]
        active = [replace(plan, state="ACTIVE") for plan in plans]
        assert await store.add_entities(active, sole="ACTIVE", others="INACTIVE")
        newer = replace(active[0], id=replace(active[0].id, version="v2"), created_at=5.0, updated_at=5.0)
        assert await store.add_entities([newer], sole="ACTIVE", others="INACTIVE")
        states = [(await store.entity(row.id)).state for row in (*active, newer)]  # type: ignore[union-attr] # are there
        assert states == ["INACTIVE", "ACTIVE", "ACTIVE"]
        heads = await store.entity_heads(HeadQuery(EntityKind.LAUNCH_PLAN, "p", "d", state="ACTIVE"))
        assert [(head.latest.id.version, head.versions, head.chosen) for head in heads] == [
            ("v2", 2, "v2"),
            ("v1", 1, "v1"),
        ]

    asyncio.run(scenario())


def test_names_come_with_their_newest_version(store: AnyStore) -> None:
    async def scenario() -> None:
        await filled(store)
        query = HeadQuery(EntityKind.TASK, "p", "d")
        heads = await store.entity_heads(query)
        assert [(head.latest.id.name, head.latest.id.version, head.versions) for head in heads] == [
            ("m.a", "v4", 3),
            ("m.b", "v5", 3),
        ]
        pages = [await store.entity_heads(replace(query, limit=1, after=after)) for after in ("", "m.a", "m.b")]
        assert [head for page in pages for head in page] == heads
        assert [head.latest.id.name for head in await store.entity_heads(replace(query, text="M.B"))] == ["m.b"]
        for text in ("%", "_", "' OR 1=1 --", "x"):
            assert await store.entity_heads(replace(query, text=text)) == []
        assert await store.entity_heads(replace(query, project="other")) == []

    asyncio.run(scenario())
