"""``flytekit.core.base_task``: tasks as classes, their metadata as data, and types by keyword."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from flytekit._adapt import missing
from whimbrel.authoring.task import Task
from whimbrel.types.columns import kwtypes as kwtypes

__all__ = ["PythonTask", "Task", "TaskMetadata", "kwtypes"]

PythonTask = Task


@dataclass(frozen=True)
class TaskMetadata:
    """How a task is run, as data. ``timeout`` is of one attempt: a duration, or a number of seconds."""

    cache: bool = False
    cache_serialize: bool = False
    cache_version: str = ""
    cache_ignore_input_vars: tuple[str, ...] = ()
    interruptible: bool | None = None
    deprecated: str = ""
    retries: int = 0
    timeout: dt.timedelta | int | None = None
    pod_template_name: str | None = None
    generates_deck: bool = False
    is_eager: bool = False

    def __post_init__(self) -> None:
        if self.cache and not self.cache_version:
            raise ValueError("caching needs a version; give cache_version")
        if (self.cache_serialize or self.cache_ignore_input_vars) and not self.cache:
            raise ValueError("cache_serialize and cache_ignore_input_vars need cache=True")


__getattr__ = missing(__name__)
