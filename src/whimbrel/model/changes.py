"""What has changed between two versions of code, said from the digests of their parts."""

from __future__ import annotations

from collections.abc import Mapping


def explain(old: Mapping[str, str], new: Mapping[str, str]) -> list[str]:
    """What has changed from one closure's components (``TaskSpec.components``) to another's, in order of name."""
    said = []
    for name in sorted({*old, *new}):
        before, after = old.get(name), new.get(name)
        if before == after:
            continue
        kind = (after or before or "").partition(":")[0]
        change = "is new" if before is None else "is gone" if after is None else "has changed"
        said.append(f"{kind} {name} {change}")
    return said
