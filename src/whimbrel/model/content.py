"""Digests of values by content: equal values have equal digests wherever they are kept.

A value in the blob store counts by its content, not by its address.
"""

from __future__ import annotations

from msgspec.structs import replace

from whimbrel.model.codec import digest
from whimbrel.model.literals import (
    BlobLiteral,
    DatasetLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    RefLiteral,
    UnionLiteral,
)


def input_digest(literal: Literal) -> str:
    """The digest of a value. That of a whole referenced value is the one it would have inline."""
    if isinstance(literal, RefLiteral) and not literal.path:
        return literal.digest
    return digest(_by_content(literal))


def inputs_digest(inputs: Literals, carried: Literals) -> str:
    """The digest of everything that a call is given: its inputs, and the context that travels with it."""
    said = {name: input_digest(literal) for name, literal in inputs.items()}
    return digest((said, {name: input_digest(literal) for name, literal in carried.items()}))


def call_digest(entity: str, inputs: Literals) -> str:
    """The digest of a call of an eager body: of what is called and the inputs as they stand."""
    return digest((entity, {name: _unmeasured(literal) for name, literal in inputs.items()}))


def unvouched(literal: Literal) -> str:
    """The URI of a file or table in ``literal`` of whose content nothing is known: it is neither in whimbrel's own
    store, where contents never change, nor was it digested. "" if there is none. References are not read.
    """
    match literal:
        case BlobLiteral(uri=uri, digest="") | DatasetLiteral(uri=uri, digest=""):
            return uri if "://" in uri or uri.startswith("file:") else ""
        case ListLiteral(items=items):
            return next((uri for item in items if (uri := unvouched(item))), "")
        case MapLiteral(items=fields):
            return next((uri for item in fields.values() if (uri := unvouched(item))), "")
        case UnionLiteral(value=value):
            return unvouched(value)
        case _:
            return ""


def _unmeasured(literal: Literal) -> Literal:
    """Without the lengths of referenced lists, which older journals do not know."""
    match literal:
        case RefLiteral(length=length) if length >= 0:
            return replace(literal, length=-1)
        case ListLiteral(items=items):
            return ListLiteral(tuple([_unmeasured(item) for item in items]))
        case MapLiteral(items=fields):
            return MapLiteral({name: _unmeasured(item) for name, item in fields.items()})
        case UnionLiteral(value=value):
            return replace(literal, value=_unmeasured(value))
        case _:
            return literal


def _by_content(literal: Literal) -> Literal:
    match literal:
        case RefLiteral():
            return RefLiteral("", literal.digest, 0, literal.path)
        case BlobLiteral() if literal.digest:
            return BlobLiteral("", literal.format, literal.multipart, literal.digest, literal.size)
        case DatasetLiteral() if literal.digest:
            return DatasetLiteral("", literal.format, literal.columns, literal.digest, literal.size)
        case ListLiteral():
            return ListLiteral(tuple([_by_content(item) for item in literal.items]))
        case MapLiteral():
            return MapLiteral({name: _by_content(item) for name, item in literal.items.items()})
        case UnionLiteral():
            return replace(literal, value=_by_content(literal.value))
        case _:
            return literal
