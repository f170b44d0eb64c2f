"""The audit log as REST shows it.

Knows: JSON. Must not know: what is noted, and when.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct


class AuditQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines: of ``principal`` (``user:ada``), of ``action``. ``cursor`` is the ``next`` of the page before."""

    principal: str = ""
    action: str = ""
    cursor: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 100


class AuditLine(Struct, frozen=True):
    """Who did what, when, where, to what, with what outcome, from which address. ``principal`` "" is a stranger."""

    id: int
    at: str
    principal: str
    action: str
    place: str
    target: str
    outcome: str
    address: str


class AuditPage(Struct, frozen=True):
    """Lines, the latest first; there are more for as long as ``next`` is not null."""

    lines: tuple[AuditLine, ...]
    next: int | None
