"""A branch over outputs of steps, with steps behind it."""

from flytekit import conditional, task, workflow


@task
def toss(seed: int) -> bool:
    return seed % 2 == 0


@task
def count(seed: int) -> int:
    return seed


@task
def heads(n: int) -> str:
    return "heads"


@task
def tails() -> str:
    return "tails"


@task
def shout(text: str) -> str:
    return text.upper()


@workflow
def wf(seed: int) -> str:
    n = count(seed=seed)
    coin = toss(seed=seed)
    found = conditional("coin").if_(coin.is_true()).then(heads(n=n)).else_().then(tails())
    return shout(text=found)
