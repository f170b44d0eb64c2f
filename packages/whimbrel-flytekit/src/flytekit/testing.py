"""``flytekit.testing``: entities replaced by mocks, in plain calls and in test engines."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar
from unittest.mock import MagicMock

from whimbrel.authoring.context import Secrets as SecretsManager
from whimbrel.authoring.entity import Entity
from whimbrel.testing.standing_in import standing_in

__all__ = ["SecretsManager", "patch", "task_mock"]

R = TypeVar("R")


@contextmanager
def task_mock(entity: Entity[..., Any]) -> Iterator[MagicMock]:
    """A mock in the place of a task, workflow, launch plan or reference, for this block: in plain calls, and in
    ``whimbrel.testing``'s engine. Say what it gives by ``return_value`` or ``side_effect``.

    Arguments and result are still checked. Worker processes import the entity anew: they don't see the mock.
    """
    mock = MagicMock(name=entity.name)
    with standing_in(entity, mock):
        yield mock


def patch(entity: Entity[..., Any]) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """A decorator of tests: the mock of ``entity`` comes as the first argument."""

    def around(test: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(test)
        def run(*args: Any, **kwargs: Any) -> R:
            with task_mock(entity) as mock:
                return test(mock, *args, **kwargs)

        # pytest reads fixtures off the signature: the mock is none.
        signature = inspect.signature(test)
        del run.__wrapped__
        run.__dict__["__signature__"] = signature.replace(parameters=list(signature.parameters.values())[1:])
        return run

    return around
