"""Dictionaries, of lists too, with promises inside."""

from flytekit import task, workflow


@task
def number(x: int) -> int:
    return x


@task
def total(table: dict[str, int]) -> int:
    return sum(table.values())


@task
def nested(table: dict[str, list[int]]) -> dict[str, int]:
    return {key: sum(value) for key, value in table.items()}


@workflow
def wf(n: int) -> int:
    a = number(x=n)
    table = nested(table={"z": [a, 1], "a": [2, n]})
    t = total(table=table)
    return total(table={"t": t, "a": a, "k": 3})
