"""``flytekit.core.context_manager``: what a task may ask about its run, a decorator about the compilation, a
transformer about files.
"""

from __future__ import annotations

from functools import cached_property

from flytekit._adapt import missing
from flytekit._types.moving import FileAccessProvider
from whimbrel.authoring.compilation import CompilationState as CompilationState
from whimbrel.authoring.compilation import FlyteContext as _Context
from whimbrel.authoring.context import ExecutionContext as ExecutionParameters
from whimbrel.authoring.context import Secrets as SecretsManager

__all__ = ["CompilationState", "ExecutionParameters", "FlyteContext", "FlyteContextManager", "SecretsManager"]


class FlyteContext(_Context):
    """The state of affairs where it was asked for."""

    @cached_property
    def file_access(self) -> FileAccessProvider:
        """How files are moved."""
        return FileAccessProvider()

    @staticmethod
    def current_context() -> FlyteContext:
        """The present context."""
        return FlyteContext()


class FlyteContextManager:
    """Gives the present context."""

    @staticmethod
    def current_context() -> FlyteContext:
        """The present context."""
        return FlyteContext()


__getattr__ = missing(__name__)
