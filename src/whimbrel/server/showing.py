"""Values as pages show them: with what they are, and no more of them than a page can take.

A value is read from the front of its msgpack, inline or from the blob store, and only as far as is shown: the first
items of a list of fifty megabytes take as long as those of a short one. What is cut says how long it is.

Shown are ``null``, booleans, numbers and strings as JSON has them, and everything else as an object whose ``kind`` says
what it is: ``integer`` and ``float`` where JSON would not be exact, ``datetime``, ``date``, ``duration``, ``enum``,
``bytes``, ``string`` (one that is cut), ``list``, ``map``, ``struct``, ``file``, ``directory``, ``dataset``, ``more``
(what was not read any more), ``lost``. ``wire/rest/values.py`` has the fields.

Knows: literals, their msgpack and types, the blob port. Must not know: HTTP, who asks, what is in a file.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Callable
from typing import Any

from whimbrel.errors import EntityNotFound
from whimbrel.model import codec
from whimbrel.model.literal_types import (
    EnumType,
    LiteralType,
    StructType,
    TupleType,
    UnionType,
    attribute,
    describe,
)
from whimbrel.model.literals import (
    BigIntLiteral,
    BlobLiteral,
    BoolLiteral,
    DatasetLiteral,
    DateLiteral,
    DatetimeLiteral,
    DurationLiteral,
    FloatLiteral,
    IntLiteral,
    Literal,
    NoneLiteral,
    RefLiteral,
    StepMissing,
    at_path,
)
from whimbrel.runtime.decoded import whole
from whimbrel.runtime.ports import BlobStore
from whimbrel.server.packed import Front, Short
from whimbrel.wire.literal_json import to_json

BUDGET = 256 * 1024
"""Bytes that are read of all values of one side of a node."""
ITEMS = 200
"""Items of a list or fields of a map that are shown at once."""
TEXT = 16 * 1024
"""Characters of a string that are shown at once."""
_BYTES = 1024
_LEAST = 512
_DEPTH = 40
_EXACT = 2**53
"""Whole numbers beyond this are not exact in a browser."""

Step = str | int
Path = tuple[Step, ...]
Link = Callable[[Path], str]
"""The address from which the content of what is at a path can be fetched."""

_decode = codec.decoder(Literal).decode


class Showing:
    """Shows values until ``budget`` bytes have been read; for one answer. ``text`` is how many characters of a string
    are shown, ``first`` the place that the first item of a value has in the list that it is a part of."""

    def __init__(self, blobs: BlobStore, budget: int = BUDGET, text: int = TEXT, first: int = 0) -> None:
        self._blobs = blobs
        self._left = budget
        self._text = text
        self._first = first

    def value(self, literal: Literal, kind: LiteralType | None, link: Link, path: Path = (), share: int = 0) -> Any:
        """``literal``, which is at ``path``; at most ``share`` bytes of it are read, if that is said."""
        if isinstance(literal, RefLiteral):
            return self._referred(literal, kind, link, path, share)
        data = codec.encode(literal)
        most = max(_LEAST, min(self._left, share or self._left))
        self._left -= min(len(data), most)
        return self._begun(data[:most], literal, kind, link, path)

    def _begun(self, data: bytes, literal: Literal, kind: LiteralType | None, link: Link, path: Path) -> Any:
        try:
            return self._walk(Front(data), kind, link, path, 0)
        except Short:
            return _more(literal)

    def _referred(self, literal: RefLiteral, kind: LiteralType | None, link: Link, path: Path, share: int) -> Any:
        if self._left <= 0:
            return _more(literal)
        most = max(_LEAST, min(self._left, share or self._left))
        try:
            if literal.path:
                data = codec.encode(at_path(whole(literal, self._blobs), literal.path))[:most]
            else:
                data = self._blobs.read_range(literal.uri, 0, most)
        except (EntityNotFound, StepMissing) as error:
            return {"kind": "lost", "text": str(error)}
        self._left -= len(data)
        return self._begun(data, literal, kind, link, path)

    def _walk(self, front: Front, kind: LiteralType | None, link: Link, path: Path, depth: int) -> Any:
        """What stands at the place of ``front``, which is behind it then; raises ``Short`` where nothing of it is
        there any more."""
        begin = front.at
        fields = front.map()
        front.text()  # `type`
        tag = front.text()
        if tag in ("s", "l", "m", "u", "x"):
            if depth > _DEPTH:
                front.at = begin
                front.skip()
                return _UNREAD
            if tag == "u":
                return self._union(front, kind, link, path, depth)
            front.text()  # `value` or `items`
            if tag == "s":
                return self._string(front, kind)
            if tag == "x":
                return self._bytes(front)
            if tag == "l":
                return self._list(front, kind, link, path, depth)
            return self._map(front, kind, link, path, depth)
        for _ in range(fields - 1):
            front.text()
            front.skip()
        return self._leaf(_decode(front.data[begin : front.at]), kind, link, path)

    def _string(self, front: Front, kind: LiteralType | None) -> Any:
        data, length = front.string(self._text * 4)
        text = data.decode("utf-8", "ignore" if len(data) < length else "surrogatepass")
        if len(data) < length or len(text) > self._text:
            return {"kind": "string", "text": text[: self._text], "bytes": length}
        return {"kind": "enum", "text": text} if isinstance(kind, EnumType) else text

    def _bytes(self, front: Front) -> Any:
        data, length = front.string(_BYTES)
        shown = {"kind": "bytes", "base64": base64.b64encode(data[:_BYTES]).decode(), "bytes": length, "encoding": ""}
        if not front.over:
            front.text()
            shown["encoding"] = front.text()
        return shown

    def _union(self, front: Front, kind: LiteralType | None, link: Link, path: Path, depth: int) -> Any:
        front.text()
        variant = front.plain()
        front.text()
        variants = kind.variants if isinstance(kind, UnionType) else ()
        chosen = variants[variant] if isinstance(variant, int) and 0 <= variant < len(variants) else None
        return self._walk(front, chosen, link, path, depth + 1)

    def _list(self, front: Front, kind: LiteralType | None, link: Link, path: Path, depth: int) -> Any:
        length = front.array()
        items: list[Any] = []
        try:
            while len(items) < min(length, ITEMS) and not front.over:
                at = len(items) + (0 if depth else self._first)
                items.append(self._walk(front, _inside(kind, at), link, (*path, at), depth + 1))
            self._pass(front, length - len(items), depth)
        except Short:
            front.end()
        shown: dict[str, Any] = {"kind": "list", "length": length, "items": items}
        if isinstance(kind, TupleType) and kind.names:
            shown["names"] = list(kind.names)
        return shown

    def _map(self, front: Front, kind: LiteralType | None, link: Link, path: Path, depth: int) -> Any:
        length = front.map()
        fields: list[list[Any]] = []
        try:
            while len(fields) < min(length, ITEMS) and not front.over:
                name = front.text()
                fields.append([name, self._walk(front, _inside(kind, name), link, (*path, name), depth + 1)])
            self._pass(front, 2 * (length - len(fields)), depth)
        except Short:
            front.end()
        named = isinstance(kind, StructType) and kind.fields is not None
        shown: dict[str, Any] = {"kind": "struct" if named else "map", "length": length, "fields": fields}
        if isinstance(kind, StructType) and named:
            shown["type"] = describe(kind)
        return shown

    def _pass(self, front: Front, count: int, depth: int) -> None:
        """Go behind ``count`` objects that are not shown; behind everything where nothing else follows."""
        if depth == 0:
            front.end()
            return
        for _ in range(count):
            front.skip()

    def _leaf(self, literal: Literal, kind: LiteralType | None, link: Link, path: Path) -> Any:
        match literal:
            case RefLiteral():
                return self._referred(literal, kind, link, path, self._left // 4)
            case NoneLiteral() | BoolLiteral():
                return {"kind": "enum", "text": str(to_json(literal))} if _is_enum(kind) else to_json(literal)
            case IntLiteral(value=number):
                if _is_enum(kind):
                    return {"kind": "enum", "text": str(number)}
                return number if abs(number) < _EXACT else {"kind": "integer", "text": str(number)}
            case BigIntLiteral(value=digits):
                return {"kind": "integer", "text": digits[: self._text], "length": len(digits)}
            case FloatLiteral(value=real):
                if not math.isfinite(real):
                    return {"kind": "float", "text": to_json(literal)}
                return {"kind": "float", "text": repr(real)} if real.is_integer() else real
            case DatetimeLiteral(zone=zone):
                return {"kind": "datetime", "text": to_json(literal), "zone": zone}
            case DateLiteral():
                return {"kind": "date", "text": to_json(literal)}
            case DurationLiteral(days=days, seconds=seconds, microseconds=micros):
                total = days * 86400 + seconds + micros / 1e6
                return {"kind": "duration", "text": to_json(literal), "seconds": total}
            case BlobLiteral(uri=uri, format=format_, multipart=multipart, size=size):
                shown = {"kind": "directory" if multipart else "file", "name": name_of(uri), "uri": uri}
                return {**shown, "format": format_, "bytes": size, "link": link(path)}
            case DatasetLiteral(uri=uri, format=format_, size=size):
                shown = {"kind": "dataset", "name": name_of(uri), "uri": uri, "format": format_}
                return {**shown, "bytes": size, "link": link(path)}
            case _:
                raise AssertionError(literal)


def name_of(uri: str) -> str:
    """What a file is called: the end of its address."""
    return uri.partition("?")[0].rstrip("/").rpartition("/")[2] or uri


def size_of(literal: Literal) -> int:
    """The bytes of a value as it is kept; -1 for a part of one."""
    if not isinstance(literal, RefLiteral):
        return len(codec.encode(literal))
    return -1 if literal.path else literal.size


_UNREAD = {"kind": "more", "bytes": -1, "length": -1}


def _more(literal: Literal) -> dict[str, Any]:
    if not isinstance(literal, RefLiteral) or literal.path:
        return _UNREAD
    return {"kind": "more", "bytes": literal.size, "length": literal.length}


def _inside(kind: LiteralType | None, step: Step) -> LiteralType | None:
    return None if kind is None else attribute(kind, step)


def _is_enum(kind: LiteralType | None) -> bool:
    return isinstance(kind, EnumType)
