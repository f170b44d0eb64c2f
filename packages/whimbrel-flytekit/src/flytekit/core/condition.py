"""``flytekit.core.condition``: branches of a static workflow."""

from whimbrel.authoring.conditional import conditional as conditional

__all__ = ["conditional"]
