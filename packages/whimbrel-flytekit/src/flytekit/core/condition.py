"""``flytekit.core.condition``: branches of a static workflow."""

from flytekit._adapt import missing
from whimbrel import conditional as conditional

__all__ = ["conditional"]

__getattr__ = missing(__name__)
