"""``flytekit.core.task``: the decorators of tasks and eager workflows."""

from flytekit._adapt import blocking_eager as eager
from flytekit._adapt import missing
from flytekit._adapt import task as task

__all__ = ["eager", "task"]

__getattr__ = missing(__name__)
