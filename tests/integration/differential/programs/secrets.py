"""Tasks that ask for secrets."""

from flytekit import Secret, task, workflow


@task(secret_requests=[Secret(group="db", key="password"), Secret(group="api", key="token", env_var="TOKEN")])
def ask() -> str:
    return "asked"


@task(
    secret_requests=[
        Secret(group="a", key="b", mount_requirement=Secret.MountType.ENV_VAR),
        Secret(group="c", key="d", group_version="v1", mount_requirement=Secret.MountType.FILE),
    ]
)
def mounted() -> str:
    return "mounted"


@workflow
def wf() -> str:
    a = ask()
    m = mounted()
    a >> m
    return m
