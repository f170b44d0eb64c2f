"""Access and the audit log in memory: the twin of `sql/access.py`.

Knows: the port. Must not know: disk, SQL.
"""

from __future__ import annotations

from msgspec.structs import replace

from whimbrel.model.access import AccessKind, AccessRow, AuditEntry


class MemoryAccess:
    """Implements ``AccessStore``."""

    def __init__(self) -> None:
        super().__init__()
        self._access: dict[tuple[AccessKind, str], AccessRow] = {}
        self._audit: list[AuditEntry] = []

    async def add_access(self, row: AccessRow) -> bool:
        """See ``AccessStore``."""
        return self._access.setdefault((row.kind, row.id), row) is row

    async def put_access(self, row: AccessRow, was: bytes | None = None) -> bool:
        """See ``AccessStore``."""
        there = self._access.get((row.kind, row.id))
        if was is not None and (there is None or there.body != was):
            return False
        self._access[row.kind, row.id] = row
        return True

    async def access(self, kind: AccessKind, id: str) -> AccessRow | None:
        """See ``AccessStore``."""
        return self._access.get((kind, id))

    async def accesses(self, kind: AccessKind, owner: str = "") -> list[AccessRow]:
        """See ``AccessStore``."""
        found = [row for row in self._access.values() if row.kind is kind and owner in ("", row.owner)]
        return sorted(found, key=lambda row: row.id)

    async def drop_access(self, kind: AccessKind, id: str) -> bool:
        """See ``AccessStore``."""
        return self._access.pop((kind, id), None) is not None

    async def expire_access(self, now: float) -> int:
        """See ``AccessStore``."""
        gone = [key for key, row in self._access.items() if 0.0 < row.expires_at <= now]
        for key in gone:
            del self._access[key]
        return len(gone)

    async def audit(self, entry: AuditEntry) -> None:
        """See ``AccessStore``."""
        self._audit.append(replace(entry, id=len(self._audit) + 1))

    async def audited(
        self, *, principal: str = "", action: str = "", since: float = 0.0, before: int = 0, limit: int = 100
    ) -> list[AuditEntry]:
        """See ``AccessStore``."""
        found = [
            entry
            for entry in reversed(self._audit)
            if principal in ("", entry.principal)
            and action in ("", entry.action)
            and entry.at >= since
            and (before <= 0 or entry.id < before)
        ]
        return found[: max(limit, 0)]
