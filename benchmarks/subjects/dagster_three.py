"""Dagster: a job of three ops, submitted to its webserver, which starts a process for each run."""

import dagster as dg


@dg.op
def first() -> int:
    return 2


@dg.op
def step(x: int) -> int:
    return x + 1


@dg.job(executor_def=dg.in_process_executor)
def three():
    step.alias("third")(step.alias("second")(first()))


defs = dg.Definitions(jobs=[three])
