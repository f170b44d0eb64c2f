"""Tokens of attempts that call back: each is good in the place of its run, to read and to launch, until the attempt
has ended. Tasks of its own version it may register, as flytekit's eager tasks do with what they call.

They are in memory alone: when the server dies, its attempts are ended too.

Knows: attempts by id. Must not know: what runs, how the token gets there.
"""

from __future__ import annotations

from whimbrel.model.access import Action, Grant, Place, Principal, PrincipalKind, Role
from whimbrel.model.run import AttemptId
from whimbrel.server.auth.digests import digest_of, new_secret

SCOPES = frozenset({Action.READ.value, Action.LAUNCH.value, Action.REGISTER.value})


TOKEN = "WHIMBREL_ATTEMPT_TOKEN"
"""The variable that has an attempt's token."""
ATTEMPT_VARIABLES = {
    "FLYTE_CREDENTIALS_AUTH_MODE": "ExternalCommand",
    "FLYTE_CREDENTIALS_COMMAND": f"printenv,{TOKEN}",
}
"""With these flytekit's client asks a command for the token."""


class AttemptTokens:
    """See the module."""

    def __init__(self) -> None:
        self._by_digest: dict[str, Principal] = {}
        self._digests: dict[AttemptId, str] = {}

    def issue(self, attempt: AttemptId, place: Place, version: str) -> str:
        """A token for an attempt of a run in ``place``, of code of ``version``; an earlier one ends."""
        self.end(attempt)
        token = new_secret("wak")
        name = f"{attempt.run}/{attempt.path}/{attempt.number}"
        digest = self._digests[attempt] = digest_of(token)
        grants = (Grant(Role.RUNNER, place),)
        self._by_digest[digest] = Principal(PrincipalKind.ATTEMPT, name, grants, SCOPES, version=version)
        return token

    def end(self, attempt: AttemptId) -> None:
        """The attempt has ended, and its token with it."""
        digest = self._digests.pop(attempt, None)
        if digest is not None:
            self._by_digest.pop(digest, None)

    async def principal(self, token: str) -> Principal | None:
        """See ``Verifier``."""
        return self._by_digest.get(digest_of(token))
