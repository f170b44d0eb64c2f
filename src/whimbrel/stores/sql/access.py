"""Access and the audit log in the SQL store.

Knows: the port. Must not know: what a row's body means, who may do what.
"""

from __future__ import annotations

from typing import Any

from whimbrel.model.access import AccessKind, AccessRow, AuditEntry
from whimbrel.stores.sql.database import Cursor
from whimbrel.stores.sql.part import SqlPart
from whimbrel.stores.utf8 import encodable


class SqlAccess(SqlPart):
    """Implements ``AccessStore`` for the store that has the writer and the readers."""

    async def add_access(self, row: AccessRow) -> bool:
        """See ``AccessStore``."""
        return await self._changes(self._sql.add_access, _new(row))

    async def put_access(self, row: AccessRow, was: bytes | None = None) -> bool:
        """See ``AccessStore``."""
        values: dict[str, Any] = {"kind": row.kind.value, "id": encodable(row.id)}
        values |= {"new_owner": encodable(row.owner), "new_body": row.body, "new_expires_at": row.expires_at}
        if was is not None:
            return await self._changes(self._sql.swap_access, {**values, "was": was})

        def work(cursor: Cursor) -> bool:
            cursor.execute(self._sql.set_access, values)
            if cursor.rowcount != 1:
                cursor.execute(self._sql.add_access, _new(row))
            return True

        return await self._write(work)

    async def access(self, kind: AccessKind, id: str) -> AccessRow | None:
        """See ``AccessStore``."""

        def work(cursor: Cursor) -> AccessRow | None:
            cursor.execute(self._sql.access, {"kind": kind.value, "id": encodable(id)})
            row = cursor.fetchone()
            return None if row is None else _row(row)

        return await self._read(work)

    async def accesses(self, kind: AccessKind, owner: str = "") -> list[AccessRow]:
        """See ``AccessStore``."""
        values = {"kind": kind.value}
        if owner:
            values["owner"] = encodable(owner)

        def work(cursor: Cursor) -> list[AccessRow]:
            cursor.execute(self._sql.accesses_of if owner else self._sql.accesses, values)
            return [_row(row) for row in cursor.fetchall()]

        return await self._read(work)

    async def drop_access(self, kind: AccessKind, id: str) -> bool:
        """See ``AccessStore``."""
        return await self._changes(self._sql.drop_access, {"kind": kind.value, "id": encodable(id)})

    async def expire_access(self, now: float) -> int:
        """See ``AccessStore``."""

        def work(cursor: Cursor) -> int:
            cursor.execute(self._sql.expire_access, {"now": now})
            return cursor.rowcount

        return await self._write(work)

    async def audit(self, entry: AuditEntry) -> None:
        """See ``AccessStore``."""
        values: dict[str, Any] = {"at": entry.at}
        for name in ("principal", "action", "place", "target", "outcome", "address"):
            values[name] = encodable(getattr(entry, name))

        def work(cursor: Cursor) -> None:
            cursor.execute(self._sql.add_audit, values)

        await self._write(work)

    async def audited(
        self, *, principal: str = "", action: str = "", since: float = 0.0, before: int = 0, limit: int = 100
    ) -> list[AuditEntry]:
        """See ``AccessStore``."""
        values = {"principal": encodable(principal), "action": encodable(action)}
        numbers = {"since": since, "before": max(before, 0), "limit": max(limit, 0)}

        def work(cursor: Cursor) -> list[AuditEntry]:
            cursor.execute(self._sql.audited, {**values, **numbers})
            return [AuditEntry(*(*said, id)) for id, *said in cursor.fetchall()]

        return await self._read(work)

    async def _changes(self, sql: str, values: dict[str, Any]) -> bool:
        def work(cursor: Cursor) -> bool:
            cursor.execute(sql, values)
            return cursor.rowcount == 1

        return await self._write(work)


def _new(row: AccessRow) -> dict[str, Any]:
    return {
        "kind": row.kind.value,
        "id": encodable(row.id),
        "owner": encodable(row.owner),
        "body": row.body,
        "expires_at": row.expires_at,
    }


def _row(row: Any) -> AccessRow:
    kind, *rest = row
    return AccessRow(AccessKind(kind), *rest)
