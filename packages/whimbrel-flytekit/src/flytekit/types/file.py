"""``flytekit.types.file``: files by reference, and names for files of common formats."""

from flytekit._adapt import missing
from whimbrel.types.files import FlyteFile as FlyteFile
from whimbrel.types.formats import CSVFile as CSVFile
from whimbrel.types.formats import FileExt as FileExt
from whimbrel.types.formats import HDF5EncodedFile as HDF5EncodedFile
from whimbrel.types.formats import HTMLPage as HTMLPage
from whimbrel.types.formats import JoblibSerializedFile as JoblibSerializedFile
from whimbrel.types.formats import JPEGImageFile as JPEGImageFile
from whimbrel.types.formats import JSONLFile as JSONLFile
from whimbrel.types.formats import ONNXFile as ONNXFile
from whimbrel.types.formats import PDFFile as PDFFile
from whimbrel.types.formats import PNGImageFile as PNGImageFile
from whimbrel.types.formats import PythonNotebook as PythonNotebook
from whimbrel.types.formats import PythonPickledFile as PythonPickledFile
from whimbrel.types.formats import SVGImageFile as SVGImageFile
from whimbrel.types.formats import TFRecordFile as TFRecordFile

__all__ = [
    "CSVFile",
    "FileExt",
    "FlyteFile",
    "HDF5EncodedFile",
    "HTMLPage",
    "JPEGImageFile",
    "JSONLFile",
    "JoblibSerializedFile",
    "ONNXFile",
    "PDFFile",
    "PNGImageFile",
    "PythonNotebook",
    "PythonPickledFile",
    "SVGImageFile",
    "TFRecordFile",
]

__getattr__ = missing(__name__)
