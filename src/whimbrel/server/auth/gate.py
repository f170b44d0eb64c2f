"""The gate: every call passes it, whatever it came by. Who asks, whether they may, and a line in the audit log.

Knows: tokens of every kind, roles, the audit log. Must not know: transports, what a call does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from whimbrel.errors import NotAuthenticated, Overloaded, WhimbrelError
from whimbrel.model.access import Action, Place, Principal
from whimbrel.server.auth.auditing import Auditor
from whimbrel.server.limits import Buckets, whole_seconds

_QUIET = frozenset({Action.OPEN, Action.SELF, Action.READ})
"""What only looks, and leaves no line."""


class Verifier(Protocol):
    """Knows one kind of token."""

    async def principal(self, token: str) -> Principal | None:
        """Who comes with ``token``; ``None`` when it is good for nothing here. Raises ``NotAuthenticated`` with the
        reason, if that may be said."""
        ...


class Gate:
    """See the module. ``verifiers`` are asked in their order; ``buckets`` hold principals to their rate, wherever they
    ask from."""

    def __init__(
        self,
        verifiers: Sequence[Verifier],
        auditor: Auditor,
        now: Callable[[], float],
        buckets: Buckets | None = None,
    ) -> None:
        self._buckets = buckets
        self._verifiers = tuple(verifiers)
        self._auditor = auditor
        self._now = now

    async def who(self, authorization: str) -> Principal | None:
        """Who comes with the value of an Authorization header; ``None`` without one. Raises ``NotAuthenticated``;
        ``Overloaded`` for somebody who asks too often."""
        if not authorization:
            return None
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated("Authorization has to be 'Bearer TOKEN'; send the token that logging in gave.")
        for verifier in self._verifiers:
            found = await verifier.principal(token)
            if found is not None and (not found.expires_at or found.expires_at > self._now()):
                if self._buckets is not None and (wait := self._buckets.take(str(found))):
                    raise Overloaded(f"{found} asks too often; try again in {whole_seconds(wait)} s.")
                return found
        raise NotAuthenticated("this token is good for nothing here, or not any more; log in again.")

    async def done(
        self,
        principal: Principal | None,
        action: Action,
        place: Place,
        *,
        name: str,
        target: str = "",
        error: Exception | None = None,
        address: str = "",
    ) -> None:
        """What came of a call that was admitted is noted, if it was meant to change something."""
        if action not in _QUIET:
            await self.note(principal, name, place, target, _outcome(error), address)

    async def note(
        self, principal: Principal | None, name: str, place: Place | None, target: str, outcome: str, address: str
    ) -> None:
        """A line in the audit log."""
        who = "" if principal is None else str(principal)
        await self._auditor.note(who, name, place=place, target=target, outcome=outcome, address=address)


def _outcome(error: Exception | None) -> str:
    if error is None:
        return "ok"
    return type(error).__name__ if isinstance(error, WhimbrelError) else "fault"
