"""``flytekit.core.reference``: entities that are registered elsewhere."""

from flytekit._adapt import missing
from whimbrel import get_reference_entity as get_reference_entity

__all__ = ["get_reference_entity"]

__getattr__ = missing(__name__)
