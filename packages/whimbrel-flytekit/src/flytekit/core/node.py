"""``flytekit.core.node``: a step of a workflow that is being compiled."""

from flytekit._adapt import missing
from whimbrel.authoring.tracer import NodeHandle as Node

__all__ = ["Node"]

__getattr__ = missing(__name__)
