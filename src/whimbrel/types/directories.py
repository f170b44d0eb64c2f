"""``FlyteDirectory``: a directory by reference: a list of its files, each of which is fetched when it is wanted.

A directory inside a stored one is the same URI with a fragment (`…#sub/dir`): it is passed on without being written.

Knows: stored trees, files. Must not know: other kinds, any store.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from whimbrel.errors import EntityNotFound
from whimbrel.model.literals import BlobLiteral
from whimbrel.types.blobs import Entry, fetch_file, local_files, read_entries
from whimbrel.types.files import FlyteFile
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import mismatch
from whimbrel.types.paths import Located, transformer_of
from whimbrel.types.transformer import Transformer

Format = TypeVar("Format")


class FlyteDirectory(Located, Generic[Format]):
    """A directory. ``FlyteDirectory["tfrecord"]`` is one whose files are of a format.

    ``listdir`` and ``crawl`` read the list of its files and nothing else; ``download``, ``path``, ``str`` and
    ``os.fspath`` fetch the tree. One that a task returns is put into the blob store, without its empty directories.
    """

    noun = "directory"
    multipart = True

    def __class_getitem__(cls, item: Any) -> Any:
        return cls.formatted(item)

    @classmethod
    def new_remote(cls, name: str | os.PathLike[str] | None = None) -> FlyteDirectory[Format]:
        """A new directory to write into: in the attempt's scratch directory, and kept when the task returns it."""
        made = cls("")
        made._path = os.path.join(made._scratch(), os.path.basename(os.fspath(name)) if name is not None else "new")
        os.makedirs(made._path)
        return made

    def new_file(self, name: str) -> FlyteFile[Any]:
        """A new file in this directory, which must be a local one. Raises ``PermissionError`` for a stored one."""
        path = self._new(name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return FlyteFile(path)

    def new_dir(self, name: str) -> FlyteDirectory[Any]:
        """A new directory in this directory, which must be a local one. Raises ``PermissionError`` for a stored one."""
        path = self._new(name)
        os.makedirs(path, exist_ok=True)
        return FlyteDirectory(path)

    def _new(self, name: str) -> str:
        if self._uri or self._path is None:
            raise PermissionError(
                f"{self.uri} is kept as it was written: write a new one, FlyteDirectory.new_remote(name)"
            )
        return os.path.join(self._path, name)

    def listdir(self) -> list[FlyteFile[Any] | FlyteDirectory[Any]]:
        """The files and directories in it, in order. No contents are fetched."""
        if not self._uri:
            assert self._path is not None
            found = (os.path.join(self._path, name) for name in sorted(os.listdir(self._path)))
            return [FlyteDirectory(path) if os.path.isdir(path) else FlyteFile(path) for path in found]
        listed: dict[str, FlyteFile[Any] | FlyteDirectory[Any]] = {}
        for entry in self._entries:
            head, slash, _ = entry.path.partition("/")
            if head in listed:
                continue
            inner: FlyteFile[Any] | FlyteDirectory[Any]
            if slash:
                inside = f"{self._uri}{'/' if '#' in self._uri else '#'}{head}"
                inner = FlyteDirectory.of(BlobLiteral(inside, "", True))
            else:
                inner = FlyteFile.of(BlobLiteral(entry.uri, "", False, entry.digest, entry.size))
            inner._storage = self._storage
            listed[head] = inner
        return [listed[name] for name in sorted(listed)]

    def crawl(
        self, maxdepth: int | None = None, topdown: bool = True, detail: bool = False
    ) -> Iterator[tuple[str, str | dict[str, dict[str, Any]]]]:
        """The files in it, however deep: pairs of its own place and the path in it. With ``detail`` the second is a
        dict from the path to ``name``, ``size`` and ``type``. ``maxdepth`` 1 is this directory alone; with ``topdown``
        false, deep files come first.
        """
        paths = [(entry.path, entry.size) for entry in self._files()]
        wanted = [(path, size) for path, size in paths if maxdepth is None or path.count("/") < maxdepth]
        if not topdown:
            wanted.sort(key=lambda pair: -pair[0].count("/"))
        for path, size in wanted:
            yield self.uri, {path: {"name": path, "size": size, "type": "file"}} if detail else path

    def _files(self) -> tuple[Entry, ...]:
        if self._uri:
            return self._entries
        root = self._path or ""
        return tuple(Entry(path, "", "", os.path.getsize(os.path.join(root, path))) for path in local_files(root))

    @cached_property
    def _entries(self) -> tuple[Entry, ...]:
        stored, _, inside = self._uri.partition("#")
        try:
            entries = read_entries(self._store(), stored)
        except EntityNotFound as error:
            raise self._unreadable(error) from None
        if not inside:
            return entries
        prefix = f"{inside}/"
        found = (entry for entry in entries if entry.path.startswith(prefix))
        return tuple(Entry(each.path.removeprefix(prefix), each.uri, each.digest, each.size) for each in found)

    def _fetched(self) -> str:
        entries = self._entries
        root = os.path.join(self._scratch(), os.path.basename(self._uri.partition("#")[0]) or "directory")
        os.makedirs(root)
        for entry in entries:
            target = os.path.join(root, *entry.path.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            fetch_file(self._store(), entry.uri, target)
        return root

    def require(self) -> None:
        """Raise ``ValueMismatch`` unless it is in a store, or a local directory that is there."""
        if not self._uri and not os.path.isdir(self._path or ""):
            raise mismatch("the path or URI of a directory", self._path or "", "no such directory")


FlyteDirectory._root = FlyteDirectory


def _matches(python_type: Any) -> bool:
    return isinstance(python_type, type) and issubclass(python_type, FlyteDirectory)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    return transformer_of(python_type)


HOOK: Final = Hook(_matches, _build)
