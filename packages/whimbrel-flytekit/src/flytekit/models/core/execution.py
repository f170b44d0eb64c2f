"""``flytekit.models.core.execution``: the phases of an execution."""

from flytekit._adapt import missing
from whimbrel import WorkflowExecutionPhase as WorkflowExecutionPhase

__all__ = ["WorkflowExecutionPhase"]

__getattr__ = missing(__name__)
