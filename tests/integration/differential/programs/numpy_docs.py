"""Documentation in numpy's style, and of one line."""

from flytekit import task, workflow


@task
def scale(x: float, by: float) -> float:
    """
    Scale a number.

    Parameters
    ----------
    x : float
        The number.
    by : float
        The factor.

    Returns
    -------
    float
        The product.
    """
    return x * by


@task
def negate(x: float) -> float:
    """Turn the sign around."""
    return -x


@workflow
def wf(x: float) -> float:
    """Scale and negate."""
    return negate(x=scale(x=x, by=2.0))
