"""``flytekit.core.container_task``: programs of an image as tasks."""

from flytekit._adapt import missing
from whimbrel import ContainerTask as ContainerTask

__all__ = ["ContainerTask"]

__getattr__ = missing(__name__)
