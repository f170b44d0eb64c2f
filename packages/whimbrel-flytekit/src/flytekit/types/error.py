"""``flytekit.types.error``: what a failure node is told."""

from flytekit._adapt import missing
from whimbrel.types.error import FlyteError as FlyteError

__all__ = ["FlyteError"]

__getattr__ = missing(__name__)
