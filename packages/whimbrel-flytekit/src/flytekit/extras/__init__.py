"""``flytekit.extras``: what is for some tasks only."""

from flytekit._adapt import missing

__all__ = []

__getattr__ = missing(__name__)
