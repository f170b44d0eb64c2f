"""A decorated workflow as flytekit's users write it: a greeting before everything, a farewell after everything."""

from functools import wraps

import flytekit
from flytekit import FlyteContextManager, task, workflow
from flytekit.core.node_creation import create_node


@task
def greet():
    assert flytekit.current_context().execution_id
    print("good morning")


@task
def part():
    print("good night")


def politely(fn):
    @wraps(fn)
    def inner(*args, **kwargs):
        context = FlyteContextManager.current_context()
        first = create_node(greet)
        result = fn(*args, **kwargs)
        last = create_node(part)
        state = context.compilation_state
        if state is not None:
            first >> state.nodes[1]
            state.nodes[-2] >> last
        return result

    return inner


@task
def halve(amount: float) -> float:
    return amount / 2


@task
def describe(amount: float, unit: str = "kg") -> str:
    return f"{amount:g} {unit}"


@workflow
@politely
def weigh(amount: float) -> str:
    return describe(amount=halve(amount=amount))


if __name__ == "__main__":
    print(weigh(amount=5.0))
