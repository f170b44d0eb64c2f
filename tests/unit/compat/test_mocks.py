"""``flytekit.testing``: tasks replaced by mocks."""

import asyncio
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from flytekit import task, workflow
from flytekit.core.testing import task_mock as by_its_module
from flytekit.testing import SecretsManager, patch, task_mock
from whimbrel.errors import CallMismatch, ValueMismatch


@task
def fetch(url: str) -> int:
    raise ConnectionError(url)


@task
def double(x: int) -> int:
    return x * 2


@task
async def fetch_async(url: str) -> int:
    raise ConnectionError(url)


@workflow
def pages(url: str) -> int:
    return double(x=fetch(url=url))


def test_a_mock_stands_in_for_a_task() -> None:
    with task_mock(fetch) as mock:
        mock.return_value = 21
        assert fetch(url="u") == 21
        assert pages(url="v") == 42
    assert [call.kwargs for call in mock.call_args_list] == [{"url": "u"}, {"url": "v"}]
    with pytest.raises(ConnectionError):
        pages(url="u")


def test_a_workflow_can_be_replaced_too() -> None:
    with by_its_module(pages) as mock:
        mock.return_value = 5
        assert pages(url="u") == 5


def test_an_async_task_has_an_async_mock() -> None:
    with task_mock(fetch_async) as mock:
        mock.return_value = 3
        assert asyncio.run(fetch_async(url="u")) == 3  # type: ignore[arg-type]


def test_types_are_still_checked() -> None:
    with task_mock(fetch) as mock:
        mock.return_value = "many"
        with pytest.raises(ValueMismatch):
            fetch(url="u")
        with pytest.raises(CallMismatch):
            fetch(uri="u")  # type: ignore[call-arg]


def test_the_function_is_back_after_an_error() -> None:
    with pytest.raises(RuntimeError), task_mock(fetch):
        raise RuntimeError
    with pytest.raises(ConnectionError):
        fetch(url="u")


@patch(double)
@patch(fetch)
def test_patch_decorates_tests(fetched: MagicMock, doubled: MagicMock, tmp_path: Path) -> None:
    assert tmp_path.is_dir()  # fixtures come after the mocks
    fetched.return_value = 1
    doubled.side_effect = lambda x: x + 100
    assert pages(url="u") == 101


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_FSEC_GROUP_KEY", "s3cret")
    assert SecretsManager().get("group", "key") == "s3cret"
