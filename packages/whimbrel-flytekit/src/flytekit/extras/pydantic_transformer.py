"""``flytekit.extras.pydantic_transformer``: models of pydantic are understood without it."""

from flytekit._adapt import missing

__all__ = []

__getattr__ = missing(__name__)
