"""``flytekit.core.interface``: inputs and outputs by name, for tasks that are objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from flytekit._adapt import missing

__all__ = ["Interface"]


@dataclass(frozen=True)
class Interface:
    """Types by name: ``Interface(kwtypes(x=int), kwtypes(y=str))``."""

    inputs: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


__getattr__ = missing(__name__)
