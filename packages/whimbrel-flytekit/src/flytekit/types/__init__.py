"""Types of values, by flytekit's modules."""

from flytekit._adapt import missing

__getattr__ = missing(__name__)
