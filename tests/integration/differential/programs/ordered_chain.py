"""Long chains of `>>`, and several nodes before one."""

from flytekit import task, workflow
from flytekit.core.node_creation import create_node


@task
def step() -> None:
    pass


@task
def last(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    a = create_node(step)
    b = create_node(step)
    c = create_node(step)
    d = create_node(step)
    out = create_node(last, x=x)
    a >> b >> c
    a >> d
    c >> out
    d >> out
    return out.o0
