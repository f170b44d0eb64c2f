"""``flytekit.core.workflow``: static workflows, as functions and as objects."""

from flytekit._adapt import missing
from flytekit._adapt import workflow as workflow
from whimbrel.authoring.imperative import ImperativeWorkflow as ImperativeWorkflow
from whimbrel.authoring.workflow import Workflow as PythonFunctionWorkflow
from whimbrel.model.program import FailurePolicy as WorkflowFailurePolicy

__all__ = ["ImperativeWorkflow", "PythonFunctionWorkflow", "WorkflowBase", "WorkflowFailurePolicy", "workflow"]

WorkflowBase = PythonFunctionWorkflow

__getattr__ = missing(__name__)
