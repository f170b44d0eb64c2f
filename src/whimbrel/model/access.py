"""Who may do what: principals, what they are granted, what a token carries, what the audit log says.

Knows: names and data. Must not know: how anybody proves who they are, transports, where rows are kept.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

ANY = "*"
"""Every project, or every domain."""


class Action(StrEnum):
    """What a call does, and the name of the scope that a token must have for it.

    ``OPEN`` needs nobody, ``SELF`` anybody who is known. ``READ`` looks; ``LAUNCH`` starts runs and sends their inputs;
    ``ANSWER`` ends runs and answers gates; ``REGISTER`` brings code; ``ADMIN`` makes projects, sets secrets, reads the
    audit log.
    """

    OPEN = "open"
    SELF = "self"
    READ = "read"
    LAUNCH = "launch"
    ANSWER = "answer"
    REGISTER = "register"
    ADMIN = "admin"


SCOPES = (Action.READ, Action.LAUNCH, Action.ANSWER, Action.REGISTER, Action.ADMIN)
"""The scopes that a token may have one by one."""
ALL_SCOPES = "all"
OFFLINE = "offline"
"""The scope that asks for a refresh token."""


class Role(StrEnum):
    """What somebody is in a project and domain."""

    VIEWER = "viewer"
    RUNNER = "runner"
    ADMIN = "admin"


ALLOWED: dict[Role, frozenset[Action]] = {
    Role.VIEWER: frozenset({Action.READ}),
    Role.RUNNER: frozenset({Action.READ, Action.LAUNCH, Action.ANSWER, Action.REGISTER}),
    Role.ADMIN: frozenset(SCOPES),
}


class Place(Struct, frozen=True, gc=False, order=True):
    """A project and a domain. ``ANY`` where all of them are meant."""

    project: str = ANY
    domain: str = ANY

    def __str__(self) -> str:
        return f"{self.project}/{self.domain}"

    def covers(self, other: Place) -> bool:
        """Whether all of ``other`` is in this one."""
        return self.project in (ANY, other.project) and self.domain in (ANY, other.domain)

    def touches(self, other: Place) -> bool:
        """Whether the two have anything in common."""
        return (self.project == other.project or ANY in (self.project, other.project)) and (
            self.domain == other.domain or ANY in (self.domain, other.domain)
        )


EVERYWHERE = Place()


class Grant(Struct, frozen=True, gc=False, order=True):
    """A role in a place."""

    role: Role
    place: Place = EVERYWHERE

    def __str__(self) -> str:
        return f"{self.role.value} in {self.place}"


class PrincipalKind(StrEnum):
    """What somebody is: a person, a program with a secret of its own, an attempt that calls back."""

    USER = "user"
    CLIENT = "client"
    ATTEMPT = "attempt"


class Principal(Struct, frozen=True, gc=False):
    """Somebody who has proved who they are.

    ``scopes`` limits what ``grants`` allow. ``expires_at`` (seconds since the epoch) is when the proof ends, 0.0 when
    it does not. ``client`` is the program through which a person came; ``version`` that of an attempt's code.
    """

    kind: PrincipalKind
    name: str
    grants: tuple[Grant, ...] = ()
    scopes: frozenset[str] = frozenset({ALL_SCOPES})
    expires_at: float = 0.0
    client: str = ""
    email: str = ""
    version: str = ""

    def __str__(self) -> str:
        return f"{self.kind.value}:{self.name}"


class AccessKind(StrEnum):
    """What a row about access is."""

    USER = "user"
    CLIENT = "client"
    GRANT = "grant"
    TOKEN = "token"
    REFRESH = "refresh"
    CODE = "code"
    DEVICE = "device"
    KEY = "key"


class AccessRow(Struct, frozen=True, gc=False):
    """A row about access. ``body`` is the form of its owner's; ``owner`` is whose it is, so that all of
    somebody's can be found. ``expires_at`` 0.0 is never. Secrets are in no row, but for keys of the server's own."""

    kind: AccessKind
    id: str
    owner: str = ""
    body: bytes = b""
    expires_at: float = 0.0


class AuditEntry(Struct, frozen=True, gc=False):
    """A line of the audit log: who did what, when (seconds since the epoch), from where, to what, and what came of it.

    ``outcome`` is ``ok`` or the name of the refusal. ``id`` is the store's.
    """

    at: float
    principal: str
    action: str
    place: str = ""
    target: str = ""
    outcome: str = "ok"
    address: str = ""
    id: int = 0
