"""What a node's outputs are cached by.

Knows: specs and literals. Must not know: where a cache is.
"""

from __future__ import annotations

from whimbrel.model.codec import digest
from whimbrel.model.commands import CacheKey
from whimbrel.model.content import input_digest, unvouched
from whimbrel.model.literals import Literals
from whimbrel.model.program import CacheSpec, TaskSpec


def cache_key(spec: TaskSpec, cache: CacheSpec, inputs: Literals) -> CacheKey:
    """The key of a call of ``spec`` with ``inputs``."""
    return CacheKey(
        task=spec.name,
        version=cache.version,
        interface=digest(spec.interface),
        inputs={name: input_digest(literal) for name, literal in inputs.items() if name not in cache.ignored},
    )


def uncacheable(cache: CacheSpec, inputs: Literals) -> str:
    """Why a call with ``inputs`` cannot be cached; "" if it can."""
    for name, literal in inputs.items():
        if name not in cache.ignored and (uri := unvouched(literal)):
            return (
                f"not cached: nobody vouches for what stands at {uri} (input {name!r}). FlyteFile.pin() takes its "
                "version down, a HashMethod says what counts"
            )
    return ""
