"""What the first bytes of a file say about its format, for the formats that say so.

A file is refused only where its bytes contradict what was declared: nothing is guessed about formats without a mark.

Knows: the marks. Must not know: files as authors see them.
"""

from __future__ import annotations

from typing import Final

_MARKS: Final[dict[str, tuple[bytes, ...]]] = {
    "png": (b"\x89PNG\r\n\x1a\n",),
    "jpeg": (b"\xff\xd8\xff",),
    "gif": (b"GIF87a", b"GIF89a"),
    "bmp": (b"BM",),
    "tiff": (b"II*\x00", b"MM\x00*"),
    "pdf": (b"%PDF-",),
    "hdf5": (b"\x89HDF\r\n\x1a\n",),
    "parquet": (b"PAR1",),
    "gz": (b"\x1f\x8b",),
    "zip": (b"PK\x03\x04", b"PK\x05\x06"),
    "sqlite": (b"SQLite format 3\x00",),
}
_SPELLINGS: Final = {
    "jpg": "jpeg",
    "tif": "tiff",
    "h5": "hdf5",
    "gzip": "gz",
    "xlsx": "zip",
    "docx": "zip",
    "npz": "zip",
}
# Those in which one of the marks above can only be a mistake. "BM" may begin a text.
_TEXTS: Final = frozenset({"csv", "tsv", "txt", "json", "jsonl", "html", "svg", "ipynb", "md", "xml", "yaml", "toml"})
_LONGEST: Final = 16


def contradiction(path: str, format_: str) -> str:
    """Why the local file at ``path`` cannot be of ``format_``; "" if it may be. Raises ``OSError``."""
    name = _SPELLINGS.get(format_, format_)
    marks = _MARKS.get(name)
    if marks is None and name not in _TEXTS:
        return ""
    with open(path, "rb", buffering=0) as file:
        head = file.read(_LONGEST)
    if marks is not None:
        if head.startswith(marks):
            return ""
        found = _found(head)
        return f"it begins like {found}" if found else f"it does not begin like {name}"
    found = _found(head)
    return f"it begins like {found}" if found and found != "bmp" else ""


def _found(head: bytes) -> str:
    return next((name for name, marks in _MARKS.items() if head.startswith(marks)), "")
