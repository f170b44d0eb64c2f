"""Who asks, and what they may do, as REST says it.

Knows: JSON. Must not know: how it is decided.
"""

from __future__ import annotations

from msgspec import Struct


class Allowed(Struct, frozen=True):
    """What may be done in a place: read, launch, answer, register, admin. ``*`` is every project, or every domain."""

    project: str
    domain: str
    actions: tuple[str, ...]


class Me(Struct, frozen=True):
    """Whoever asks: ``principal`` is ``user:ada``, and "" where the server asks nobody who they are."""

    principal: str
    name: str
    email: str
    allowed: tuple[Allowed, ...]
