"""Eager workflows that name their server, and what they call."""

from flytekit import LaunchPlan, task, workflow
from flytekit.configuration import Config
from flytekit.experimental import eager
from union.remote import FlyteRemote


@task
def add_one(x: int) -> int:
    return x + 1


@task
def double(x: int) -> int:
    return x * 2


@workflow
def both(x: int) -> int:
    return double(x=add_one(x=x))


@eager(
    remote=FlyteRemote(config=Config.auto(config_file="not-there.yaml"), default_project="flytesnacks"),
    client_secret_group="a group",
    client_secret_key="a key",
)
async def reach(x: int) -> int:
    out = await add_one(x=x)
    if out < 0:
        return -1
    return await double(x=out)


@eager(remote=FlyteRemote(config=Config.for_sandbox(), default_domain="development"))
async def reach_twice(x: int) -> int:
    return await both(x=await reach(x=x))


doubled_three = LaunchPlan.get_or_create(both, name="doubled three", default_inputs={"x": 3})
