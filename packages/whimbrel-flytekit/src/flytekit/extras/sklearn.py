"""``flytekit.extras.sklearn``: see the guide for the types of scikit-learn."""

from flytekit._adapt import missing

__all__ = []

__getattr__ = missing(__name__)
