"""``flytekit.models.core.identifier``: ids of what a server holds."""

from flytekit._adapt import missing
from flytekit._remote.identifiers import Identifier as Identifier
from flytekit._remote.identifiers import NodeExecutionIdentifier as NodeExecutionIdentifier
from flytekit._remote.identifiers import ResourceType as ResourceType
from flytekit._remote.identifiers import SignalIdentifier as SignalIdentifier
from flytekit._remote.identifiers import TaskExecutionIdentifier as TaskExecutionIdentifier
from flytekit._remote.identifiers import WorkflowExecutionIdentifier as WorkflowExecutionIdentifier

__all__ = [
    "Identifier",
    "NodeExecutionIdentifier",
    "ResourceType",
    "SignalIdentifier",
    "TaskExecutionIdentifier",
    "WorkflowExecutionIdentifier",
]

__getattr__ = missing(__name__)
