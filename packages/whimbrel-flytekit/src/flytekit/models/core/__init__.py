"""``flytekit.models.core``: data classes, by the modules they are imported from."""

from flytekit._adapt import missing

__all__ = []

__getattr__ = missing(__name__)
