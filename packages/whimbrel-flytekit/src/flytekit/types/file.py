"""``flytekit.types.file``: files by reference, and names for files of common formats."""

from __future__ import annotations

from typing import Literal

from flytekit._adapt import missing
from whimbrel.types.files import FlyteFile as FlyteFile

__all__ = [
    "CSVFile",
    "FlyteFile",
    "HDF5EncodedFile",
    "HTMLPage",
    "JPEGImageFile",
    "JoblibSerializedFile",
    "PDFFile",
    "PNGImageFile",
    "PythonNotebook",
    "PythonPickledFile",
    "SVGImageFile",
    "TFRecordFile",
]

CSVFile = FlyteFile[Literal["csv"]]
HDF5EncodedFile = FlyteFile[Literal["hdf5"]]
HTMLPage = FlyteFile[Literal["html"]]
JPEGImageFile = FlyteFile[Literal["jpeg"]]
JoblibSerializedFile = FlyteFile[Literal["joblib"]]
PDFFile = FlyteFile[Literal["pdf"]]
PNGImageFile = FlyteFile[Literal["png"]]
PythonNotebook = FlyteFile[Literal["ipynb"]]
PythonPickledFile = FlyteFile[Literal["python_pickle"]]
SVGImageFile = FlyteFile[Literal["svg"]]
TFRecordFile = FlyteFile[Literal["tfrecord"]]

__getattr__ = missing(__name__)
