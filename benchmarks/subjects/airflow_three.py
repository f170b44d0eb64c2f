"""Airflow: three tasks, one after the other. Read by its scheduler; submitted by ``airflow_runs.py``."""

from airflow.sdk import dag, task


@task
def step(x: int) -> int:
    return x + 1


@dag(schedule=None, catchup=False)
def three():
    step(step(step(1)))


three()
