"""Two sets of messages, compared: every difference as a path, and which of them are known."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_MAP_NAME = re.compile(r"\.map_(\w+)_[0-9a-f]{32}-arraynode")


class Difference(NamedTuple):
    """One place where the two are not the same; ``MISSING`` stands for what is not there."""

    program: str
    path: str
    theirs: Any
    ours: Any

    def __str__(self) -> str:
        return f"{self.program}: {self.path}\n    flytekit: {self.theirs!r}\n    whimbrel: {self.ours!r}"


class _Missing:
    def __repr__(self) -> str:
        return "nothing"


MISSING = _Missing()


def normal(value: Any, key: str = "") -> Any:
    """``value`` without what says nothing: flytekit keeps upstream nodes in a set, so their order is chance, and names
    its maps by a digest of its own objects."""
    if isinstance(value, dict):
        return {normal(name): normal(item, name) for name, item in value.items()}
    if isinstance(value, list):
        items = [normal(item) for item in value]
        return sorted(set(items)) if key == "upstream_node_ids" else items
    return _MAP_NAME.sub(r".map_\1_DIGEST-arraynode", value) if isinstance(value, str) else value


def differences(program: str, theirs: Any, ours: Any) -> list[Difference]:
    """Every difference between two documents, deepest first found."""
    return list(_compare(program, "", normal(theirs), normal(ours)))


def _compare(program: str, path: str, theirs: Any, ours: Any) -> Iterator[Difference]:
    if isinstance(theirs, dict) and isinstance(ours, dict):
        for name in sorted({*theirs, *ours}):
            step = f"{path}/{name}"
            yield from _compare(program, step, theirs.get(name, MISSING), ours.get(name, MISSING))
    elif isinstance(theirs, list) and isinstance(ours, list) and len(theirs) == len(ours):
        for number, (one, other) in enumerate(zip(theirs, ours, strict=True)):
            yield from _compare(program, f"{path}/{number}", one, other)
    elif theirs != ours:
        yield Difference(program, path, theirs, ours)
