"""``flytekit.core.python_function_task``: tasks as a class."""

from flytekit._adapt import missing
from whimbrel.authoring.task import Task as PythonFunctionTask

__all__ = ["PythonFunctionTask"]

__getattr__ = missing(__name__)
