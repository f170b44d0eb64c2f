"""``flytekit.models.core.types``: the types of files and of closed sets."""

from flytekit._adapt import missing
from flytekit._types.blobs import BlobType as BlobType
from flytekit._types.blobs import EnumType as EnumType

__all__ = ["BlobType", "EnumType"]

__getattr__ = missing(__name__)
