"""``flytekit.types.iterator.json_iterator``: lines of JSON, one by one."""

from flytekit._adapt import missing
from whimbrel.types.iterators import JSONIterator as JSONIterator

__all__ = ["JSONIterator"]

__getattr__ = missing(__name__)
