"""The import name ``flytekit``, carried by whimbrel: existing workflow files run unchanged.

Names are whimbrel's own, or adapters. What this release has not says so when it is imported: see ``supported.toml``.
"""

from flytekit._adapt import blocking_eager as eager
from flytekit._adapt import explain_absent_modules, missing
from flytekit._adapt import task as task
from flytekit._adapt import workflow as workflow
from flytekit.configuration import Config as Config
from flytekit.core.base_task import TaskMetadata as TaskMetadata
from flytekit.core.base_task import kwtypes as kwtypes
from flytekit.core.cache import Cache as Cache
from flytekit.core.cache import CachePolicy as CachePolicy
from flytekit.core.cache import VersionParameters as VersionParameters
from flytekit.core.condition import conditional as conditional
from flytekit.core.context_manager import ExecutionParameters as ExecutionParameters
from flytekit.core.context_manager import FlyteContext as FlyteContext
from flytekit.core.context_manager import FlyteContextManager as FlyteContextManager
from flytekit.core.python_function_task import PythonFunctionTask as PythonFunctionTask
from flytekit.core.resources import Resources as Resources
from flytekit.core.workflow import ImperativeWorkflow as Workflow
from flytekit.core.workflow import WorkflowFailurePolicy as WorkflowFailurePolicy
from flytekit.loggers import logger as logger
from flytekit.models.security import Secret as Secret
from flytekit.remote import FlyteRemote as FlyteRemote
from flytekit.types.directory import FlyteDirectory as FlyteDirectory
from flytekit.types.file import FlyteFile as FlyteFile
from whimbrel.authoring.calling import current_context as current_context

__all__ = [
    "Cache",
    "CachePolicy",
    "Config",
    "ExecutionParameters",
    "FlyteContext",
    "FlyteContextManager",
    "FlyteDirectory",
    "FlyteFile",
    "FlyteRemote",
    "PythonFunctionTask",
    "Resources",
    "Secret",
    "TaskMetadata",
    "VersionParameters",
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

__version__ = "1.16.0+whimbrel"

explain_absent_modules()
__getattr__ = missing(__name__)
