"""The one place that says whether somebody may do something; and the port of what is kept about access.

Knows: principals, grants, scopes. Must not know: how somebody proved who they are, transports.
"""

from __future__ import annotations

from typing import Protocol

from whimbrel.errors import NotAllowed, NotAuthenticated
from whimbrel.model.access import (
    ALL_SCOPES,
    ALLOWED,
    AccessKind,
    AccessRow,
    Action,
    AuditEntry,
    Place,
    Principal,
    PrincipalKind,
)

_VERBS = {
    Action.READ: "read",
    Action.LAUNCH: "launch",
    Action.ANSWER: "end runs or answer gates",
    Action.REGISTER: "register",
    Action.ADMIN: "administer",
}


def may(principal: Principal | None, action: Action, place: Place, version: str = "") -> bool:
    """Whether ``principal`` may do that, in all of ``place``. ``version`` is that of a task that is registered:
    attempts may bring tasks of their own version, as flytekit's eager ones do with what they call, and nothing else."""
    if action is Action.OPEN:
        return True
    if principal is None:
        return False
    if action is Action.SELF:
        return True
    if ALL_SCOPES not in principal.scopes and action.value not in principal.scopes:
        return False
    if action is Action.REGISTER and principal.kind is PrincipalKind.ATTEMPT and version != (principal.version or None):
        return False
    return any(action in ALLOWED[grant.role] and grant.place.covers(place) for grant in principal.grants)


def sees(principal: Principal, place: Place) -> bool:
    """Whether ``principal`` may read anything in ``place``."""
    if ALL_SCOPES not in principal.scopes and Action.READ.value not in principal.scopes:
        return False
    return any(grant.place.touches(place) for grant in principal.grants)


def may_somewhere(principal: Principal, action: Action) -> bool:
    """Whether there is a place in which ``principal`` may do that."""
    if principal.kind is PrincipalKind.ATTEMPT and action is Action.REGISTER:
        return False
    if ALL_SCOPES not in principal.scopes and action.value not in principal.scopes:
        return False
    return any(action in ALLOWED[grant.role] for grant in principal.grants)


def must_somewhere(principal: Principal | None, action: Action) -> None:
    """Raises ``NotAuthenticated`` or ``NotAllowed`` unless ``may_somewhere``."""
    if principal is None:
        raise NotAuthenticated
    if not may_somewhere(principal, action):
        raise NotAllowed(
            f"{principal} has no role that allows to {_VERBS[action]}; whoever keeps the server can grant a role: "
            f"whimbrel auth role grant {principal} ROLE."
        )


def must(principal: Principal | None, action: Action, place: Place, version: str = "") -> None:
    """Raises ``NotAuthenticated`` or ``NotAllowed`` unless ``may``."""
    if may(principal, action, place, version):
        return
    if principal is None:
        raise NotAuthenticated
    if principal.kind is PrincipalKind.ATTEMPT:
        raise NotAllowed(
            f"{principal} may not {_VERBS.get(action, action.value)} in {place}: an attempt reads and launches in the "
            "place of its run; do the rest with a login of your own."
        )
    if ALL_SCOPES not in principal.scopes and action.value not in principal.scopes:
        raise NotAllowed(
            f"the token of {principal} has not the scope {action.value!r}; log in again and ask for it, or for "
            f"{ALL_SCOPES!r}."
        )
    raise NotAllowed(
        f"{principal} has no role in {place} that allows to {_VERBS[action]}; whoever keeps the server can grant a "
        f"role: whimbrel auth role grant {principal} ROLE."
    )


class AccessStore(Protocol):
    """What is kept about access. A method returns when what it did is on disk."""

    async def add_access(self, row: AccessRow) -> bool:
        """Keep ``row`` unless there is one of its kind and id; whether it was kept."""
        ...

    async def put_access(self, row: AccessRow, was: bytes | None = None) -> bool:
        """Keep ``row`` in the place of the one of its kind and id. With ``was``, only if that one's body is ``was``;
        whether it was kept. Without, it is there in any case."""
        ...

    async def access(self, kind: AccessKind, id: str) -> AccessRow | None:
        """One row, expired or not."""
        ...

    async def accesses(self, kind: AccessKind, owner: str = "") -> list[AccessRow]:
        """The rows of a kind, those of one owner if one is named, by id."""
        ...

    async def drop_access(self, kind: AccessKind, id: str) -> bool:
        """Forget a row; whether there was one. Of several who ask for the same, one hears yes."""
        ...

    async def expire_access(self, now: float) -> int:
        """Forget what has expired; how many."""
        ...

    async def audit(self, entry: AuditEntry) -> None:
        """Add a line to the audit log. There is no way to change or remove one."""
        ...

    async def audited(
        self, *, principal: str = "", action: str = "", since: float = 0.0, before: int = 0, limit: int = 100
    ) -> list[AuditEntry]:
        """Lines of the audit log, the latest first; ``before`` is the id of the last of the page before."""
        ...
