"""``flytekit.types.directory``: directories by reference, and names for those of common formats."""

from flytekit._adapt import missing
from whimbrel.types.directories import FlyteDirectory as FlyteDirectory
from whimbrel.types.formats import TensorboardLogs as TensorboardLogs
from whimbrel.types.formats import TFRecordsDirectory as TFRecordsDirectory

__all__ = ["FlyteDirectory", "TFRecordsDirectory", "TensorboardLogs"]

__getattr__ = missing(__name__)
