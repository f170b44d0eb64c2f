"""Documentation of tasks and workflows, and descriptions of variables."""

from typing import NamedTuple

from flytekit import task, workflow


class Split(NamedTuple):
    train: int
    test: int


@task
def split(rows: int, share: float) -> Split:
    """Split the rows.

    They are split by a share, which
    is taken from the front.

    Args:
        rows: how many rows there are
        share: the share that is for training

    Returns:
        Split: the two counts
    """
    return Split(int(rows * share), rows - int(rows * share))


@task
def total(a: int, b: int) -> int:
    """Add two numbers.

    :param a: the first
    :param b: the second
    :return: their sum
    """
    return a + b


@workflow
def wf(rows: int, share: float = 0.5) -> int:
    """Split and add.

    Nothing is lost.

    Args:
        rows: how many rows

    Returns:
        int: the rows again
    """
    train, test = split(rows=rows, share=share)
    return total(a=train, b=test)
