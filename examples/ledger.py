"""Close a day's books: a static workflow, with a decorator that opens the ledger before and seals it behind.

    whimbrel run examples/ledger.py close_day --day 2024-05-17

The graph is known before anything runs: `whimbrel compile examples/ledger.py close_day` prints it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import partial, wraps
from typing import Any, NamedTuple

from whimbrel import FlyteContextManager, Task, create_node, task, workflow


class Totals(NamedTuple):
    """What a day came to."""

    income: float
    tax: float


@task
def open_ledger() -> None:
    """Runs before everything else."""
    print("the ledger is open")


@task
def seal_ledger() -> None:
    """Runs after everything else."""
    print("the ledger is sealed")


def setup_teardown(
    fn: Callable[..., Any] | None = None, *, before: Task[..., Any], after: Task[..., Any]
) -> Callable[..., Any]:
    """Put ``before`` ahead of a workflow's first node, and ``after`` behind its last."""
    if fn is None:
        return partial(setup_teardown, before=before, after=after)

    @wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        before_node = create_node(before)
        outputs = fn(*args, **kwargs)
        after_node = create_node(after)
        state = FlyteContextManager.current_context().compilation_state
        if state is not None:
            before_node >> state.nodes[1]
            state.nodes[-2] >> after_node
        return outputs

    return wrapper


@task
def sales(day: dt.date) -> list[float]:
    """The day's sales; the later in the month, the more."""
    return [round(day.day * 3.7 + hour, 2) for hour in range(8)]


@task
def total(amounts: list[float]) -> float:
    """Their sum."""
    return round(sum(amounts), 2)


@task
def tax_on(income: float, rate: float) -> float:
    """The tax."""
    return round(income * rate, 2)


@workflow
@setup_teardown(before=open_ledger, after=seal_ledger)
def close_day(day: dt.date, rate: float = 0.19) -> Totals:
    """Close the books of a day.

    Args:
        day: Which.
        rate: The tax rate.
    """
    income = total(amounts=sales(day=day))
    return Totals(income, tax_on(income=income, rate=rate))
