"""``flytekit.core.options``: what is said of a launch, as data."""

from flytekit._adapt import missing
from whimbrel import Options as Options

__all__ = ["Options"]

__getattr__ = missing(__name__)
