"""``flytekit.core.workflow``: static workflows."""

from flytekit._adapt import missing
from flytekit._adapt import workflow as workflow
from whimbrel import reference_workflow as reference_workflow
from whimbrel.authoring.imperative import ImperativeWorkflow as ImperativeWorkflow
from whimbrel.authoring.references import ReferenceWorkflow as ReferenceWorkflow
from whimbrel.authoring.workflow import Workflow as PythonFunctionWorkflow
from whimbrel.authoring.workflow import Workflow as WorkflowBase
from whimbrel.model.program import FailurePolicy as WorkflowFailurePolicy

__all__ = [
    "ImperativeWorkflow",
    "PythonFunctionWorkflow",
    "ReferenceWorkflow",
    "WorkflowBase",
    "WorkflowFailurePolicy",
    "reference_workflow",
    "workflow",
]

__getattr__ = missing(__name__)
