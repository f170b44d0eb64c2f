"""What a node's outputs are cached by.

Knows: specs and literals. Must not know: where a cache is. Equal values have equal digests wherever they are kept: a
value in the blob store counts by its content, not by its address.
"""

from __future__ import annotations

from msgspec.structs import replace

from whimbrel.model.codec import digest
from whimbrel.model.commands import CacheKey
from whimbrel.model.literals import BlobLiteral, ListLiteral, Literal, Literals, MapLiteral, RefLiteral, UnionLiteral
from whimbrel.model.program import CacheSpec, TaskSpec


def cache_key(spec: TaskSpec, cache: CacheSpec, inputs: Literals) -> CacheKey:
    """The key of a call of ``spec`` with ``inputs``."""
    return CacheKey(
        task=spec.name,
        version=cache.version,
        interface=digest(spec.interface),
        inputs={name: input_digest(literal) for name, literal in inputs.items() if name not in cache.ignored},
    )


def input_digest(literal: Literal) -> str:
    """The digest of a value. That of a whole referenced value is the one it would have inline."""
    if isinstance(literal, RefLiteral) and not literal.path:
        return literal.digest
    return digest(_by_content(literal))


def _by_content(literal: Literal) -> Literal:
    match literal:
        case RefLiteral():
            return RefLiteral("", literal.digest, 0, literal.path)
        case BlobLiteral() if literal.digest:
            return BlobLiteral("", literal.format, literal.multipart, literal.digest, literal.size)
        case ListLiteral():
            return ListLiteral(tuple([_by_content(item) for item in literal.items]))
        case MapLiteral():
            return MapLiteral({name: _by_content(item) for name, item in literal.items.items()})
        case UnionLiteral():
            return replace(literal, value=_by_content(literal.value))
        case _:
            return literal
