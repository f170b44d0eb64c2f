"""``flytekit.models.security``: a secret that a task says it needs.

Data only: a task reads a secret with ``current_context().secrets.get(group, key)``, from the worker's environment.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import ClassVar

__all__ = ["Secret"]


class MountType(Enum):
    """How a cluster hands the secret over."""

    ANY = 0
    ENV_VAR = 1
    FILE = 2


@dataclass(frozen=True)
class Secret:
    """A secret by group and key. One of the two is enough."""

    group: str | None = None
    key: str | None = None
    group_version: str | None = None
    mount_requirement: MountType = MountType.ANY
    env_var: str | None = None

    MountType: ClassVar[type[MountType]] = MountType

    def __post_init__(self) -> None:
        if self.group is None and self.key is None:
            raise ValueError("a Secret needs a group or a key; give it one of them")
