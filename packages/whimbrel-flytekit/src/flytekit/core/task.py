"""``flytekit.core.task``: the decorators of tasks and eager workflows."""

from flytekit._adapt import blocking_eager as eager
from flytekit._adapt import missing
from flytekit._adapt import task as task
from whimbrel import reference_task as reference_task
from whimbrel.authoring.references import ReferenceTask as ReferenceTask

__all__ = ["ReferenceTask", "eager", "reference_task", "task"]

__getattr__ = missing(__name__)
