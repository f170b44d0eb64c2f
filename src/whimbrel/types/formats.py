"""Names for files and directories of formats that are common, as flytekit has them.

Knows: files, directories. Must not know: what any format is.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile

CSVFile: TypeAlias = FlyteFile[Literal["csv"]]
HDF5EncodedFile: TypeAlias = FlyteFile[Literal["hdf5"]]
HTMLPage: TypeAlias = FlyteFile[Literal["html"]]
JPEGImageFile: TypeAlias = FlyteFile[Literal["jpeg"]]
JSONLFile: TypeAlias = FlyteFile[Literal["jsonl"]]
JoblibSerializedFile: TypeAlias = FlyteFile[Literal["joblib"]]
ONNXFile: TypeAlias = FlyteFile[Literal["onnx"]]
PDFFile: TypeAlias = FlyteFile[Literal["pdf"]]
PNGImageFile: TypeAlias = FlyteFile[Literal["png"]]
PythonNotebook: TypeAlias = FlyteFile[Literal["ipynb"]]
PythonPickledFile: TypeAlias = FlyteFile[Literal["python_pickle"]]
SVGImageFile: TypeAlias = FlyteFile[Literal["svg"]]
TFRecordFile: TypeAlias = FlyteFile[Literal["tfrecord"]]

TFRecordsDirectory: TypeAlias = FlyteDirectory[Literal["tfrecords_dir"]]
TensorboardLogs: TypeAlias = FlyteDirectory[Literal["tensorboard"]]


class FileExt:
    """The extension in ``Annotated[str, FileExt("csv")]``, which may stand for it in ``FlyteFile[...]``."""

    def __init__(self, ext: str) -> None:
        self.extension = ext.lstrip(".")

    def __repr__(self) -> str:
        return f"FileExt({self.extension!r})"
