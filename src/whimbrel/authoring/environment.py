"""``Environment``: options that several tasks share."""

from __future__ import annotations

from typing import Any

from whimbrel.authoring.eager import EagerDecorator, eager
from whimbrel.authoring.options import unknown_option
from whimbrel.authoring.task import TASK_OPTIONS, TaskDecorator, task


class Environment:
    """``env = Environment(retries=3, container_image="…")``, and then ``@env.task`` or ``@env(timeout=10)``.

    What a task says itself is laid over what its environment says. Raises ``CallMismatch`` for an option that does not
    exist.
    """

    def __init__(self, **options: Any) -> None:
        for name in options:
            if name not in TASK_OPTIONS:
                raise unknown_option(name, TASK_OPTIONS)
        self.options = options
        """What the tasks share."""

    def update(self, **options: Any) -> None:
        """Let tasks that are made from now on share other options."""
        self.options = Environment(**{**self.options, **options}).options

    def extend(self, **options: Any) -> Environment:
        """Another environment, with these options over its own."""
        return Environment(**{**self.options, **options})

    def show(self) -> str:
        """The options, for people."""
        return ", ".join(f"{name}={value!r}" for name, value in self.options.items())

    def task(self, fn: Any = None, /, **options: Any) -> Any:
        """``task`` with the shared options."""
        decorator: TaskDecorator = task(**{**self.options, **options})
        return decorator if fn is None else decorator(fn)

    def eager(self, fn: Any = None, /, **options: Any) -> Any:
        """``eager`` with the shared options."""
        decorator: EagerDecorator = eager(**{**self.options, **options})
        return decorator if fn is None else decorator(fn)

    __call__ = task

    def __repr__(self) -> str:
        return f"Environment({self.show()})"
