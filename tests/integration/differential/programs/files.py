"""Files, with and without a format."""

from flytekit import task, workflow
from flytekit.types.file import CSVFile, FlyteFile, PNGImageFile


@task
def read(path: FlyteFile) -> FlyteFile:
    return path


@task
def table(path: FlyteFile["csv"]) -> CSVFile:
    return path


@task
def picture(path: CSVFile) -> PNGImageFile:
    return PNGImageFile(path)


@workflow
def wf(path: FlyteFile = "s3://bucket/key.csv") -> PNGImageFile:
    read(path=path)
    read(path="s3://bucket/other.csv")
    return picture(path=table(path="s3://bucket/table.csv"))
