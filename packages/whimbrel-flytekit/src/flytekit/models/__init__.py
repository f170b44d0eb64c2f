"""flytekit's data classes, by the modules they are imported from."""

from flytekit._adapt import missing

__getattr__ = missing(__name__)
