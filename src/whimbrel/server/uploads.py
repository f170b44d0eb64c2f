"""Files that clients send: bundles of code, files and tables that are inputs of executions.

A file has its place before it comes: ``<home>/uploads/<project>/<domain>/<root>/<name>``, which is the path that tasks
read it by. The client sends it with a PUT to the address that goes with the place. A place takes one content.

Knows: the disk, digests. Must not know: gRPC, HTTP frameworks.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from whimbrel.errors import AlreadyExists, InputInvalid
from whimbrel.server.auth.signing import Signed
from whimbrel.server.house import House
from whimbrel.server.limits import Limits

_MD5 = 16
_LONGEST = 255
"""Bytes of a name in a file system."""


Sign = Callable[[str, str, str], str]


class Place(NamedTuple):
    """Where a file is to be sent, and the path that it will have."""

    url: str
    path: str


class Uploads:
    """See the module. ``url`` says where clients find the server; ``largest`` is in bytes. ``sign`` gives what an
    address is followed by, for a method, a path and an MD5 in base64, where addresses are signed."""

    def __init__(
        self, root: Path, url: Callable[[], str], sign: Sign | None = None, largest: int = Limits().upload
    ) -> None:
        self._largest = largest
        self._root = root
        self._url = url
        self._sign = sign

    def place(self, project: str, domain: str, name: str, root: str, md5: bytes) -> Place:
        """The place of a file. Without ``root`` it is its content's, without ``name`` one of its own. Raises
        ``InputInvalid``; ``AlreadyExists`` where another content is."""
        if not project or not domain:
            raise InputInvalid("an upload without project and domain; say both.")
        if md5 and len(md5) != _MD5:
            raise InputInvalid(f"an MD5 has {_MD5} bytes, not {len(md5)}.")
        if not md5 and not root:
            raise InputInvalid("an upload needs content_md5 or filename_root; send one.")
        directory = root or base64.b32encode(md5).decode().rstrip("=")
        parts = (project, domain, directory, name or secrets.token_hex(10))
        path = self._path(parts)
        if md5 and path.exists() and _digest(path) != md5:
            raise AlreadyExists(f"{parts[-1]!r} is there with another content; send it under another name or root.")
        address = f"/uploads/{'/'.join(quote(part, safe='') for part in parts)}"
        signed = f"?{self._sign('PUT', address, base64.b64encode(md5).decode())}" if self._sign is not None else ""
        return Place(f"{self._url()}{address}{signed}", str(path))

    async def receive(self, parts: tuple[str, ...], content: AsyncIterator[bytes], md5: str, length: int) -> None:
        """Keep a file. ``md5`` is in base64, "" if not said; ``length`` in bytes, -1 if not said. It is whole, or not
        there. Raises ``InputInvalid``, ``AlreadyExists``."""
        path = self._path(parts)
        wanted = _read_md5(md5)
        if length > self._largest:
            raise InputInvalid(f"{length} bytes are too many; the largest file is of {self._largest}.")
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{secrets.token_hex(8)}.part")
        digest, size = hashlib.md5(usedforsecurity=False), 0
        try:
            with part.open("wb") as file:
                async for chunk in content:
                    size += len(chunk)
                    if size > self._largest:
                        raise InputInvalid(f"a file of more than {self._largest} bytes; send a smaller one.")
                    digest.update(chunk)
                    await asyncio.to_thread(file.write, chunk)
                file.flush()
                await asyncio.to_thread(os.fsync, file.fileno())
            if length >= 0 and size != length:
                raise InputInvalid(f"{size} bytes came, and {length} were said; send it again.")
            if wanted and digest.digest() != wanted:
                raise InputInvalid("the content has another MD5 than Content-MD5 says; send it again.")
            if path.exists() and _digest(path) != digest.digest():
                raise AlreadyExists(f"{parts[-1]!r} is there with another content.")
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)

    def _path(self, parts: tuple[str, ...]) -> Path:
        for part in parts:
            if part in ("", ".", "..") or "/" in part or "\0" in part or len(part.encode()) > _LONGEST:
                raise InputInvalid(f"{part!r} cannot be part of the path of a file.")
        return self._root.joinpath(*parts)


def uploads_of(house: House) -> Uploads:
    """The uploads of a server."""
    access = house.access

    def sign(method: str, path: str, md5: str) -> str:
        assert access is not None
        return access.signer.query(method, path, Signed(md5))

    root, largest = house.home.path.absolute() / "uploads", house.config.limits.upload
    return Uploads(root, house.url, sign if access is not None else None, largest)


def _read_md5(text: str) -> bytes:
    if not text:
        return b""
    try:
        found = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        found = b""
    if len(found) != _MD5:
        raise InputInvalid(f"Content-MD5 {text!r} is no MD5 in base64.")
    return found


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").digest()
