"""Conditions over booleans and over what may be missing."""

from flytekit import conditional, task, workflow


@task
def yes() -> str:
    return "yes"


@task
def no() -> str:
    return "no"


@workflow
def wf(flag: bool, other: bool = False) -> str:
    a = conditional("flag").if_(flag.is_true()).then(yes()).else_().then(no())
    b = conditional("other").if_(other.is_false()).then(no()).else_().then(yes())
    a >> b
    return a
