"""What flowed from call to call of an eager body, as far as its values prove it.

A body is a program: nobody declares its edges. But a value that is no plain scalar and was first seen as the output
of one call came from that call, and whichever call of the same body takes it later got it from there. A *value* is a
file or table by its address, a large value by the digest that it is kept under, or a list, map, string or bytes of at
least ``PROOF`` bytes by its own digest; those inside lists and maps count too. Small values and scalars prove
nothing. Neither does a value that the body had before (from its inputs, or given to another call first), nor one that
two calls gave: those have no edge.

Knows: the engine's nodes, literals. Must not know: rows, stores.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from whimbrel.engine.nodes import NodeState
from whimbrel.model.codec import canonical, digest
from whimbrel.model.literals import (
    BlobLiteral,
    BytesLiteral,
    DatasetLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    RefLiteral,
    StrLiteral,
    UnionLiteral,
)

PROOF = 64
"""Bytes of a value that nobody makes twice by chance."""
_LOOKED_AT = 300
"""Literals inside one call's inputs or outputs that are looked at: of larger ones the rest proves nothing more."""


class Flows:
    """The edges of the bodies of one run. They are found in the order in which things happened, however many at a
    time."""

    def __init__(self) -> None:
        self._origins: dict[str, dict[str, NodeState | None]] = {}
        """By body: where a value was seen first; ``None`` where that proves nothing."""
        self._taken: dict[str, list[str]] = {}
        self._named: dict[str, dict[str, str]] = {}
        self._takes: dict[str, dict[str, list[str]]] = {}
        self._given: set[str] = set()

    def into(self, path: str) -> list[str]:
        """The paths of the calls whose outputs the call at ``path`` takes."""
        return self._taken.get(path, [])

    def takes(self, path: str) -> dict[str, list[str]]:
        """Which inputs of its body the call at ``path`` takes, and as which of its own."""
        return self._takes.get(path, {})

    def look(self, calls: Iterable[NodeState]) -> None:
        """Take in calls that are new, or have ended since."""
        happened: list[tuple[float, int, int, NodeState]] = []
        for call in calls:
            if call.path not in self._taken:
                self._taken[call.path] = []
                happened.append((call.created_at, 1, call.born, call))
            if call.phase.has_outputs and call.path not in self._given:
                self._given.add(call.path)
                happened.append((call.ended_at, 0, call.born, call))
        happened.sort(key=lambda each: each[:3])
        for _, begins, _, call in happened:
            origins = self._origins.get(call.parent)
            if origins is None:
                body = call.host
                given = body.inputs if isinstance(body, NodeState) else {}
                origins = self._origins[call.parent] = {}
                self._named[call.parent] = {
                    value: name for name, literal in given.items() for value in _values({name: literal})
                }
                origins.update(dict.fromkeys(self._named[call.parent]))
            if begins:
                self._taken[call.path] = _sources(call.inputs, origins)
                takes = _taken_from(call.inputs, self._named[call.parent])
                if takes:
                    self._takes[call.path] = takes
            else:
                _give(call, origins)


def _sources(inputs: Literals, origins: dict[str, NodeState | None]) -> list[str]:
    found: dict[str, None] = {}
    for value in _values(inputs):
        origin = origins.setdefault(value, None)
        if origin is not None:
            found[origin.path] = None
    return list(found)


def _taken_from(inputs: Literals, named: dict[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    if named:
        for own, literal in inputs.items():
            for name in dict.fromkeys(named[value] for value in _values({own: literal}) if value in named):
                found.setdefault(name, []).append(own)
    return found


def _give(call: NodeState, origins: dict[str, NodeState | None]) -> None:
    for value in _values(call.outputs):
        if value not in origins:
            origins[value] = call
            continue
        before = origins[value]
        # What was replaced, or grafted from, gives way to what stands there now.
        if before is not None and before is not call:
            origins[value] = call if before.replaced or call.grafted_from == before.path else None


def _values(literals: Literals) -> Iterator[str]:
    """What can be told from everything else in inputs or outputs."""
    waiting: list[Literal] = list(reversed(literals.values()))
    left = _LOOKED_AT
    while waiting and left:
        left -= 1
        literal = waiting.pop()
        match literal:
            case UnionLiteral(value=inner):
                waiting.append(inner)
            case BlobLiteral(uri=uri) | DatasetLiteral(uri=uri):
                yield uri
            case RefLiteral(digest=kept):
                yield kept
            case StrLiteral(value=text) if len(text) >= PROOF:
                yield digest(literal)
            case BytesLiteral(value=data) if len(data) >= PROOF:
                yield digest(literal)
            case ListLiteral(items=items):
                yield from _structured(literal)
                waiting.extend(reversed(items[:left]))
            case MapLiteral(items=fields):
                yield from _structured(literal)
                waiting.extend(reversed(fields.values()))


def _structured(literal: Literal) -> Iterator[str]:
    if len(canonical(literal)) >= PROOF:
        yield digest(literal)
