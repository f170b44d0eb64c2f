"""Bundles: the code of what was registered, each in a directory of the name of its content.

::

    bundles/
        <sha256>/       the source root, as it was sent; it never changes
        .coming/        what is on its way

Programs name them as `bundle:<sha256>/<path>`, so that a home that is moved keeps its code.

Knows: the disk, digests, archives. Must not know: who sends one, what is in it.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import shutil
import uuid
from pathlib import Path, PurePosixPath
from typing import IO

from whimbrel.errors import EntityNotFound, InputInvalid, StoreError, StoreFull, TooLarge
from whimbrel.stores.flushing import flush_directory
from whimbrel.stores.unpacking import Limits, unpack
from whimbrel.wire.rest.registering import relative_root

SCHEME = "bundle:"
_COMING = ".coming"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def must_be_a_digest(text: str) -> None:
    """Raises ``InputInvalid`` for what is no SHA-256 in hex."""
    if not _DIGEST.fullmatch(text):
        raise InputInvalid(f"{text[:80]!r} is no SHA-256: 64 hex digits in lower case.")


class Bundles:
    """The bundles in the directory ``root``. Blocking, thread-safe; for the owner of the home, who calls ``sweep``
    once."""

    def __init__(self, root: Path, limits: Limits | None = None) -> None:
        self._root = root.absolute()
        self.limits = limits or Limits()

    def sweep(self) -> None:
        """Remove what a killed process left on its way."""
        shutil.rmtree(self._root / _COMING, ignore_errors=True)

    def holds(self, digest: str) -> bool:
        """Whether the bundle is here. Raises ``InputInvalid``."""
        must_be_a_digest(digest)
        return (self._root / digest).is_dir()

    def root_of(self, reference: str) -> str:
        """The directory that ``bundle:<sha256>/<path>`` means. Raises ``EntityNotFound``, ``InputInvalid``."""
        digest, _, inside = reference.removeprefix(SCHEME).partition("/")
        if not self.holds(digest):
            raise EntityNotFound(f"the code (bundle {digest[:12]}…) is not in this home any more: register it again.")
        return str(self._root.joinpath(digest, *relative_root(inside)))

    def reference_of(self, path: str) -> str:
        """``path`` as ``bundle:…`` where it is inside a bundle, else as it is."""
        start = f"{self._root}{os.sep}"
        return f"{SCHEME}{path.removeprefix(start)}" if path.startswith(start) else path

    def without_place(self, text: str) -> str:
        """``text`` with the paths of files in bundles as they are in the bundle: what tracebacks name."""
        start = f"{self._root}{os.sep}"
        return re.sub(rf"{re.escape(start)}[0-9a-f]{{64}}{re.escape(os.sep)}", "", text) if start in text else text

    def text(self, digest: str, file: str) -> str | None:
        """The text of a file of a bundle, of whose path ``file`` may be the end or which may be the end of ``file``;
        ``None`` where there is none, or it is no text of a size to be read."""
        if not self.holds(digest):
            return None
        root = os.path.realpath(self._root / digest)
        parts = PurePosixPath(file.replace("\\", "/")).parts
        for start in range(len(parts)):
            found = os.path.realpath(os.path.join(root, *parts[start:])) if parts[start] != "/" else ""
            if found.startswith(root + os.sep) and os.path.isfile(found):
                return _text(found)
        return None

    def coming(self) -> Coming:
        """A place for an archive that arrives in pieces."""
        try:
            (self._root / _COMING).mkdir(parents=True, exist_ok=True)
            return Coming(self._root, self.limits)
        except OSError as error:
            raise _unusable(error) from error


class Coming:
    """An archive on its way; ``close`` it, whatever comes of it. For one thread at a time."""

    def __init__(self, root: Path, limits: Limits) -> None:
        self._root = root
        self._limits = limits
        name = uuid.uuid4().hex
        self._archive = root / _COMING / f"{name}.tar.gz"
        self._tree = root / _COMING / name
        self._digest = hashlib.sha256()
        self._size = 0
        self._file: IO[bytes] = open(self._archive, "xb")  # noqa: SIM115  closed by close

    def write(self, data: bytes) -> None:
        """Take more of it. Raises ``TooLarge``, ``StoreError``."""
        self._size += len(data)
        if self._size > self._limits.archive:
            raise TooLarge(f"the archive has more than {self._limits.archive} bytes; leave data out of it.")
        self._digest.update(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise _unusable(error) from error

    def finish(self, digest: str) -> bool:
        """It is whole: unpack it, and give it its name; whether there was none of that name. Raises ``InputInvalid``
        for another digest and for what cannot be unpacked safely, ``TooLarge``, ``StoreError``."""
        if self._digest.hexdigest() != digest:
            raise InputInvalid(
                f"the archive has the SHA-256 {self._digest.hexdigest()}, and {digest} was said; send it again."
            )
        try:
            self._file.close()
            self._tree.mkdir()
            unpack(self._archive, self._tree, self._limits)
            try:
                self._tree.rename(self._root / digest)
            except OSError as error:
                if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
                    return False
                raise
            flush_directory(self._root)
        except OSError as error:
            raise _unusable(error) from error
        return True

    def close(self) -> None:
        """Remove what is left of it on the way."""
        self._file.close()
        self._archive.unlink(missing_ok=True)
        shutil.rmtree(self._tree, ignore_errors=True)


def _text(path: str) -> str | None:
    if os.path.getsize(path) > 1024 * 1024:
        return None
    with open(path, encoding="utf-8") as file:
        try:
            return file.read()
        except UnicodeDecodeError:
            return None


def _unusable(error: OSError) -> StoreError:
    kind = StoreFull if error.errno in _FULL else StoreError
    return kind(f"{error.filename or 'the bundle'}: {error.strerror}: mend that, and send it again")
