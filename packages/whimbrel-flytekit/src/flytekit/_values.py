"""What is passed on: files, directories, datasets; and where names of types are."""

from flytekit.models.core.types import BlobType as BlobType
from flytekit.models.literals import Blob as Blob
from flytekit.models.literals import BlobMetadata as BlobMetadata
from flytekit.models.literals import Literal as Literal
from flytekit.models.literals import Scalar as Scalar
from flytekit.models.types import LiteralType as LiteralType
from flytekit.types import directory as directory
from flytekit.types import file as file
from flytekit.types import iterator as iterator
from whimbrel import StructuredDataset as StructuredDataset
from whimbrel.types.columns import kwtypes as kwtypes
from whimbrel.types.dataset_engine import StructuredDatasetTransformerEngine as StructuredDatasetTransformerEngine
from whimbrel.types.directories import BatchSize as BatchSize
from whimbrel.types.directories import FlyteDirectory as FlyteDirectory
from whimbrel.types.files import FlyteFile as FlyteFile
from whimbrel.types.hashing import HashMethod as HashMethod

__all__ = [
    "BatchSize",
    "Blob",
    "BlobMetadata",
    "BlobType",
    "FlyteDirectory",
    "FlyteFile",
    "HashMethod",
    "Literal",
    "LiteralType",
    "Scalar",
    "StructuredDataset",
    "StructuredDatasetTransformerEngine",
    "directory",
    "file",
    "iterator",
    "kwtypes",
]
