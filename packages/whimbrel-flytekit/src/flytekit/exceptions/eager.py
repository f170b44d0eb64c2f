"""``flytekit.exceptions.eager``: what a failed call raises in an eager workflow."""

from whimbrel.errors import EagerException as EagerException

__all__ = ["EagerException"]
