"""Tasks with decks."""

from flytekit import task, workflow


@task(enable_deck=True)
def shown(x: int) -> int:
    return x


@task(enable_deck=False)
def hidden(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return hidden(x=shown(x=x))
