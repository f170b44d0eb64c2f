"""Every kind of type that whimbrel knows, in the order in which they are asked.

Knows: the kinds. Must not know: what any of them does.
"""

from __future__ import annotations

from typing import Final

from whimbrel.types import (
    aliases,
    annotated,
    arrays,
    dataclasses,
    datasets,
    directories,
    enums,
    estimators,
    files,
    frames,
    hashing,
    images,
    iterators,
    json,
    mappings,
    messages,
    namedtuples,
    pathlikes,
    pickle,
    pydantic,
    scalars,
    schemas,
    sequences,
    tensors,
    text,
    time,
    typeddicts,
    unions,
)
from whimbrel.types.hooks import Hook

KINDS: Final[tuple[Hook, ...]] = (
    scalars.HOOK,
    # Around whatever else is said of a type.
    hashing.HOOK,
    # Before what it may mark: the marker decides how a value travels.
    pickle.HOOK,
    # Before Annotated: it reads the metadata.
    directories.HOOK,
    images.HOOK,
    estimators.HOOK,
    tensors.HOOK,
    # They read their metadata: columns, a format, options.
    datasets.HOOK,
    schemas.HOOK,
    arrays.HOOK,
    frames.ANNOTATED,
    annotated.ANNOTATED,
    unions.HOOK,
    sequences.LIST,
    iterators.HOOK,
    # A bare dict is JSON-like; one with types is a mapping.
    json.HOOK,
    mappings.HOOK,
    dataclasses.HOOK,
    pydantic.HOOK,
    messages.HOOK,
    enums.ENUM,
    enums.LITERAL,
    time.HOOK,
    # Before tuples: a named tuple is one.
    namedtuples.HOOK,
    sequences.TUPLE,
    sequences.SET,
    typeddicts.HOOK,
    text.HOOK,
    files.HOOK,
    pathlikes.HOOK,
    annotated.NEW_TYPE,
    aliases.ALIAS,
    aliases.TYPE_VARIABLE,
    # The last: whoever serves a class that nobody knows may be a plug-in that is not loaded yet.
    frames.PLAIN,
)
