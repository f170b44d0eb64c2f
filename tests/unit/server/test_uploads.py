"""Files that clients send: whole, of the content that was said, and in their own directory."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from whimbrel.errors import AlreadyExists, InputInvalid
from whimbrel.server.uploads import Uploads

DATA = b"some content"
MD5 = hashlib.md5(DATA, usedforsecurity=False).digest()


def uploads(directory: Path) -> Uploads:
    return Uploads(directory, lambda: "http://localhost:1")


def send(kept: Uploads, url: str, data: bytes, md5: str = "", length: int = -1) -> None:
    parts = tuple(unquote(part) for part in url.removeprefix("http://localhost:1/uploads/").split("/"))

    async def content() -> AsyncIterator[bytes]:
        yield data[:5]
        yield data[5:]

    asyncio.run(kept.receive(parts, content(), md5, length))


@pytest.mark.parametrize("name", ["a.txt", "mit Leerzeichen und ä?.csv", ""])
@pytest.mark.parametrize("root", ["", "of-a-directory"])
def test_a_file_comes_to_its_place(tmp_path: Path, name: str, root: str) -> None:
    kept = uploads(tmp_path)
    place = kept.place("p", "d", name, root, MD5)
    send(kept, place.url, DATA, base64.b64encode(MD5).decode(), len(DATA))
    assert Path(place.path).read_bytes() == DATA
    assert Path(place.path).parent.parent == tmp_path / "p" / "d"


def test_what_is_not_what_was_said_is_not_kept(tmp_path: Path) -> None:
    kept = uploads(tmp_path)
    place = kept.place("p", "d", "a", "", MD5)
    for data, md5, length in ((b"other", base64.b64encode(MD5).decode(), -1), (DATA, "", 3), (DATA, "no md5", -1)):
        with pytest.raises(InputInvalid):
            send(kept, place.url, data, md5, length)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_place_takes_one_content(tmp_path: Path) -> None:
    kept = uploads(tmp_path)
    place = kept.place("p", "d", "a", "root", MD5)
    send(kept, place.url, DATA)
    send(kept, kept.place("p", "d", "a", "root", MD5).url, DATA)
    with pytest.raises(AlreadyExists):
        kept.place("p", "d", "a", "root", bytes(16))
    with pytest.raises(AlreadyExists):
        send(kept, place.url, b"another content")
    assert Path(place.path).read_bytes() == DATA


@pytest.mark.parametrize("part", ["..", ".", "a/b", "a\0b", "x" * 300])
def test_nothing_lands_outside(tmp_path: Path, part: str) -> None:
    kept = uploads(tmp_path / "uploads")
    for parts in ((part, "d", "a", "root"), ("p", part, "a", "root"), ("p", "d", part, "root"), ("p", "d", "a", part)):
        with pytest.raises(InputInvalid):
            kept.place(*parts, MD5)
    with pytest.raises(InputInvalid):
        kept.place("p", "d", "", "", b"")
    assert list(tmp_path.iterdir()) == []
