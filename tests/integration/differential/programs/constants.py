"""Constants as arguments."""

from flytekit import task, workflow


@task
def mixed(a: int, b: float, c: str, d: bool, e: float) -> str:
    return f"{a}{b}{c}{d}{e}"


@workflow
def wf() -> str:
    return mixed(a=1, b=2.5, c="three", d=True, e=-0.25)
