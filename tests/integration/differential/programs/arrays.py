"""Arrays of numpy."""

import numpy as np

from flytekit import task, workflow


@task
def make(n: int) -> np.ndarray:
    return np.zeros(n)


@task
def total(xs: np.ndarray) -> float:
    return float(xs.sum())


@workflow
def wf(n: int) -> float:
    return total(xs=make(n=n))
