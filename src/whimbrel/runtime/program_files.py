"""Local files that a program says by itself: constants of a body, defaults, what a launch plan fixes.

A run has its files for good. Those of its inputs are put into the blob store when it is launched, and so are these:
what happens to the paths later changes nothing, and a resumed run reads what the first one read.

Knows: the program as nested structs. Must not know: which of its fields hold literals.
"""

from __future__ import annotations

from typing import Any

import msgspec

from whimbrel.model import codec
from whimbrel.model.literals import BlobLiteral, DatasetLiteral
from whimbrel.model.program import Program
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.values import keep_files

_LOCAL = b"file://"


def keep_program_files(program: Program, blobs: BlobStore) -> Program:
    """``program`` with every local file in it put into ``blobs``; the same object when there is none.

    Raises ``OSError`` where one cannot be read.
    """
    # A search of its bytes: nearly every program has none, and large ones are launched too.
    if _LOCAL not in codec.encode(program):
        return program
    kept: Program = _kept(program, blobs)
    return kept


def _kept(value: Any, blobs: BlobStore) -> Any:
    if isinstance(value, BlobLiteral | DatasetLiteral):
        return keep_files(value, blobs)
    if isinstance(value, msgspec.Struct):
        fields = {name: getattr(value, name) for name in value.__struct_fields__}
        made = {name: _kept(field, blobs) for name, field in fields.items()}
        changed = {name: field for name, field in made.items() if field is not fields[name]}
        return msgspec.structs.replace(value, **changed) if changed else value
    if isinstance(value, dict):
        entries = {key: _kept(item, blobs) for key, item in value.items()}
        return value if all(entries[key] is value[key] for key in value) else entries
    if isinstance(value, tuple):
        items = tuple([_kept(item, blobs) for item in value])
        return value if all(one is other for one, other in zip(items, value, strict=True)) else items
    return value
