"""Options that several tasks share."""

from flytekit import Environment, Resources, workflow

env = Environment(retries=2, environment={"A": "b"}, limits=Resources(cpu="1"))


@env.task
def plain(x: int) -> int:
    return x


@env.task(retries=5)
def more(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return more(x=plain(x=x))
