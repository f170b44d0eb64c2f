"""A workflow with a decorator that puts a step before and one behind."""

from functools import partial, wraps
from unittest.mock import MagicMock

from flytekit import FlyteContextManager, task, workflow
from flytekit.core.node_creation import create_node

external_service = MagicMock()


@task
def setup():
    print("initializing external service")
    external_service.initialize(id=0)


@task
def teardown():
    print("finish external service")
    external_service.complete(id=0)


def setup_teardown(fn=None, *, before, after):
    @wraps(fn)
    def wrapper(*args, **kwargs):
        before_node = create_node(before)
        ctx = FlyteContextManager.current_context()
        outputs = fn(*args, **kwargs)
        after_node = create_node(after)
        if ctx.compilation_state is not None:
            workflow_node0 = ctx.compilation_state.nodes[1]
            workflow_node1 = ctx.compilation_state.nodes[-2]
            before_node >> workflow_node0
            workflow_node1 >> after_node
        return outputs

    if fn is None:
        return partial(setup_teardown, before=before, after=after)
    return wrapper


@task
def t1(x: float) -> float:
    return x - 1


@task
def t2(x: float) -> float:
    return x**2


@workflow
@setup_teardown(before=setup, after=teardown)
def wf(x: float) -> float:
    return t2(x=t1(x=x))
