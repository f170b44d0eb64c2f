"""``flytekit.core.array_node_map_task``: a task over lists."""

from flytekit._adapt import missing
from whimbrel.authoring.maps import MapTask as ArrayNodeMapTask
from whimbrel.authoring.maps import map_task as map_task

__all__ = ["ArrayNodeMapTask", "map_task"]

__getattr__ = missing(__name__)
