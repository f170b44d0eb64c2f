"""``flytekit.types.iterator``: values one by one."""

from flytekit._adapt import missing
from whimbrel.types.iterators import JSON as JSON
from whimbrel.types.iterators import FlyteIterator as FlyteIterator

__all__ = ["JSON", "FlyteIterator"]

__getattr__ = missing(__name__)
