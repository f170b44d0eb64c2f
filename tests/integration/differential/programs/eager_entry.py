"""An eager workflow as an entity of its own."""

from flytekit import eager, task


@task
def add_one(x: int) -> int:
    return x + 1


@eager
async def wf(x: int) -> int:
    """Add two."""
    out = add_one(x=x)
    return add_one(x=out)
