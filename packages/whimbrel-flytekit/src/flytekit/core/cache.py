"""``flytekit.core.cache``: how the outputs of a task are kept, and rules that make a version out of its function."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

__all__ = ["Cache", "CachePolicy", "VersionParameters"]


@dataclass(frozen=True)
class VersionParameters:
    """What a policy may look at."""

    func: Callable[..., Any]
    container_image: Any = None
    pod_template: Any = None


@runtime_checkable
class CachePolicy(Protocol):
    """Makes a version, or a part of one, for a task."""

    def get_version(self, salt: str, params: VersionParameters) -> str:
        """Another text whenever outputs that were kept must not be used any more."""
        ...


@dataclass(frozen=True)
class Cache:
    """How outputs are kept. Without a version or policies the version is a digest of the function's source.

    ``serialize``: of equal calls at the same time one computes, the others wait. ``ignored_inputs`` are left out.
    """

    version: str | None = None
    serialize: bool = False
    ignored_inputs: str | Sequence[str] = ()
    salt: str = ""
    policies: CachePolicy | Sequence[CachePolicy] | None = None

    def get_version(self, params: VersionParameters) -> str:
        """The version that was given, or that the policies make; "" if there are none."""
        if self.version is not None:
            return self.version
        policies = [self.policies] if isinstance(self.policies, CachePolicy) else list(self.policies or ())
        parts = [policy.get_version(self.salt, params) for policy in policies]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest() if parts else ""

    def options_for(self, fn: Callable[..., Any], container_image: Any = None) -> dict[str, Any]:
        """The same, as whimbrel's options of a task."""
        ignored = (self.ignored_inputs,) if isinstance(self.ignored_inputs, str) else tuple(self.ignored_inputs)
        return {
            "cache": True,
            "cache_version": self.get_version(VersionParameters(fn, container_image)),
            "cache_serialize": self.serialize,
            "cache_ignore_input_vars": ignored,
        }
