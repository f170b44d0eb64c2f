"""``flytekit.types.structured``: dataframes by reference."""

from flytekit._adapt import missing
from whimbrel import StructuredDataset as StructuredDataset

__all__ = ["StructuredDataset"]

__getattr__ = missing(__name__)
