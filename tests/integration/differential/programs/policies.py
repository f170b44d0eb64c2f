"""Failure policy and defaults of a workflow."""

from flytekit import WorkflowFailurePolicy, task, workflow


@task
def work(x: int) -> int:
    return x


@workflow(interruptible=True)
def inner(x: int) -> int:
    return work(x=x)


@workflow(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, interruptible=False)
def wf(x: int) -> int:
    work(x=1)
    return inner(x=x)
