"""``flytekit.remote``: a server, what is registered there and what runs there."""

from flytekit._adapt import missing
from flytekit._remote.entities import FlyteLaunchPlan as FlyteLaunchPlan
from flytekit._remote.entities import FlyteTask as FlyteTask
from flytekit._remote.entities import FlyteWorkflow as FlyteWorkflow
from flytekit._remote.executions import FlyteNodeExecution as FlyteNodeExecution
from flytekit._remote.executions import FlyteTaskExecution as FlyteTaskExecution
from flytekit._remote.executions import FlyteWorkflowExecution as FlyteWorkflowExecution
from flytekit._remote.remote import FlyteRemote as FlyteRemote

__all__ = [
    "FlyteLaunchPlan",
    "FlyteNodeExecution",
    "FlyteRemote",
    "FlyteTask",
    "FlyteTaskExecution",
    "FlyteWorkflow",
    "FlyteWorkflowExecution",
]

__getattr__ = missing(__name__)
