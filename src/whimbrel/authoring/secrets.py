"""Secrets as authors meet them: ``Secret`` says that a task needs one, ``current_context().secrets`` gives it.

Knows: requests, sources. Must not know: who hands values to an attempt, or how. In an attempt only what its task has
declared is there; a plain Python call asks the environment and files, whatever was declared.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from whimbrel.authoring.secret_sources import (
    PREFIXES,
    FileSecrets,
    SecretSource,
    environment_and_files,
    looked_in,
    parts_of,
)
from whimbrel.errors import CallMismatch, SecretNotDeclared, SecretNotFound
from whimbrel.model.secrets import SecretMount, SecretRequest, SecretValue, secret_title

_MOUNTS = {0: SecretMount.ANY, 1: SecretMount.ENV_VAR, 2: SecretMount.FILE}
"""flytekit's numbers."""


class Secret:
    """That a task needs a secret: ``@task(secret_requests=[Secret("db", "password")])``.

    Without ``key`` it is every secret of the group. ``env_var`` names the variable that holds it while the task runs;
    with ``mount_requirement=Secret.MountType.FILE``, the path of a file that does. Raises ``CallMismatch`` when
    neither group nor key is given.
    """

    MountType: ClassVar[type[SecretMount]] = SecretMount

    def __init__(
        self,
        group: str | None = None,
        key: str | None = None,
        group_version: str | None = None,
        mount_requirement: Any = SecretMount.ANY,
        env_var: str | None = None,
    ) -> None:
        if not group and not key:
            raise CallMismatch('a secret has a group, a key or both: write Secret(group="db", key="password").')
        self.group = group
        self.key = key
        self.group_version = group_version
        self.mount_requirement = _mount(mount_requirement)
        self.env_var = env_var

    def request(self) -> SecretRequest:
        """It in the engine's terms."""
        return SecretRequest(
            self.group or "", self.key or "", self.group_version or "", self.mount_requirement, self.env_var or ""
        )

    def __repr__(self) -> str:
        return f"Secret({self.request().title!r})"


def _mount(value: Any) -> SecretMount:
    if isinstance(value, SecretMount):
        return value
    # flytekit's enumeration, by its numbers; ours by its words.
    found = _MOUNTS.get(getattr(value, "value", value)) if not isinstance(value, str) else None
    try:
        return found or SecretMount(value)
    except ValueError:
        known = ", ".join(f"Secret.MountType.{mount.name}" for mount in SecretMount)
        raise CallMismatch(f"mount_requirement is one of {known}; got {value!r}.") from None


def secret_requests(said: Any) -> tuple[SecretRequest, ...]:
    """What the option ``secret_requests`` says: a list of ``Secret`` and of texts (``"group/key"``, ``"group"``).

    Raises ``CallMismatch``.
    """
    if not said:
        return ()
    given = [said] if isinstance(said, str | Secret) or hasattr(said, "group") else said
    if not isinstance(given, Iterable):
        raise CallMismatch(f'secret_requests is a list such as [Secret("db", "password")]; got {said!r}.')
    return tuple(_request(one) for one in given)


def _request(one: Any) -> SecretRequest:
    if isinstance(one, Secret):
        return one.request()
    if isinstance(one, str):
        group, _, key = one.partition("/")
        if group:
            return SecretRequest(group, key)
    elif hasattr(one, "group") and hasattr(one, "key"):
        # flytekit's own class.
        said = (getattr(one, name, None) for name in ("group_version", "mount_requirement", "env_var"))
        version, mount, env_var = said
        return Secret(one.group, one.key, version, mount or SecretMount.ANY, env_var).request()
    raise CallMismatch(f'a secret request is Secret("db", "password") or "db/password"; got {one!r}.')


class Secrets:
    """Secrets by group and key: ``secrets.get("db", "password")`` or ``secrets.db.password``.

    ``values`` is what the attempt was handed and ``declared`` what its task ``of`` asked for; without ``declared``,
    ``source`` is asked for anything. ``trouble`` is why values may be missing.
    """

    def __init__(
        self,
        *,
        declared: Sequence[SecretRequest] | None = None,
        values: Sequence[SecretValue] = (),
        of: str = "",
        trouble: str = "",
        source: SecretSource | None = None,
    ) -> None:
        self._declared = declared
        self._values = {secret_title(*_key(value)).lower(): value.value for value in values}
        self._mounted: dict[str, str] = {}
        self._of = of
        self._trouble = trouble
        self._source = source

    def get(
        self,
        group: str | None = None,
        key: str | None = None,
        group_version: str | None = None,
        encode_mode: str = "r",
    ) -> Any:
        """The secret as text; as bytes with ``encode_mode="rb"``.

        Raises ``SecretNotDeclared`` when the task has not asked for it, ``SecretNotFound`` when there is none, which
        says where it was looked for.
        """
        value = self._find(group or "", key or "", group_version or "")
        return value if encode_mode == "rb" else value.decode("utf-8", "surrogateescape")

    def _find(self, group: str, key: str, version: str) -> bytes:
        if not group and not key:
            raise CallMismatch('a secret has a group, a key or both: write secrets.get("db", "password").')
        title = secret_title(group, key, version)
        if self._declared is None:
            found = (self._source or environment_and_files()).find(group, key, version)
        else:
            if not any(request.covers(group, key) for request in self._declared):
                raise SecretNotDeclared(self._of, group, key)
            # Versions are of a group, and the request says which: asking without one means that.
            found = self._values.get(title.lower())
            if found is None and not version:
                found = next(
                    (value for name, value in self._values.items() if name.startswith(f"{title.lower()}@")), None
                )
        if found is None and self._trouble:
            raise SecretNotFound(f"the secret {title!r} could not be looked up: {self._trouble}")
        if found is None:
            where = looked_in(group, key, version)
            raise SecretNotFound(
                f"no secret {title!r}: looked for {where}, and in the home's store. "
                f"`whimbrel secrets set {title}` puts it there."
            )
        return found

    def get_secrets_env_var(
        self, group: str | None = None, key: str | None = None, group_version: str | None = None
    ) -> str:
        """The name of the variable that flytekit would read it from, and that holds it in an attempt."""
        return secret_variable(group or "", key or "", group_version or "")

    def get_secrets_file(
        self, group: str | None = None, key: str | None = None, group_version: str | None = None
    ) -> str:
        """The path of its file: the one that is mounted for this attempt, else where one would be."""
        title = secret_title(group or "", key or "", group_version or "").lower()
        return self._mounted.get(title) or FileSecrets().path(group or "", key or "", group_version or "")

    def mount_file(self, value: SecretValue, path: str) -> None:
        """``get_secrets_file`` is to answer with ``path`` for a secret."""
        self._mounted[secret_title(*_key(value)).lower()] = path
        self._mounted.setdefault(secret_title(value.group, value.key).lower(), path)

    def __getattr__(self, group: str) -> SecretGroup:
        if group.startswith("_"):
            raise AttributeError(group)
        return SecretGroup(self, group)


class SecretGroup:
    """The secrets of a group, as attributes."""

    def __init__(self, secrets: Secrets, group: str) -> None:
        self._secrets = secrets
        self._group = group

    def __getattr__(self, key: str) -> str:
        if key.startswith("_"):
            raise AttributeError(key)
        value: str = self._secrets.get(self._group, key)
        return value

    def __call__(self, key: str) -> str:
        """The same for a key that is no Python name."""
        value: str = self._secrets.get(self._group, key)
        return value


def secret_variable(group: str, key: str, version: str = "") -> str:
    """``_FSEC_<GROUP>_<KEY>``."""
    return PREFIXES[-1] + "_".join(parts_of(group, key, version)).upper()


def _key(value: SecretValue) -> tuple[str, str, str]:
    return value.group, value.key, value.version
