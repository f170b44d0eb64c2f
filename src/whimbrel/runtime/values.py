"""Literals between an attempt and the blob store: large outputs go out as references, references come in as values.
Local files go out into the store; files come in as they are, by reference: their bytes are the author's affair.

Knows: literals, the blob port. Must not know: Python types.
"""

from __future__ import annotations

import hashlib
from typing import Any

from msgspec.structs import replace

from whimbrel.model import codec
from whimbrel.model.literals import (
    BigIntLiteral,
    BlobLiteral,
    BoolLiteral,
    BytesLiteral,
    DatasetLiteral,
    DateLiteral,
    DatetimeLiteral,
    DurationLiteral,
    FloatLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    NoneLiteral,
    RefLiteral,
    StrLiteral,
    UnionLiteral,
    at_path,
)
from whimbrel.runtime.decoded import whole
from whimbrel.runtime.ports import BlobStore
from whimbrel.types.blobs import keep_directory, keep_file, keep_value
from whimbrel.types.held import HeldBlob, HeldHashed
from whimbrel.types.paths import local_path
from whimbrel.types.tables import keep_dataset

INLINE_BYTES = 10 * 1024
"""What a literal may weigh inside an event: the engine's log carries every output, and SQLite keeps rows of this size
on few pages.
"""

_SMALL = frozenset(
    {NoneLiteral, IntLiteral, FloatLiteral, BoolLiteral, DatetimeLiteral, DateLiteral, DurationLiteral, RefLiteral}
)
_WIDEST = 4
"""Bytes of UTF-8 a character may take."""


def read_literals(literals: Literals, blobs: BlobStore) -> Literals:
    """``literals`` with every reference in them, however deep, replaced by what it refers to.

    Raises ``EntityNotFound`` when the store has lost it, ``StepMissing`` when its path leads nowhere.
    """
    return {name: value if type(value) in _PLAIN else read_literal(value, blobs) for name, value in literals.items()}


def read_literal(literal: Literal, blobs: BlobStore) -> Literal:
    """``literal`` without references; the same object when there were none."""
    match literal:
        case RefLiteral():
            return read_literal(at_path(whole(literal, blobs), literal.path), blobs)
        case ListLiteral(items=items):
            read = tuple(item if type(item) in _PLAIN else read_literal(item, blobs) for item in items)
            return literal if all(a is b for a, b in zip(read, items, strict=True)) else ListLiteral(read)
        case MapLiteral(items=fields):
            values = {key: item if type(item) in _PLAIN else read_literal(item, blobs) for key, item in fields.items()}
            return literal if all(values[key] is fields[key] for key in fields) else MapLiteral(values)
        case UnionLiteral(variant=variant, value=value):
            inner = read_literal(value, blobs)
            return literal if inner is value else UnionLiteral(variant, inner)
        case _:
            return literal


_PLAIN: frozenset[Any] = (_SMALL - {RefLiteral}) | {StrLiteral, BytesLiteral, BigIntLiteral}


def write_literals(literals: Literals, blobs: BlobStore, own: str = "") -> Literals:
    """``literals`` with those of more than ``INLINE_BYTES`` put into the blob store and replaced by references.

    ``own`` is the scratch directory of an attempt that is over: files below it need not be copied.
    """
    return {name: write_literal(value, blobs, own) for name, value in literals.items()}


def write_literal(literal: Literal, blobs: BlobStore, own: str = "") -> Literal:
    """``literal`` with its local files kept, or a reference to it when it is large; ``own`` as above."""
    if _is_small(literal):
        return literal
    literal = keep_files(literal, blobs, own)
    if isinstance(literal, RefLiteral):
        return literal
    data = codec.encode(literal)
    if len(data) <= INLINE_BYTES:
        return literal
    return _referred(literal, codec.digest(literal), data, blobs)


def _referred(literal: Literal, digest: str, data: bytes, blobs: BlobStore) -> RefLiteral:
    # The digest is over sorted keys, so two literals may share it and differ in the order of a map: the name is of the
    # bytes as they stand.
    uri = blobs.put(f"literals/{hashlib.sha256(data).hexdigest()[:32]}", data)
    length = len(literal.items) if isinstance(literal, ListLiteral) else -1
    return RefLiteral(uri, digest, len(data), (), length)


def keep_files(literal: Literal, blobs: BlobStore, own: str = "") -> Literal:
    """``literal`` with every local file and directory in it put into the blob store, and every table or array that is
    in memory; the same object when there is none. Raises ``OSError`` where one cannot be read, ``ValueMismatch`` where
    one cannot be written. ``own`` as for ``write_literals``.
    """
    match literal:
        case HeldHashed(digest=digest, literal=inner):
            made = keep_files(inner, blobs, own)
            if isinstance(made, BlobLiteral | DatasetLiteral):
                return replace(made, digest=digest)
            return _referred(made, digest, codec.encode(made), blobs)
        case HeldBlob():
            kept = keep_value(blobs, literal)
            return BlobLiteral(kept.uri, literal.format, literal.multipart, kept.digest, kept.size)
        case BlobLiteral(uri=uri) if uri.startswith("file://"):
            path = local_path(uri)
            kept = (keep_directory if literal.multipart else keep_file)(blobs, path, own)
            return BlobLiteral(kept.uri, literal.format, literal.multipart, kept.digest, kept.size)
        case DatasetLiteral():
            return keep_dataset(blobs, literal, own)
        case ListLiteral(items=items):
            kept_items = tuple(item if type(item) in _PLAIN else keep_files(item, blobs, own) for item in items)
            return literal if all(a is b for a, b in zip(kept_items, items, strict=True)) else ListLiteral(kept_items)
        case MapLiteral(items=fields):
            values = {
                key: item if type(item) in _PLAIN else keep_files(item, blobs, own) for key, item in fields.items()
            }
            return literal if all(values[key] is fields[key] for key in fields) else MapLiteral(values)
        case UnionLiteral(variant=variant, value=value):
            variant_kept = keep_files(value, blobs, own)
            return literal if variant_kept is value else UnionLiteral(variant, variant_kept)
        case _:
            return literal


def _is_small(literal: Literal) -> bool:
    """Whether it is clear without encoding that ``literal`` is small."""
    if type(literal) in _SMALL:
        return True
    match literal:
        case StrLiteral(value=text) | BigIntLiteral(value=text):
            return len(text) * _WIDEST < INLINE_BYTES
        case BytesLiteral(value=data):
            return len(data) < INLINE_BYTES - 64
        case _:
            return False
