"""Secrets: which a task asks for, and what an attempt is handed. Values are never part of a program, an event or a row.

Knows: msgspec. Must not know: where secrets are kept.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

KEY_VARIABLE = "WHIMBREL_SECRETS_KEY"
"""The variable that may hold the key of an encrypted store. No worker is given it."""
SHORTEST = 4
"""Bytes of a secret that is masked: a mask of every "1" would tell more than it hides."""


class SecretMount(StrEnum):
    """How a secret is handed over besides ``current_context().secrets``: by either way, in an environment variable, in
    a file."""

    ANY = "any"
    ENV_VAR = "env_var"
    FILE = "file"


class SecretRequest(Struct, frozen=True, gc=False):
    """That a task may read a secret. Without ``key``: every secret of ``group``. ``env_var`` names the variable that
    holds it while the task runs (the path of its file, for ``FILE``)."""

    group: str = ""
    key: str = ""
    version: str = ""
    mount: SecretMount = SecretMount.ANY
    env_var: str = ""

    @property
    def title(self) -> str:
        """``group/key``, for people."""
        return secret_title(self.group, self.key, self.version)

    def covers(self, group: str, key: str) -> bool:
        """Whether it asks for the secret of that group and key. Case makes no difference: variables have none."""
        mine, wanted = (self.group.lower(), self.key.lower()), (group.lower(), key.lower())
        return mine == wanted or (not self.key and mine[0] == wanted[0])


class SecretValue(Struct, frozen=True, gc=False):
    """A secret on its way to an attempt. Printing one does not show it."""

    group: str
    key: str
    value: bytes
    version: str = ""

    def __repr__(self) -> str:
        return f"SecretValue({secret_title(self.group, self.key, self.version)}, …)"


def secret_title(group: str, key: str, version: str = "") -> str:
    """``group/key`` or ``group/key@version``."""
    name = "/".join(part for part in (group, key) if part)
    return f"{name}@{version}" if version else name
