"""A gate whose value decides a branch."""

from datetime import timedelta

from flytekit import conditional, task, wait_for_input, workflow


@task
def report(title: str) -> str:
    return title


@task
def reject() -> str:
    return "no"


@workflow
def wf(title: str) -> str:
    ok = wait_for_input("review", timeout=timedelta(hours=1), expected_type=bool)
    return conditional("review-passes").if_(ok.is_true()).then(report(title=title)).else_().then(reject())
