"""flytekit's names by the modules that define them there."""

from flytekit._adapt import missing

__getattr__ = missing(__name__)
