"""Right code, and the types that a checker must see in it. Read by test_typing.py, never run."""

import asyncio
from collections.abc import Coroutine
from typing import Any, NamedTuple, assert_type

from whimbrel import (
    Eager,
    ImperativeWorkflow,
    Resources,
    Task,
    Workflow,
    conditional,
    create_node,
    eager,
    task,
    workflow,
)


class Stats(NamedTuple):
    mean: float
    size: int


@task
def count(text: str, most: int = 10) -> int:
    return min(len(text), most)


@task(retries=3, cache=True, resources=Resources(mem="1Gi"))
def describe(values: list[int]) -> Stats:
    return Stats(sum(values) / len(values), len(values))


@task
async def fetch(url: str) -> bytes:
    await asyncio.sleep(0)
    return url.encode()


@task(timeout=3)
async def fetch_twice(url: str) -> tuple[bytes, bytes]:
    return await fetch.aio(url), await fetch.aio(url=url)


@workflow
def flow(text: str) -> float:
    stats = describe(values=[count(text=text), count(text, most=3)])
    create_node(count, text=text)
    return stats.mean


@workflow(interruptible=True)
def flow_with_options(text: str) -> int:
    chosen: int = conditional("c").if_(True).then(count(text=text)).else_().fail("no")
    return chosen


@eager
async def study(texts: list[str]) -> float:
    counts = await asyncio.gather(*[count.aio(text=text) for text in texts])
    assert_type(counts, list[int])
    assert_type(await describe.options(mem="8Gi").aio(values=counts), Stats)
    assert_type(await fetch.aio("x"), bytes)
    assert_type(await flow.aio(text="a"), float)
    return await inner_study(texts=texts)


@eager(retries=2)
async def inner_study(texts: list[str]) -> float:
    return float(len(texts))


assert_type(count(text="a"), int)
assert_type(count("a", 3), int)
assert_type(count.options(retries=1)(text="a"), int)
assert_type(describe(values=[1]), Stats)
assert_type(fetch(url="a"), bytes)
assert_type(flow(text="a"), float)
a_coroutine = assert_type(study(texts=[]), Coroutine[Any, Any, float])
assert_type(asyncio.run(study(texts=[])), float)

a_task: Task[..., int] = count
a_workflow: Workflow[..., float] = flow
an_eager: Eager[..., float] = study
an_imperative: Workflow[..., Any] = ImperativeWorkflow("w")
