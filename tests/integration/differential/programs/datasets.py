"""Structured datasets."""

from typing import Annotated

from flytekit import StructuredDataset, kwtypes, task, workflow


@task
def load() -> StructuredDataset:
    return StructuredDataset(uri="s3://bucket/table")


@task
def some(table: Annotated[StructuredDataset, kwtypes(name=str, age=int)]) -> StructuredDataset:
    return table


@workflow
def wf() -> StructuredDataset:
    return some(table=load())
