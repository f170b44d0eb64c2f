"""What outputs are kept by: ``Cache``, and policies that work its version out.

Must not know tasks, or where a cache is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, runtime_checkable

from msgspec import Struct

from whimbrel.errors import CallMismatch

P = ParamSpec("P")
R = TypeVar("R")


class VersionParameters(Struct, Generic[P, R], frozen=True):
    """What a policy may look at: the task's function, its image and pod template."""

    func: Callable[P, R]
    container_image: Any = None
    pod_template: Any = None
    pod_template_name: str | None = None


@runtime_checkable
class CachePolicy(Protocol):
    """Works the version of a cached task out, or part of it."""

    def get_version(self, salt: str, params: VersionParameters[Any, Any]) -> str:
        """A text that changes when outputs that are kept shall not be used any more."""
        ...


class Cache(Struct, frozen=True):
    """How the outputs of a task are kept.

    ``version`` "" means: a digest of the function, and of the code of its project that it uses; or what ``policies``
    say, together. ``salt`` makes that another version. ``serialize``: of equal calls at the same time one computes and
    the others wait. ``ignored_inputs`` take no part in the key. Raises ``CallMismatch``.
    """

    version: str | None = ""
    serialize: bool = False
    ignored_inputs: tuple[str, ...] | str = ()
    salt: str = ""
    policies: Sequence[CachePolicy] | CachePolicy | None = None

    def __post_init__(self) -> None:
        if self.version and (self.salt or self.policies):
            raise CallMismatch("a Cache with a version needs neither salt nor policies. Give the one or the others.")
        for policy in self._policies():
            if not isinstance(policy, CachePolicy):
                raise CallMismatch(f"{policy!r} is no cache policy. Give it a method get_version(salt, params) -> str.")

    def _policies(self) -> tuple[CachePolicy, ...]:
        if self.policies is None:
            return ()
        # A single policy may stand for itself.
        return tuple(self.policies) if isinstance(self.policies, Sequence) else (self.policies,)

    def get_ignored_inputs(self) -> tuple[str, ...]:
        """The names, however they were given."""
        return (self.ignored_inputs,) if isinstance(self.ignored_inputs, str) else tuple(self.ignored_inputs)

    def get_version(self, params: VersionParameters[Any, Any], code: str = "") -> str:
        """The version: as given, of the policies, else of ``code``, the digest of the task's."""
        if self.version:
            return self.version
        policies = self._policies()
        if not policies and not self.salt:
            return code
        said = [policy.get_version(self.salt, params) for policy in policies] or [code]
        return hashlib.sha256("\n".join((self.salt, *said)).encode()).hexdigest()[:16]
