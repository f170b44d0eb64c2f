"""``flytekit.core.node``: a step of a workflow that is being compiled."""

from whimbrel.authoring.tracer import NodeHandle as Node

__all__ = ["Node"]
