"""Documentation that is given as an object."""

from flytekit import Description, Documentation, SourceCode, task, workflow


@task(
    docs=Documentation(
        short_description="Add one.",
        long_description=Description(value="It adds *one*."),
        source_code=SourceCode(link="https://example.com/code"),
    )
)
def add(x: int) -> int:
    return x + 1


@task(docs=Documentation(short_description="Take one."))
def take(x: int) -> int:
    return x - 1


@workflow(docs=Documentation(short_description="Two steps."))
def wf(x: int) -> int:
    return take(x=add(x=x))
