"""REST for the audit log.

Knows: the store, the shapes. Must not know: who may read it.
"""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.controlplane.access import AccessStore
from whimbrel.errors import InputInvalid
from whimbrel.wire.rest.audit import AuditLine, AuditPage, AuditQuery
from whimbrel.wire.spans import iso_moment


class AuditCalls:
    """The handlers."""

    def __init__(self, store: AccessStore) -> None:
        self._store = store

    async def list_audit(self, request: Request) -> Response:
        """A page, the latest first."""
        try:
            asked = msgspec.convert(dict(request.query_params), AuditQuery, strict=False)
        except msgspec.ValidationError as error:
            raise InputInvalid(f"the query: {error}") from None
        found = await self._store.audited(
            principal=asked.principal, action=asked.action, before=asked.cursor, limit=asked.limit
        )
        lines = tuple(
            AuditLine(
                entry.id,
                iso_moment(entry.at) or "",
                entry.principal,
                entry.action,
                entry.place,
                entry.target,
                entry.outcome,
                entry.address,
            )
            for entry in found
        )
        page = AuditPage(lines, found[-1].id if len(found) == asked.limit else None)
        return Response(msgspec.json.encode(page), media_type="application/json")
