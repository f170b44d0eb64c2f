"""Where secrets come from outside any store: variables of the environment, and files.

Knows: names and places. Must not know: who may read them, the encrypted store (it offers the same two verbs).
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

PREFIXES = ("WHIMBREL_SECRET_", "_FSEC_")
"""What the names of variables begin with: ours, and flytekit's."""
DIRECTORY_VARIABLE = "WHIMBREL_SECRETS_DIR"
DEFAULT_DIRECTORY = "/etc/secrets"


class SecretSource(Protocol):
    """Finds secrets. What it finds is exactly what was kept, as bytes."""

    def find(self, group: str, key: str, version: str) -> bytes | None:
        """The secret; ``None`` when there is none here. ``group``, ``key`` and ``version`` may be ""."""
        ...

    def keys(self, group: str) -> list[str]:
        """The keys of ``group`` that this source has."""
        ...


def parts_of(group: str, key: str, version: str) -> list[str]:
    """What a secret's name is made of, in flytekit's order."""
    return [part for part in (group, version, key) if part]


def variable_names(group: str, key: str, version: str = "") -> Iterator[str]:
    """The variables that may hold a secret, the first that is set being meant."""
    name = "_".join(parts_of(group, key, version)).upper()
    # A shell sets no variable with other characters in its name.
    plain = "".join(letter if letter.isalnum() else "_" for letter in name)
    for prefix in PREFIXES:
        yield from dict.fromkeys((prefix + plain, prefix + name))


class EnvironmentSecrets:
    """``WHIMBREL_SECRET_<GROUP>_<KEY>`` and ``_FSEC_<GROUP>_<KEY>``."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = environment

    def _variables(self) -> Mapping[str, str]:
        return os.environ if self._environment is None else self._environment

    def find(self, group: str, key: str, version: str) -> bytes | None:
        """See ``SecretSource``."""
        variables = self._variables()
        found = (variables.get(name) for name in variable_names(group, key, version))
        value = next((value for value in found if value is not None), None)
        return None if value is None else value.encode("utf-8", "surrogateescape")

    def keys(self, group: str) -> list[str]:
        """See ``SecretSource``. In lower case: the case of keys is lost in variables."""
        beginnings = tuple(f"{name}_" for name in variable_names(group, ""))
        found = {
            name.removeprefix(beginning).lower(): None
            for name in self._variables()
            for beginning in beginnings
            if name.startswith(beginning)
        }
        return list(found)


class FileSecrets:
    """``<directory>/<group>/<key>``, as Kubernetes and Docker mount them. Names may be in lower case there."""

    def __init__(self, directory: str | None = None) -> None:
        self._directory = directory

    @property
    def directory(self) -> str:
        """Where it looks: what it was told, else ``WHIMBREL_SECRETS_DIR``, else ``/etc/secrets``."""
        return self._directory or os.environ.get(DIRECTORY_VARIABLE) or DEFAULT_DIRECTORY

    def path(self, group: str, key: str, version: str = "") -> str:
        """Where the file of a secret is, or would be."""
        return os.path.join(self.directory, *(part.lower() for part in parts_of(group, key, version)))

    def find(self, group: str, key: str, version: str) -> bytes | None:
        """See ``SecretSource``."""
        parts = parts_of(group, key, version)
        if any(not _is_name(part) for part in parts):
            return None
        for path in dict.fromkeys((os.path.join(self.directory, *parts), self.path(group, key, version))):
            try:
                with open(path, "rb") as file:
                    # Editors end files with a line end, which is never meant.
                    return file.read().removesuffix(b"\n").removesuffix(b"\r")
            except OSError:
                continue
        return None

    def keys(self, group: str) -> list[str]:
        """See ``SecretSource``."""
        if not _is_name(group):
            return []
        for name in dict.fromkeys((group, group.lower())):
            try:
                entries = sorted(os.scandir(os.path.join(self.directory, name)), key=lambda entry: entry.name)
            except OSError:
                continue
            # Kubernetes keeps its own links there, which begin with two dots.
            return [entry.name for entry in entries if not entry.name.startswith(".") and entry.is_file()]
        return []


def _is_name(part: str) -> bool:
    """Whether it is the name of a file and leads nowhere else."""
    return part not in ("", ".", "..") and "/" not in part and "\0" not in part


class SecretSources:
    """Several sources; the first that has a secret is meant."""

    def __init__(self, sources: Sequence[SecretSource]) -> None:
        self._sources = tuple(sources)

    def find(self, group: str, key: str, version: str) -> bytes | None:
        """See ``SecretSource``."""
        for source in self._sources:
            value = source.find(group, key, version)
            if value is not None:
                return value
        return None

    def keys(self, group: str) -> list[str]:
        """See ``SecretSource``. Of keys that differ in case alone the first is kept."""
        found: dict[str, str] = {}
        for source in self._sources:
            for key in source.keys(group):
                found.setdefault(key.lower(), key)
        return list(found.values())


class GivenSecrets:
    """Secrets from a mapping of ``group/key`` to text: for tests."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        self._secrets = {name.lower(): value for name, value in secrets.items()}

    def find(self, group: str, key: str, version: str) -> bytes | None:
        """See ``SecretSource``."""
        value = self._secrets.get("/".join(parts_of(group, key, version)).lower())
        return None if value is None else value.encode()

    def keys(self, group: str) -> list[str]:
        """See ``SecretSource``."""
        beginning = f"{group.lower()}/"
        return [name.removeprefix(beginning) for name in self._secrets if name.startswith(beginning)]


def looked_in(group: str, key: str, version: str = "") -> str:
    """Where a secret was looked for, as the end of a sentence."""
    names = list(variable_names(group, key, version))
    return f"{names[0]} and {names[-1]} in the environment, {FileSecrets().path(group, key, version)}"


def environment_and_files() -> SecretSources:
    """The sources that every process has."""
    return SecretSources((EnvironmentSecrets(), FileSecrets()))
