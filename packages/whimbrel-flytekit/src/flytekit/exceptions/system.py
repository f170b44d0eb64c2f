"""``flytekit.exceptions.system``: the classes that blame the machinery."""

from flytekit.exceptions.base import FlyteException

__all__ = [
    "FlyteAgentNotFound",
    "FlyteConnectorNotFound",
    "FlyteDownloadDataException",
    "FlyteEntrypointNotLoadable",
    "FlyteNonRecoverableSystemException",
    "FlyteNotImplementedException",
    "FlyteSystemAssertion",
    "FlyteSystemException",
    "FlyteSystemUnavailableException",
    "FlyteUploadDataException",
]


class FlyteSystemException(FlyteException, code="SYSTEM:Unknown"):
    """The machinery is at fault, not the workflow."""


class FlyteNotImplementedException(FlyteSystemException, NotImplementedError, code="SYSTEM:NotImplemented"):
    """There is no such thing yet."""


class FlyteEntrypointNotLoadable(FlyteSystemException, code="SYSTEM:UnloadableCode"):
    """A task's code cannot be loaded."""


class FlyteSystemAssertion(FlyteSystemException, AssertionError, code="SYSTEM:AssertionError"):
    """Something that must hold does not."""


class FlyteConnectorNotFound(FlyteSystemException, AssertionError, code="SYSTEM:ConnectorNotFound"):
    """No connector serves this type of task."""


class FlyteDownloadDataException(FlyteSystemException, code="SYSTEM:DownloadDataError"):
    """Data could not be read."""


class FlyteUploadDataException(FlyteSystemException, code="SYSTEM:UploadDataError"):
    """Data could not be written."""


class FlyteNonRecoverableSystemException(FlyteSystemException, code="USER:NonRecoverableSystemError"):
    """Another attempt would fail as well."""


class FlyteSystemUnavailableException(FlyteSystemException, code="SYSTEM:Unavailable"):
    """The service cannot be reached."""


FlyteAgentNotFound = FlyteConnectorNotFound
"""The older name."""
