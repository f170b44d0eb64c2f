"""Tables among the outputs of a run, for a person: how large, and the first rows.

Knows: previews. Must not know: runs.
"""

from __future__ import annotations

from collections.abc import Iterator

from whimbrel.errors import WhimbrelError
from whimbrel.model.literals import DatasetLiteral, Literals
from whimbrel.types.blobs import FileStore, Storage
from whimbrel.types.datasets import StructuredDataset
from whimbrel.types.previews import preview


def table_lines(outputs: Literals, blobs: FileStore) -> Iterator[str]:
    """A few lines on each table in ``outputs``; one on why, where it cannot be read."""
    for name, literal in outputs.items():
        if not isinstance(literal, DatasetLiteral) or not literal.uri:
            continue
        label = "" if list(outputs) == ["o0"] else f"{name}: "
        try:
            seen = preview(StructuredDataset.of(literal, storage=Storage(blobs, _no_scratch)))
        except (WhimbrelError, OSError) as error:
            yield f"{label}dataset at {literal.uri} ({error})"
            continue
        yield f"{label}dataset {seen.shape()} at {literal.uri}"
        yield from seen.text().splitlines()


def _no_scratch() -> str:
    raise AssertionError("showing a table fetches no file")
