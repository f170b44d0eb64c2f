"""Why the cache has nothing under a key, in one sentence.

Knows: cache keys and where their rows came from. Must not know: how rows are kept; every store hands its rows in.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from whimbrel.model.commands import CacheKey

# A sentence that lists more inputs than this helps nobody.
NAMED_INPUTS = 5

# How many rows of a task a store looks at: the nearest of the newest is near enough.
CANDIDATES = 200


class Candidate(Struct, frozen=True):
    """A row that is there: its key, and the node whose outputs it holds."""

    key: CacheKey
    run: str
    path: str


def why_not(key: CacheKey, candidates: Iterable[Candidate]) -> str:
    """One sentence on why there is nothing under ``key``, by the row nearest to it.

    ``candidates`` are rows of the same task, newest first; of two that are equally near the first is named.
    """
    nearest = min(candidates, key=lambda row: _distance(key, row.key), default=None)
    if nearest is None:
        return f"nothing is cached for {key.task} yet"
    where = f"{nearest.path} of run {nearest.run}"
    if nearest.key.version != key.version:
        return f"the cache version is {key.version!r}; {where} was cached under {nearest.key.version!r}"
    if nearest.key.interface != key.interface:
        return f"the inputs or outputs that {key.task} declares have changed since {where} was cached"
    differing = _differing(key, nearest.key)
    if not differing:
        return f"{where} has just been cached under the same key"
    return f"never run with these inputs: {_listed(differing)} from {where}, the nearest that is cached"


def _distance(wanted: CacheKey, there: CacheKey) -> tuple[bool, bool, int]:
    return (
        wanted.version != there.version,
        wanted.interface != there.interface,
        len(_differing(wanted, there)),
    )


def _differing(wanted: CacheKey, there: CacheKey) -> list[str]:
    names = {**wanted.inputs, **there.inputs}
    return [name for name in names if wanted.inputs.get(name) != there.inputs.get(name)]


def _listed(names: list[str]) -> str:
    if len(names) == 1:
        return f"{names[0]} differs"
    if len(names) <= NAMED_INPUTS:
        return f"{', '.join(names[:-1])} and {names[-1]} differ"
    return f"{', '.join(names[:NAMED_INPUTS])} and {len(names) - NAMED_INPUTS} more differ"
