"""An archive from a stranger, into a directory: files, directories and links among them, and nothing else.

The archive may lie in every way: names that lead out, links that do, devices, one name twice, headers without end, a
gigabyte of zeros in a kilobyte. Nothing is written through a link, as links are made when everything else is there, and
each has to lead to something inside. What is refused leaves the directory half filled: it is the caller's to remove.

Knows: tar, gzip, the disk. Must not know: what the files are, where the directory will stand.
"""

from __future__ import annotations

import gzip
import os
import shutil
import struct
import tarfile
import zlib
from pathlib import Path
from typing import Any

from msgspec import Struct

from whimbrel.errors import InputInvalid, StoreError, TooLarge, WhimbrelError
from whimbrel.stores.flushing import flush_directory

_HEADER = 1024 * 1024
"""Bytes that are read at once. File contents come in pieces of 64 KiB; only a header can ask for more."""
_PIECE = 64 * 1024
_PART = 255
"""Bytes of a name in a file system."""
_PATH = 1024
"""Bytes of a path in the archive: far below what systems take, wherever the directory stands."""
_TARGET = 4096
_UNREADABLE = (
    *(tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError),
    # What the reader of headers makes of numbers, texts and chains that no tar would write.
    *(ValueError, LookupError, struct.error, OverflowError, RecursionError),
)


class Limits(Struct, frozen=True):
    """How much is taken: bytes of the archive, bytes unpacked, and how many members. Projects are a few megabytes; what
    is larger than this is data that does not belong into a bundle."""

    archive: int = 128 * 1024 * 1024
    unpacked: int = 1024 * 1024 * 1024
    members: int = 20_000


def unpack(archive: Path, into: Path, limits: Limits) -> None:
    """Unpack a ``.tar.gz`` into the empty directory ``into``, durably. Files cannot be written to afterwards.

    Raises ``InputInvalid``, ``TooLarge``, ``StoreError``.
    """
    try:
        with gzip.GzipFile(archive) as data:
            measured: Any = _Measured(data, limits)
            with tarfile.open(fileobj=measured, mode="r:") as tar:
                _Unpacking(tar, into, limits).run()
    except WhimbrelError:
        raise
    except _UNREADABLE as error:
        raise InputInvalid(f"the archive cannot be read: {error}. Send a .tar.gz of the code.") from None
    except OSError as error:
        raise StoreError(f"{into}: {error.strerror or error}: mend that, and send it again") from error


class _Measured:
    """A stream that is read to its limit and no further, and never much at a time. ``tarfile`` reads files in pieces,
    and headers as long as they say."""

    def __init__(self, data: gzip.GzipFile, limits: Limits) -> None:
        self._data = data
        # Each member has a header, and is padded to whole blocks.
        self._most = limits.unpacked + 4096 * (limits.members + 1)

    def read(self, size: int) -> bytes:
        if size > _HEADER or size < 0:
            raise InputInvalid(f"the archive has a header of {size} bytes; make it with tar.")
        self._check(self._data.tell() + size)
        return self._data.read(size)

    def seek(self, place: int) -> int:
        self._check(place)
        return self._data.seek(place)

    def tell(self) -> int:
        return self._data.tell()

    def _check(self, place: int) -> None:
        if place > self._most + _HEADER:
            raise TooLarge(f"the archive has more than {self._most} bytes unpacked; leave data out of it.")


class _Unpacking:
    def __init__(self, tar: Any, into: Path, limits: Limits) -> None:
        self._tar = tar
        self._into = into
        self._limits = limits
        self._files: set[tuple[str, ...]] = set()
        self._directories: set[tuple[str, ...]] = {()}
        self._links: dict[tuple[str, ...], str] = {}
        self._bytes = 0

    def run(self) -> None:
        for count, member in enumerate(self._tar):
            if count >= self._limits.members:
                raise TooLarge(f"the archive has more than {self._limits.members} members; leave some out.")
            self._take(member)
        for parts, target in self._links.items():
            os.symlink(target, self._into.joinpath(*parts))
        inside = os.path.realpath(self._into)
        for parts in self._links:
            _must_lead_inside(self._into.joinpath(*parts), inside, "/".join(parts))
        for parts in sorted(self._directories, reverse=True):
            flush_directory(self._into.joinpath(*parts))

    def _take(self, member: tarfile.TarInfo) -> None:
        parts = _parts(member.name)
        if member.isdir():
            self._make(parts)
            return
        if not parts or parts in self._files or parts in self._links or parts in self._directories:
            raise InputInvalid(f"the archive has {member.name!r} twice; make it again.")
        self._make(parts[:-1])
        place = self._into.joinpath(*parts)
        if member.issym():
            if len(member.linkname) > _TARGET or not member.linkname or member.linkname.startswith("/"):
                raise InputInvalid(
                    f"the archive's link {member.name!r} leads to {member.linkname[:80]!r}; leave it out."
                )
            self._links[parts] = member.linkname
            return
        if member.islnk():
            first = _parts(member.linkname)
            if first not in self._files:
                raise InputInvalid(f"the archive's {member.name!r} is a second name of a file that it has not.")
            os.link(self._into.joinpath(*first), place, follow_symlinks=False)
        elif member.isreg() and not member.issparse():
            self._write(member, place)
        else:
            raise InputInvalid(
                f"the archive's {member.name!r} is neither a file, a directory nor a link; leave it out."
            )
        self._files.add(parts)

    def _make(self, parts: tuple[str, ...]) -> None:
        for depth in range(1, len(parts) + 1):
            each = parts[:depth]
            if each in self._directories:
                continue
            if each in self._files or each in self._links:
                raise InputInvalid(f"the archive has {'/'.join(each)!r} as a directory, and as something else.")
            self._into.joinpath(*each).mkdir()
            self._directories.add(each)
            if len(self._directories) > 2 * self._limits.members:
                raise TooLarge("the archive has too many directories; leave some out.")

    def _write(self, member: tarfile.TarInfo, place: Path) -> None:
        if member.size < 0:
            raise InputInvalid(f"the archive's {member.name!r} has a size below zero; make it again.")
        self._bytes += member.size
        if self._bytes > self._limits.unpacked:
            raise TooLarge(f"the archive has more than {self._limits.unpacked} bytes unpacked; leave data out of it.")
        source = self._tar.extractfile(member)
        with open(place, "xb") as file:
            shutil.copyfileobj(source, file, _PIECE)
            if file.tell() != member.size:
                raise InputInvalid(f"the archive ends inside {member.name!r}; send it again.")
            os.fchmod(file.fileno(), 0o555 if member.mode & 0o100 else 0o444)
            file.flush()
            os.fsync(file.fileno())


def _parts(name: str) -> tuple[str, ...]:
    """The steps of a member's name. Raises ``InputInvalid`` for one that leads out, or that no file can have."""
    parts = tuple(part for part in name.split("/") if part not in ("", "."))
    data = name.encode("utf-8", "surrogatepass")
    said = name[:80] + ("…" if len(name) > 80 else "")
    if name.startswith("/") or ".." in parts or "\\" in name or ":" in (parts[0][1:2] if parts else ""):
        raise InputInvalid(f"the archive's {said!r} leads out of it; make it from inside the directory of the code.")
    if len(data) > _PATH or any(len(part.encode("utf-8", "surrogatepass")) > _PART for part in parts):
        raise InputInvalid(f"the archive's {said!r} is too long a name; use a shorter one.")
    if "\0" in name or any(0xD800 <= ord(letter) < 0xE000 for letter in name):
        raise InputInvalid(f"the archive's {said!r} is no name of a file; use UTF-8.")
    return parts


def _must_lead_inside(link: Path, inside: str, name: str) -> None:
    try:
        found = os.path.realpath(link, strict=True)
    except OSError:
        raise InputInvalid(f"the archive's link {name!r} leads to nothing; leave it out.") from None
    if found != inside and not found.startswith(inside + os.sep):
        raise InputInvalid(f"the archive's link {name!r} leads out of it; leave it out.")
