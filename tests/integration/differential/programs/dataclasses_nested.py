"""Dataclasses in dataclasses, in lists and in dictionaries, with defaults."""

from dataclasses import dataclass, field

from flytekit import task, workflow


@dataclass
class Item:
    name: str
    price: float = 1.5


@dataclass
class Order:
    items: list[Item]
    by_name: dict[str, Item]
    first: Item
    note: str | None = None
    tags: list[str] = field(default_factory=list)


@task
def order(item: Item) -> Order:
    return Order([item], {"a": item}, item)


@task
def count(orders: list[Order]) -> int:
    return len(orders)


@workflow
def wf(item: Item) -> int:
    o = order(item=item)
    return count(orders=[o, o])
