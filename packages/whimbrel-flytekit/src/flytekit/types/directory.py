"""``flytekit.types.directory``: directories by reference, and names for those of common formats."""

from __future__ import annotations

from typing import Literal

from flytekit._adapt import missing
from whimbrel.types.directories import FlyteDirectory as FlyteDirectory

__all__ = ["FlyteDirectory", "TFRecordsDirectory", "TensorboardLogs"]

TFRecordsDirectory = FlyteDirectory[Literal["tfrecord"]]
TensorboardLogs = FlyteDirectory[Literal["tensorboard"]]

__getattr__ = missing(__name__)
