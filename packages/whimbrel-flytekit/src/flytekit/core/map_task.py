"""``flytekit.core.map_task``: a task over lists, at its older place."""

from flytekit._adapt import missing
from whimbrel.authoring.maps import map_task as map_task

__all__ = ["map_task"]

__getattr__ = missing(__name__)
