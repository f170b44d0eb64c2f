"""``flytekit.types.numpy``: arrays of numpy are understood without it."""

from flytekit._adapt import missing

__all__ = []

__getattr__ = missing(__name__)
