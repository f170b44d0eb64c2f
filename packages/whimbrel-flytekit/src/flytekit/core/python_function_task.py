"""``flytekit.core.python_function_task``: tasks as classes."""

from flytekit._adapt import missing
from flytekit.core._instance_task import PythonInstanceTask as PythonInstanceTask
from whimbrel.authoring.eager import Eager as EagerAsyncPythonFunctionTask
from whimbrel.authoring.task import Task as AsyncPythonFunctionTask
from whimbrel.authoring.task import Task as PythonFunctionTask

__all__ = ["AsyncPythonFunctionTask", "EagerAsyncPythonFunctionTask", "PythonFunctionTask", "PythonInstanceTask"]

__getattr__ = missing(__name__)
