"""Bytes of the model: msgpack for stores and wires between processes, and the digest of a noun.

Digests are SHA-256 over msgpack with sorted keys: equal nouns have equal digests on every machine.
"""

from __future__ import annotations

import hashlib
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_canonical = msgspec.msgpack.Encoder(order="sorted")


def encode(noun: Any) -> bytes:
    """The msgpack bytes of ``noun``."""
    return _encoder.encode(noun)


def canonical(noun: Any) -> bytes:
    """The msgpack bytes of ``noun`` with sorted keys, the form that digests are taken of."""
    return _canonical.encode(noun)


def decoder(kind: Any) -> msgspec.msgpack.Decoder[Any]:
    """A reusable decoder for ``kind``."""
    return msgspec.msgpack.Decoder(kind)


def digest(noun: Any) -> str:
    """The first 32 hex digits (128 bits) of the SHA-256 of the canonical bytes of ``noun``."""
    return hashlib.sha256(_canonical.encode(noun)).hexdigest()[:32]
