"""``flytekit.core.context_manager``: what a task may ask about its run, a decorator about the compilation."""

from flytekit._adapt import missing
from whimbrel.authoring.compilation import CompilationState as CompilationState
from whimbrel.authoring.compilation import FlyteContext as FlyteContext
from whimbrel.authoring.compilation import FlyteContextManager as FlyteContextManager
from whimbrel.authoring.context import ExecutionContext as ExecutionParameters
from whimbrel.authoring.context import Secrets as SecretsManager

__all__ = ["CompilationState", "ExecutionParameters", "FlyteContext", "FlyteContextManager", "SecretsManager"]

__getattr__ = missing(__name__)
