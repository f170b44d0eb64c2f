"""``flytekit.core.checkpointer``: what an attempt leaves to the next one."""

from flytekit._adapt import missing
from whimbrel.authoring.context import Checkpoint as Checkpoint

__all__ = ["Checkpoint"]

__getattr__ = missing(__name__)
