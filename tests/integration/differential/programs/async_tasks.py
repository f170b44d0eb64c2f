"""Tasks that are coroutines."""

from flytekit import task


@task
async def fetch(url: str) -> str:
    return url


@task(retries=2)
async def count(text: str, limit: int = 10) -> int:
    return min(len(text), limit)


ROOTS = ("fetch", "count")
