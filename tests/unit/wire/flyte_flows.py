"""Workflows for the tests of Flyte's messages."""

from __future__ import annotations

from whimbrel import conditional, setup_teardown, task, workflow


@task
def before() -> None:
    """Set up."""


@task
def after() -> None:
    """Tear down."""


@task
def work(x: int) -> int:
    return x


@workflow
@setup_teardown(before=before, after=after)
def bracketed(x: int) -> int:
    work(x=x)
    return work(x=x)


@workflow
def deep(x: int) -> int:
    return conditional("deep").if_(x > 0).then(work(x=work(x=x))).else_().then(work(x=x))


@workflow
def inner(x: int) -> int:
    return work(x=x)


@workflow
def outer(x: int) -> int:
    return inner(x=x)


@workflow
def chain(x: int) -> int:
    return work(x=work(x=x))
