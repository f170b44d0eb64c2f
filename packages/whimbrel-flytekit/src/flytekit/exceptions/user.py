"""``flytekit.exceptions.user``: the classes that blame the workflow or its inputs."""

from flytekit.exceptions._assertions import *  # noqa: F403 (a star re-exports in the eyes of type checkers too)
from flytekit.exceptions.base import FlyteAssertion as FlyteAssertion
from flytekit.exceptions.base import FlyteRecoverableException as _Recoverable
from flytekit.exceptions.base import FlyteUserException as FlyteUserException


class FlyteUserRuntimeException(FlyteUserException, code="USER:RuntimeError"):
    """User code raised."""


class FlyteTypeException(FlyteUserException, TypeError, code="USER:TypeError"):
    """A value is of the wrong type."""


class FlyteValueException(FlyteUserException, ValueError, code="USER:ValueError"):
    """A value makes no sense."""


class FlyteDataNotFoundException(FlyteValueException, code="USER:DataNotFound"):
    """There is no such data."""


class FlyteInvalidInputException(FlyteUserException, code="USER:BadInputToAPI"):
    """A request is malformed."""


class FlyteMissingTypeException(FlyteUserException, code="USER:MissingTypeError"):
    """An annotation is missing."""


class FlyteMissingReturnValueException(FlyteUserException, code="USER:MissingReturnValueError"):
    """A declared output is not returned."""


class FlyteCompilationException(FlyteUserException, code="USER:CompileError"):
    """A workflow does not compile."""


class FlyteFailureNodeInputMismatchException(FlyteUserException, code="USER:FailureNodeInputMismatch"):
    """A failure handler's inputs differ from its workflow's."""


class FlyteRecoverableException(FlyteUserException, _Recoverable, code="USER:Recoverable"):
    """Raise it in a task to ask for another attempt."""
