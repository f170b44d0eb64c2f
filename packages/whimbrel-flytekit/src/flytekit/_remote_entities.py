"""What a server holds, by the classes that it is held in: names for annotations. To make one is refused."""

from __future__ import annotations

from typing import Any

from flytekit._adapt import NotInThisRelease


class _OfAServer:
    def __init__(self, *_: Any, **__: Any) -> None:
        raise NotInThisRelease(
            f"{type(self).__name__} is held by a server, which is planned, but not in this release of "
            "whimbrel-flytekit. Import entities from their modules; see what ran with `whimbrel describe RUN`."
        )


class FlyteTask(_OfAServer):
    """A registered task."""


class FlyteWorkflow(_OfAServer):
    """A registered workflow."""


class FlyteLaunchPlan(_OfAServer):
    """A registered launch plan."""


class FlyteWorkflowExecution(_OfAServer):
    """An execution on a server."""


class FlyteNodeExecution(_OfAServer):
    """A node of an execution on a server."""


class FlyteTaskExecution(_OfAServer):
    """An attempt of a task on a server."""
