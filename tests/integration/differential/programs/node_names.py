"""Nodes with names of their own, and what is bound to them."""

from flytekit import task, workflow
from flytekit.core.node_creation import create_node


@task
def work(x: int) -> int:
    return x


@task
def pair(x: int) -> (int, int):
    return x, x


@workflow
def wf(x: int) -> int:
    a = work(x=x).with_overrides(node_name="Read_Rows")
    n = create_node(pair, x=a).with_overrides(node_name="pair-of-them")
    return work(x=n.o1)
