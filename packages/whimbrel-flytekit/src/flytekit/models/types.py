"""``flytekit.models.types``: literal types."""

from flytekit._adapt import missing
from flytekit._types.literal_types import LiteralType as LiteralType
from flytekit._types.literal_types import SchemaType as SchemaType
from flytekit._types.literal_types import SimpleType as SimpleType
from flytekit._types.literal_types import StructuredDatasetType as StructuredDatasetType
from flytekit._types.literal_types import UnionType as UnionType

__all__ = ["LiteralType", "SchemaType", "SimpleType", "StructuredDatasetType", "UnionType"]

__getattr__ = missing(__name__)
