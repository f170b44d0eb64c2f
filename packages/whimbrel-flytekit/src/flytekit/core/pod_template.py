"""``flytekit.core.pod_template``: the pods of a task, as data."""

from flytekit._adapt import missing
from whimbrel import PodTemplate as PodTemplate

__all__ = ["PodTemplate"]

__getattr__ = missing(__name__)
