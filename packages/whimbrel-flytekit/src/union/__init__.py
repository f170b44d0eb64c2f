"""The import name ``union``: flytekit's names as union spells them, carried by whimbrel."""

from flytekit import Cache as Cache
from flytekit import CachePolicy as CachePolicy
from flytekit import Config as Config
from flytekit import FlyteContextManager as FlyteContextManager
from flytekit import FlyteDirectory as FlyteDirectory
from flytekit import FlyteFile as FlyteFile
from flytekit import FlyteRemote as FlyteRemote
from flytekit import Resources as Resources
from flytekit import Secret as Secret
from flytekit import Workflow as Workflow
from flytekit import WorkflowFailurePolicy as WorkflowFailurePolicy
from flytekit import conditional as conditional
from flytekit import current_context as current_context
from flytekit import eager as eager
from flytekit import kwtypes as kwtypes
from flytekit import logger as logger
from flytekit import task as task
from flytekit import workflow as workflow
from flytekit._adapt import missing, refuse_beside

__all__ = [
    "Cache",
    "CachePolicy",
    "Config",
    "FlyteContextManager",
    "FlyteDirectory",
    "FlyteFile",
    "FlyteRemote",
    "Resources",
    "Secret",
    "Workflow",
    "WorkflowFailurePolicy",
    "conditional",
    "current_context",
    "eager",
    "kwtypes",
    "logger",
    "task",
    "workflow",
]

refuse_beside("union")

__getattr__ = missing(__name__)
