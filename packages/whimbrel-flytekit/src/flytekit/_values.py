"""What is passed on: files, directories, datasets; and where names of types are."""

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
    "FlyteDirectory",
    "FlyteFile",
    "HashMethod",
    "StructuredDataset",
    "StructuredDatasetTransformerEngine",
    "directory",
    "file",
    "iterator",
    "kwtypes",
]
