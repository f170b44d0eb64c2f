"""``flytekit.core.environment``: options that several tasks share."""

from flytekit._adapt import missing
from whimbrel import Environment as Environment

__all__ = ["Environment"]

__getattr__ = missing(__name__)
