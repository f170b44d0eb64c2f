"""``FlyteDirectory``: a directory by reference: a list of its files, each of which is fetched when it is wanted.

A directory inside a stored one is the same URI with a fragment (`…#sub/dir`): it is passed on without being written.

Knows: stored trees, files. Must not know: other kinds, any store.
"""

from __future__ import annotations

import os
import typing
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Final, Generic, TypeVar

from whimbrel.errors import EntityNotFound
from whimbrel.model import literals as lit
from whimbrel.model.literals import BlobLiteral
from whimbrel.types.blobs import Entry, local_files, read_entries
from whimbrel.types.files import FlyteFile
from whimbrel.types.hooks import Hook, Transformers
from whimbrel.types.mismatch import mismatch
from whimbrel.types.paths import LOCAL, Located, Target, is_uri, local_path, transformer_of
from whimbrel.types.transformer import Transformer

Format = TypeVar("Format")

AT_ONCE: Final = 8
"""Files that are fetched at a time, unless a ``BatchSize`` says otherwise: enough to hide a bucket's answering time."""


class BatchSize:
    """``Annotated[FlyteDirectory, BatchSize(n)]``: at most ``n`` files of the directory are fetched at a time. Each
    takes some MiB of memory meanwhile, whatever its size.
    """

    def __init__(self, val: int) -> None:
        if val < 1:
            raise ValueError(f"BatchSize({val}): at least one file has to be fetched at a time")
        self.val = val

    def __repr__(self) -> str:
        return f"BatchSize({self.val})"


class FlyteDirectory(Located, Generic[Format]):
    """A directory. ``FlyteDirectory["tfrecord"]`` is one whose files are of a format.

    ``listdir`` and ``crawl`` read the list of its files and nothing else; ``download``, ``path``, ``str`` and
    ``os.fspath`` fetch the tree. One that a task returns is put into the blob store, without its empty directories.

    ``remote_directory`` is where one that is returned shall go instead: to a URI (``s3://…``) or another local path,
    or, with ``False``, nowhere. ``downloader`` is called before the local path is used for the first time.
    """

    noun = "directory"
    multipart = True
    _at_once = AT_ONCE

    def __init__(
        self,
        path: str | os.PathLike[str],
        downloader: Callable[..., Any] | None = None,
        remote_directory: Target = None,
    ) -> None:
        super().__init__(path, downloader, remote_directory)

    def __class_getitem__(cls, item: Any) -> Any:
        return cls.formatted(item)

    @classmethod
    def new_remote(cls, stem: str | os.PathLike[str] | None = None, alt: str | None = None) -> FlyteDirectory[Format]:
        """A new directory to write into: in the attempt's scratch directory, and kept when the task returns it. With
        ``alt``, the URI of a directory, it goes there instead.
        """
        made = cls.new(stem if stem is not None else "new")
        if alt is not None:
            made._target = f"{alt.rstrip('/')}/{os.path.basename(made._path or '')}"
        return made

    @classmethod
    def new(cls, dirname: str | os.PathLike[str]) -> FlyteDirectory[Format]:
        """A new directory to write into, in the attempt's scratch directory."""
        made = cls("")
        made._path = os.path.join(made._scratch(), os.path.basename(os.fspath(dirname)) or "new")
        os.makedirs(made._path)
        return made

    @property
    def remote_directory(self) -> str | bool | None:
        """Where its author said that it shall go, else its URI in the store, if it is in one."""
        return self._target if self._target is not None else self.remote_source

    @property
    def sep(self) -> str:
        """What parts the names of its URI or path."""
        return "/" if self._uri else os.sep

    def new_file(self, name: str | None = None) -> FlyteFile[Any]:
        """A new file in this directory, which must be a local one or at a place that can be written to. Raises
        ``PermissionError`` for one in whimbrel's own store.
        """
        path = self._new(name)
        if is_uri(path):
            return FlyteFile(path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        return FlyteFile(path)

    def new_dir(self, name: str | None = None) -> FlyteDirectory[Any]:
        """A new directory in this directory, as ``new_file``."""
        path = self._new(name)
        if is_uri(path):
            return FlyteDirectory(path)
        os.makedirs(path, exist_ok=True)
        return FlyteDirectory(path)

    def _new(self, name: str | None) -> str:
        name = name if name is not None else os.urandom(8).hex()
        if self._uri and self._place() is not None:
            return f"{self._uri.rstrip('/')}/{name}"
        if self._uri or self._path is None:
            raise PermissionError(
                f"{self.uri} is kept as it was written: write a new one, FlyteDirectory.new_remote(name)"
            )
        return os.path.join(self._path, name)

    def file(self, path: str) -> FlyteFile[Any]:
        """The file at a path in it, with slashes: nothing but that file is fetched when it is read. Raises
        ``EntityNotFound``.
        """
        if not self._uri:
            local = os.path.join(self.path, *path.split("/"))
            if os.path.isfile(local):
                return FlyteFile(local)
        elif self._place() is not None:
            return self._file(Entry(path, f"{self._uri.rstrip('/')}/{path}", "", -1))
        for entry in self._entries if self._uri else ():
            if entry.path == path:
                return self._file(entry)
        raise EntityNotFound(f"there is no file {path!r} in {self.uri}: listdir() and crawl() say what there is")

    def _file(self, entry: Entry) -> FlyteFile[Any]:
        made: FlyteFile[Any] = FlyteFile.of(BlobLiteral(entry.uri, "", False, entry.digest, entry.size))
        made._storage = self._storage
        return made

    def exists(self) -> bool:
        """Whether it is there. No contents are fetched."""
        if not self._uri:
            return os.path.isdir(self._path or "")
        try:
            return bool(self._entries) or self._place() is None
        except EntityNotFound:
            return False

    def listdir(self) -> list[FlyteFile[Any] | FlyteDirectory[Any]]:
        """The files and directories in it, in order. No contents are fetched. ``FlyteDirectory.listdir(directory)`` is
        the same.
        """
        if not self._uri:
            root = self.path
            found = (os.path.join(root, name) for name in sorted(os.listdir(root)))
            return [FlyteDirectory(path) if os.path.isdir(path) else FlyteFile(path) for path in found]
        inside = "/" if self._place() is not None or "#" in self._uri else "#"
        listed: dict[str, FlyteFile[Any] | FlyteDirectory[Any]] = {}
        for entry in self._entries:
            head, slash, _ = entry.path.partition("/")
            if head in listed:
                continue
            if slash:
                inner: FlyteDirectory[Any] = FlyteDirectory.of(
                    BlobLiteral(f"{self._uri.rstrip('/')}{inside}{head}", "", True)
                )
                inner._storage = self._storage
                listed[head] = inner
            else:
                listed[head] = self._file(entry)
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
        place = self._place()
        if place is not None:
            return place.entries(self._uri)
        stored, _, inside = self._uri.partition("#")
        entries = read_entries(self._store(), stored)
        if not inside:
            return entries
        prefix = f"{inside}/"
        found = (entry for entry in entries if entry.path.startswith(prefix))
        return tuple(Entry(each.path.removeprefix(prefix), each.uri, each.digest, each.size) for each in found)

    def _fetched(self) -> str:
        entries = self._entries
        name = os.path.basename(self._uri.partition("#")[0].rstrip("/"))
        root = os.path.join(self._scratch(), name if name not in ("", ".", "..") else "directory")
        os.makedirs(root)

        def fetch(entry: Entry) -> None:
            target = os.path.join(root, *entry.path.split("/"))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            self._file(entry).fetch_to(target)

        if len(entries) < 2 or self._at_once < 2:
            for entry in entries:
                fetch(entry)
            return root
        from concurrent.futures import ThreadPoolExecutor  # brings logging

        with ThreadPoolExecutor(min(self._at_once, len(entries)), "whimbrel-fetch") as pool:
            try:
                # The first error of the list, whichever came first.
                list(pool.map(fetch, entries))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        return root

    def settle(self) -> None:
        """Bring it to its ``remote_directory``. Raises what the place raises."""
        assert isinstance(self._target, str)
        target, source = self._target, self.path
        if not is_uri(target) or target.startswith(LOCAL):
            path = os.path.abspath(local_path(target) if target.startswith(LOCAL) else target)
            from shutil import copytree  # brings every kind of compression

            copytree(source, path, dirs_exist_ok=True)
            self._path, self._target = path, False
            return
        for relative in local_files(source):
            file: FlyteFile[Any] = FlyteFile(
                os.path.join(source, *relative.split("/")), remote_path=f"{target.rstrip('/')}/{relative}"
            )
            file.settle()
        self._uri = target

    def require(self) -> None:
        """Raise ``ValueMismatch`` unless it is in a store, or a local directory that is there."""
        if not self._uri and self._downloader is None and not os.path.isdir(self._path or ""):
            raise mismatch("the path or URI of a directory", self._path or "", "no such directory")


FlyteDirectory._root = FlyteDirectory


def _matches(python_type: Any) -> bool:
    if typing.get_origin(python_type) is typing.Annotated:
        python_type = python_type.__origin__
    return isinstance(python_type, type) and issubclass(python_type, FlyteDirectory)


def _build(python_type: Any, registry: Transformers) -> Transformer:
    if typing.get_origin(python_type) is not typing.Annotated:
        return transformer_of(python_type)
    made = transformer_of(python_type.__origin__)
    batch = next((item for item in python_type.__metadata__ if isinstance(item, BatchSize)), None)
    if batch is None:
        return made.renamed(python_type)

    def decode(literal: lit.Literal) -> Any:
        directory = made.decode(literal)
        directory._at_once = batch.val
        return directory

    return Transformer(
        python_type,
        made.literal_type,
        check=made.check,
        encode=made.encode,
        decode=decode,
        name=made.name,
        classes=made.classes,
    )


HOOK: Final = Hook(_matches, _build)
