"""Wrong code: a checker must refuse each line that ends in `# error: <code>`, and no other. Never run."""

from whimbrel import Task, create_node, eager, task, workflow


@task
def count(text: str, most: int = 10) -> int:
    return len(text)


@task
async def fetch(url: str) -> bytes:
    return url.encode()


@eager
async def study(text: str) -> float:
    await count.aio(text=3)  # error: arg-type
    await count.aio()  # error: call-arg
    (await count.aio(text="a")).upper()  # error: attr-defined
    await fetch.aio(uri="a")  # error: call-arg
    await count.options(retries=1).aio(3)  # error: arg-type
    return await count.aio(text="a")


@eager  # error: arg-type
def not_async(x: int) -> int:
    return x


@workflow
def flow(text: str) -> str:
    count(text=3)  # error: arg-type
    count(txt="a")  # error: call-arg
    count()  # error: call-arg
    count("a", "b")  # error: arg-type
    count("a", 1, 2)  # error: call-arg
    return count(text=text)  # error: return-value


flow(text=1)  # error: arg-type
study(1)  # error: arg-type unused-coroutine
number: str = count(text="a")  # error: assignment
wrong: Task[..., str] = count  # error: assignment
create_node(3)  # error: arg-type
