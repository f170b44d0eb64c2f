"""``flytekit.core.dynamic_workflow_task``: tasks whose body lays out a graph when it runs."""

from flytekit._adapt import dynamic as dynamic
from flytekit._adapt import missing

__all__ = ["dynamic"]

__getattr__ = missing(__name__)
