"""Files and directories to a server and from it, by hand.

Knows: blobs, the classes of files. Must not know: runs.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

from whimbrel.client.connection import Connection
from whimbrel.client.executions import Execution
from whimbrel.client.values import Values
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.types.blobs import fetch_file, keep_directory, read_entries
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile


class Transfers(Connection):
    """See the module."""

    async def upload(self, path: str | os.PathLike[str]) -> str:
        """Send a file or a directory; the URI under which runs are given it, as ``FlyteFile(uri)`` or
        ``FlyteDirectory(uri)``. What the server has is not sent again."""
        return await asyncio.to_thread(self._send_path, Path(path))

    def _send_path(self, path: Path) -> str:
        local = path.expanduser()
        if local.is_dir():
            return keep_directory(self.blobs, str(local)).uri
        if not local.is_file():
            raise EntityNotFound(f"there is no file {str(local)!r}. Name another.")
        return self.blobs.put_file(local)

    async def download(self, what: Any, to: str | os.PathLike[str]) -> Path:
        """Fetch a file or directory to the path ``to``: a URI of the server's, a ``FlyteFile`` or ``FlyteDirectory``;
        or of an execution, or of ``Values``, every file into the directory ``to``, by the names of the outputs."""
        target = Path(to)
        if isinstance(what, Execution):
            what = what.outputs
        await asyncio.to_thread(self._fetch_to, what, target)
        return target

    def _fetch_to(self, what: Any, target: Path) -> None:
        if isinstance(what, Values):
            target.mkdir(parents=True, exist_ok=True)
            for name in what:
                value = what[name]
                if isinstance(value, FlyteFile | FlyteDirectory):
                    self._fetch_to(value, target / name)
            return
        if isinstance(what, FlyteFile | FlyteDirectory):
            uri, many = what.uri, isinstance(what, FlyteDirectory)
        else:
            uri = os.fspath(what)
            many = uri.startswith("blob:directories/")
        target.parent.mkdir(parents=True, exist_ok=True)
        if not self.blobs.holds(uri):
            raise EntityNotFound(f"{uri!r} is in no store of the server's: open it where its bucket can be reached.")
        if not many:
            fetch_file(self.blobs, uri, str(target))
            return
        for entry in read_entries(self.blobs, uri):
            place = (target / entry.path).resolve()
            if not place.is_relative_to(target.resolve()):
                raise InputInvalid(f"{uri} has a file outside of itself: {entry.path!r}. It is not fetched.")
            place.parent.mkdir(parents=True, exist_ok=True)
            fetch_file(self.blobs, entry.uri, str(place))
