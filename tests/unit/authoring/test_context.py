"""What a task may ask about itself."""

import datetime as dt
import os

import pytest

from whimbrel import current_context, task, workflow
from whimbrel.authoring.calling import Direct, current
from whimbrel.authoring.context import ExecutionContext, ExecutionId, Secrets
from whimbrel.errors import EntityNotFound


@task
def directories() -> tuple[str, str]:
    context = current_context()
    assert os.path.isdir(context.working_directory)
    return context.working_directory, current_context().working_directory


@workflow
def flow() -> tuple[str, str]:
    first, _ = directories()
    second, _ = directories()
    return first, second


def test_everything_is_there() -> None:
    context = ExecutionContext(execution_id=ExecutionId("p", "d", "n"))
    assert (context.execution_id.project, str(context.execution_id)) == ("p", "n")
    assert context.execution_date.tzinfo is dt.UTC
    assert context.execution_date is context.execution_date
    assert context.decks == []
    assert context.logging.name == "whimbrel.user"
    assert str(context.task_id) == ""
    context.checkpoint.write(b"half")
    assert context.checkpoint.read() == b"half"
    context.stats.incr("n")
    with context.stats.timer("t"):
        context.stats.gauge("level", 3)
    context.stats.decr("n", 3)
    assert (context.stats.counts, context.stats.gauges) == ({"n": -2}, {"level": 3})
    assert len(context.stats.timings["t"]) == 1


def test_one_execution_has_one_scratch_directory() -> None:
    first, second = flow()
    assert first == second
    assert flow()[0] != first


def test_the_scratch_directory_goes_with_its_context() -> None:
    context = ExecutionContext()
    path = context.working_directory
    assert os.path.isdir(path)
    context.close()
    assert not os.path.exists(path)


def test_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHIMBREL_SECRET_DB_PASSWORD", "one")
    monkeypatch.setenv("_FSEC_API_TOKEN", "two")
    secrets = Secrets()
    assert secrets.get("db", "password") == "one"
    assert secrets.get("api", key="token") == "two"
    assert secrets.db("password") == "one"
    with pytest.raises(EntityNotFound, match="looked for WHIMBREL_SECRET_NO_KEY and _FSEC_NO_KEY"):
        secrets.get("no", "key")


def test_a_caller_shows_its_execution() -> None:
    context = ExecutionContext(execution_id=ExecutionId("p", "d", "mine"))
    token = current.set(Direct(context))
    try:
        assert current_context() is context
        assert flow()[0] == context.working_directory
    finally:
        current.reset(token)
        context.close()
