"""Gates: a value from outside, a person's yes, a pause."""

from datetime import timedelta

from flytekit import approve, sleep, task, wait_for_input, workflow


@task
def double(x: int) -> int:
    return x * 2


@workflow
def wf(x: int) -> int:
    a = double(x=x)
    b = wait_for_input("how-many", timeout=timedelta(hours=1), expected_type=int)
    s = sleep(timedelta(seconds=10))
    a >> s
    s >> b
    return double(x=approve(b, "really", timeout=timedelta(hours=2)))
