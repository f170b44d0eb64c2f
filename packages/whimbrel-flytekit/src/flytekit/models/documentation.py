"""``flytekit.models.documentation``: texts about an entity, as data."""

from flytekit._adapt import missing
from whimbrel import Description as Description
from whimbrel import Documentation as Documentation
from whimbrel import SourceCode as SourceCode

__all__ = ["Description", "Documentation", "SourceCode"]

__getattr__ = missing(__name__)
