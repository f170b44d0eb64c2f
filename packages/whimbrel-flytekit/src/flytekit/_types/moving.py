"""``ctx.file_access``: how transformers move files.

What is "remote" for a transformer is a path in the attempt's scratch directory here: a blob literal with such a path
is taken into the blob store when the value leaves the attempt, by its content. So a transformer need not know which
store there is. URIs of other places (``s3://…``) are read and written as files of tasks are.
"""

from __future__ import annotations

import os
import pathlib
from typing import Any

from whimbrel.errors import EntityNotFound
from whimbrel.model.literals import BlobLiteral
from whimbrel.types.blobs import storage
from whimbrel.types.directories import FlyteDirectory
from whimbrel.types.files import FlyteFile
from whimbrel.types.paths import UNMOVED, is_uri, local_path

Path = str | os.PathLike[str]
_NAME = "data"


class FileAccessProvider:
    """Local and remote paths, and what moves between them."""

    def __init__(self) -> None:
        self._made = ""

    @property
    def local_sandbox_dir(self) -> str:
        """The directory that paths are made in; it lasts as long as the attempt."""
        if not self._made:
            import tempfile  # few transformers move files, and it takes its time

            found = storage()
            self._made = tempfile.mkdtemp(prefix="values-", dir=found.scratch() if found is not None else None)
        return self._made

    @property
    def raw_output_prefix(self) -> str:
        """Where remote paths begin."""
        return self.local_sandbox_dir

    def get_random_string(self) -> str:
        """A name that nothing has."""
        return os.urandom(16).hex()

    def get_random_local_path(self, file_path_or_file_name: Path | None = None) -> str:
        """A path at which there is nothing, with the name of the file that is given."""
        name = os.path.basename(os.fspath(file_path_or_file_name)) if file_path_or_file_name is not None else ""
        made = os.path.join(self.local_sandbox_dir, self.get_random_string())
        os.makedirs(made)
        # What is kept is named by its content and its name: chance stays out of both.
        return os.path.join(made, name or _NAME)

    def get_random_local_directory(self) -> str:
        """A new, empty directory."""
        made = self.get_random_local_path()
        os.makedirs(made)
        return made

    def get_random_remote_path(self, file_path_or_file_name: Path | None = None) -> str:
        """A path to put a file at, whose blob the engine will keep."""
        return self.get_random_local_path(file_path_or_file_name)

    def get_random_remote_directory(self) -> str:
        """A path to put a directory at, whose blob the engine will keep."""
        return self.get_random_local_path()

    def join(self, *parts: str, unstrip: bool = False) -> str:
        """A path of its parts; with ``unstrip``, a local one as a ``file://`` address."""
        first, *rest = parts
        joined = "/".join([first.rstrip("/") if rest else first, *(part.strip("/") for part in rest)])
        return pathlib.Path(joined).absolute().as_uri() if unstrip and not is_uri(joined) else joined

    def is_remote(self, path: Path) -> bool:
        """Whether ``path`` is in a store."""
        text = os.fspath(path)
        return _stored(text) or (is_uri(text) and not text.startswith(UNMOVED))

    def exists(self, path: Path) -> bool:
        """Whether there is anything at ``path``."""
        if not self.is_remote(path):
            return os.path.exists(_local(path))
        try:
            return bool(_fetchable(path, multipart=False).exists() or _fetchable(path, multipart=True).exists())
        except EntityNotFound:
            return False

    def get_data(self, remote_path: Path, local_path: Path, is_multipart: bool = False) -> None:
        """Fetch what is at ``remote_path``. Raises ``EntityNotFound``."""
        found: Any = _local(remote_path)
        if self.is_remote(remote_path):
            found = _fetchable(remote_path, multipart=is_multipart).download()
        _copy(found, local_path)

    def put_data(self, local_path: Path, remote_path: Path, is_multipart: bool = False, **_: Any) -> str:
        """Put what is at ``local_path`` where ``remote_path`` says, and say where that is."""
        if not self.is_remote(remote_path):
            _copy(_local(local_path), _local(remote_path))
            return os.fspath(remote_path)
        source = os.fspath(local_path)
        sent = FlyteDirectory(source, None, remote_path) if is_multipart else FlyteFile(source, None, remote_path)
        sent.settle()
        return os.fspath(remote_path)

    def put_raw_data(
        self, lpath: Path, upload_prefix: str | None = None, file_name: str | None = None, **_: Any
    ) -> str:
        """Put a file or a directory at a path of its own, and say where that is."""
        name = file_name or os.path.basename(os.fspath(lpath))
        to = self.join(self.get_random_remote_path(), *([upload_prefix] if upload_prefix else []), name)
        return self.put_data(lpath, to, os.path.isdir(lpath))

    def upload(self, file_path: Path, to_path: Path, **_: Any) -> str:
        """Put a file."""
        return self.put_data(file_path, to_path)

    def download(self, remote_path: Path, local_path: Path, **_: Any) -> None:
        """Fetch a file."""
        self.get_data(remote_path, local_path)

    def upload_directory(self, local_path: Path, remote_path: Path, **_: Any) -> str:
        """Put a directory."""
        return self.put_data(local_path, remote_path, is_multipart=True)

    def download_directory(self, remote_path: Path, local_path: Path, **_: Any) -> None:
        """Fetch a directory."""
        self.get_data(remote_path, local_path, is_multipart=True)


def _stored(text: str) -> bool:
    found = storage()
    return found is not None and found.store.holds(text)


def _fetchable(path: Path, *, multipart: bool) -> Any:
    # Of a literal: what the URIs of a store look like is the store's own.
    return (FlyteDirectory if multipart else FlyteFile).of(BlobLiteral(os.fspath(path), "", multipart))


def _local(path: Path) -> str:
    text = os.fspath(path)
    return local_path(text) if text.startswith(UNMOVED) else text


def _copy(source: Path, target: Path) -> None:
    if not os.path.exists(source):
        raise EntityNotFound(f"there is nothing at {os.fspath(source)}")
    import shutil  # as above

    if os.path.isdir(source):
        shutil.copytree(source, target, dirs_exist_ok=True)
    elif os.path.abspath(source) != os.path.abspath(target):
        os.makedirs(os.path.dirname(os.path.abspath(target)), exist_ok=True)
        shutil.copyfile(source, target)
