"""``flytekit.models.literals``: values as transformers speak of them."""

from flytekit._adapt import missing
from flytekit._types.literals import Binary as Binary
from flytekit._types.literals import Blob as Blob
from flytekit._types.literals import BlobMetadata as BlobMetadata
from flytekit._types.literals import Literal as Literal
from flytekit._types.literals import LiteralCollection as LiteralCollection
from flytekit._types.literals import LiteralMap as LiteralMap
from flytekit._types.literals import Primitive as Primitive
from flytekit._types.literals import Scalar as Scalar
from flytekit._types.literals import Schema as Schema
from flytekit._types.literals import StructuredDataset as StructuredDataset
from flytekit._types.literals import StructuredDatasetMetadata as StructuredDatasetMetadata
from flytekit._types.literals import Union as Union
from flytekit._types.literals import Void as Void

__all__ = [
    "Binary",
    "Blob",
    "BlobMetadata",
    "Literal",
    "LiteralCollection",
    "LiteralMap",
    "Primitive",
    "Scalar",
    "Schema",
    "StructuredDataset",
    "StructuredDatasetMetadata",
    "Union",
    "Void",
]

__getattr__ = missing(__name__)
