"""Launch plans with identities, output prefixes and limits."""

from flytekit import ConcurrencyLimitBehavior, ConcurrencyPolicy, LaunchPlan, task, workflow
from flytekit.models.common import RawOutputDataConfig
from flytekit.models.security import Identity, SecurityContext


@task
def work(x: int) -> int:
    return x


@workflow
def wf(x: int = 1) -> int:
    return work(x=x)


plan = LaunchPlan.get_or_create(
    wf,
    "plan_options.plan",
    raw_output_data_config=RawOutputDataConfig("s3://bucket/prefix"),
    security_context=SecurityContext(run_as=Identity(k8s_service_account="robot", iam_role="role")),
    concurrency=ConcurrencyPolicy(max_concurrency=2, behavior=ConcurrencyLimitBehavior.SKIP),
)
ROOTS = ("wf", "plan")
