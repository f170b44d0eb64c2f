"""`create_node`, its outputs and its order."""

from flytekit import task, workflow
from flytekit.core.node_creation import create_node


@task
def prepare():
    print("prepare")


@task
def work(x: int) -> int:
    return x


@task
def pair(x: int) -> (int, str):
    return x, str(x)


@workflow
def wf(x: int) -> (int, str):
    p = create_node(prepare)
    w = create_node(work, x=x)
    q = create_node(pair, x=w.o0)
    p >> w
    p.runs_before(q)
    return q.o0, q.o1
