"""``flytekit.core.hash``: values that say their own cache key."""

from flytekit._adapt import missing
from whimbrel.types.hashing import HashMethod as HashMethod

__all__ = ["HashMethod"]

__getattr__ = missing(__name__)
