"""``flytekit.models.core.execution``: the phases of executions, nodes and attempts, and what they fail with."""

from flytekit._adapt import missing
from flytekit._remote.executions import ExecutionError as ExecutionError
from flytekit._remote.phases import NodeExecutionPhase as NodeExecutionPhase
from flytekit._remote.phases import TaskExecutionPhase as TaskExecutionPhase
from whimbrel import WorkflowExecutionPhase as WorkflowExecutionPhase

__all__ = ["ExecutionError", "NodeExecutionPhase", "TaskExecutionPhase", "WorkflowExecutionPhase"]

__getattr__ = missing(__name__)
