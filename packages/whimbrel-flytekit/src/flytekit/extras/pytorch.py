"""``flytekit.extras.pytorch``: see the guide for the types of torch."""

from flytekit._adapt import missing

__all__ = []

__getattr__ = missing(__name__)
