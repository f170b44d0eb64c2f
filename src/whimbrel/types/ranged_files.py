"""Files of stores and other places as a file system of Arrow's: each read is a range of what their streams read.

Arrow's threads call Python here. One that does so while the interpreter ends would abort the process, so its end waits
until Arrow has let go of what it read.

Knows: pyarrow's file systems, streams. Must not know: tables, any store.
"""

from __future__ import annotations

import atexit
import io
import time
import weakref
from collections.abc import Callable
from typing import Any, Final

from whimbrel.types.blobs import Entry

_open: Final[weakref.WeakSet[io.RawIOBase]] = weakref.WeakSet()
_PATIENCE: Final = 2.0
"""Seconds that the end of the process waits, at most: a dataset that somebody still holds is never let go."""


def _settle() -> None:
    deadline = time.monotonic() + _PATIENCE
    while _open and time.monotonic() < deadline:
        time.sleep(0.001)
    if _watched:
        # The thread that let go last is on its way out of Python.
        time.sleep(0.01)


_watched: Final[list[bool]] = []


def ranged_files(entries: list[Entry], reader: Callable[[Entry], io.RawIOBase]) -> Any:
    """A ``pyarrow.fs.FileSystem`` that has ``entries`` under their paths, to be read only; ``reader`` opens one."""
    import pyarrow as pa
    import pyarrow.fs as fs

    if not _watched:
        _watched.append(True)
        atexit.register(_settle)
    known = {entry.path: entry for entry in entries}

    class Handler(fs.FileSystemHandler):  # type: ignore[misc]  # pyarrow has no types
        """What ``PyFileSystem`` asks."""

        def __eq__(self, other: object) -> bool:
            return other is self

        def __hash__(self) -> int:
            return id(self)

        def get_type_name(self) -> str:
            return "whimbrel"

        def normalize_path(self, path: str) -> str:
            return path

        def get_file_info(self, paths: list[str]) -> list[Any]:
            return [
                fs.FileInfo(path, fs.FileType.File, size=known[path].size)
                if path in known
                else fs.FileInfo(path, fs.FileType.NotFound)
                for path in paths
            ]

        def get_file_info_selector(self, selector: Any) -> list[Any]:
            return self.get_file_info(list(known))

        def open_input_file(self, path: str) -> Any:
            stream = reader(known[path])
            _open.add(stream)
            return pa.PythonFile(stream, mode="r")

        open_input_stream = open_input_file

        def _refuse(self, *args: Any) -> Any:
            raise PermissionError("what is kept in the store is not changed")

        create_dir = delete_dir = delete_dir_contents = delete_root_dir_contents = delete_file = _refuse
        move = copy_file = open_output_stream = open_append_stream = _refuse

    return fs.PyFileSystem(Handler())
