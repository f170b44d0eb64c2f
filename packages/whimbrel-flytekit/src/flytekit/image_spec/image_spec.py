"""``flytekit.image_spec.image_spec``: images as data."""

from flytekit._adapt import missing
from whimbrel import ImageSpec as ImageSpec

__all__ = ["ImageSpec"]

__getattr__ = missing(__name__)
