"""Types that are a choice of literal values."""

from typing import Literal

from flytekit import task, workflow


@task
def choose(how: Literal["fast", "slow"], level: Literal[1, 2, 3] = 2) -> Literal["fast", "slow"]:
    return how


@workflow
def wf(how: Literal["fast", "slow"] = "slow") -> Literal["fast", "slow"]:
    return choose(how=choose(how=how), level=3)
