"""Launch plans that tell somebody, with labels and annotations."""

from flytekit import (
    Annotations,
    Email,
    Labels,
    LaunchPlan,
    PagerDuty,
    Slack,
    WorkflowExecutionPhase,
    task,
    workflow,
)


@task
def work(x: int) -> int:
    return x


@workflow
def wf(x: int = 1) -> int:
    return work(x=x)


told = LaunchPlan.get_or_create(
    wf,
    "notifications.told",
    notifications=[
        Email(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["a@example.com", "b@example.com"]),
        Slack(
            phases=[WorkflowExecutionPhase.SUCCEEDED, WorkflowExecutionPhase.ABORTED],
            recipients_email=["c@example.com"],
        ),
        PagerDuty(phases=[WorkflowExecutionPhase.TIMED_OUT], recipients_email=["d@example.com"]),
    ],
    labels=Labels({"team": "a", "kind": "b"}),
    annotations=Annotations({"note": "c"}),
    max_parallelism=5,
    overwrite_cache=True,
    auto_activate=True,
)
ROOTS = ("wf", "told")
