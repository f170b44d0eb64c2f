"""``flytekit.types.structured.structured_dataset``: dataframes by reference."""

from flytekit._adapt import missing
from whimbrel import StructuredDataset as StructuredDataset
from whimbrel.types.dataset_engine import StructuredDatasetDecoder as StructuredDatasetDecoder
from whimbrel.types.dataset_engine import StructuredDatasetEncoder as StructuredDatasetEncoder
from whimbrel.types.dataset_engine import StructuredDatasetTransformerEngine as StructuredDatasetTransformerEngine

__all__ = [
    "StructuredDataset",
    "StructuredDatasetDecoder",
    "StructuredDatasetEncoder",
    "StructuredDatasetTransformerEngine",
]

__getattr__ = missing(__name__)
