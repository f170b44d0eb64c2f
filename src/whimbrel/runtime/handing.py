"""Secrets on their way to an attempt: looked up where it is launched, mounted where it runs.

The engine's launch has none; the executor adds those that the task declared, and only the worker that runs it sees
them. They travel on the connection to it, and are written nowhere but, where a file is asked for, into a private
directory that goes with the attempt.

Knows: requests, sources, the environment of a process. Must not know: stores, transports.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from msgspec.structs import replace

from whimbrel.authoring.secret_sources import PREFIXES, SecretSource
from whimbrel.authoring.secrets import Secrets, secret_variable
from whimbrel.errors import WhimbrelError
from whimbrel.model.attempt import Launch
from whimbrel.model.secrets import KEY_VARIABLE, SecretMount, SecretRequest, SecretValue
from whimbrel.runtime.environment import laid_over

_MEMORY = "/dev/shm"
"""Where files do not reach the disk, on Linux."""


def handed(launch: Launch, source: SecretSource | None) -> Launch:
    """``launch`` with the secrets that its task declared, those that there are.

    A source that cannot be read does not stop the launch: the attempt says so when it asks for a secret.
    """
    if not launch.task.secrets or source is None:
        return launch
    found: dict[tuple[str, str, str], SecretValue] = {}
    trouble = ""
    for request in launch.task.secrets:
        try:
            for group, key in _meant(request, source):
                value = source.find(group, key, request.version)
                if value is not None:
                    found[group, key, request.version] = SecretValue(group, key, value, request.version)
        except WhimbrelError as error:
            trouble = str(error)
    return replace(launch, secrets=tuple(found.values()), secrets_trouble=trouble)


def _meant(request: SecretRequest, source: SecretSource) -> Iterator[tuple[str, str]]:
    yield request.group, request.key
    if not request.key:
        # `Secret("token")` may mean a key without a group, or every key of the group.
        for key in source.keys(request.group):
            yield request.group, key


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """The variables of a process that is to run tasks: secrets reach it by their attempts alone."""
    return {
        name: value
        for name, value in environment.items()
        if not name.upper().startswith(PREFIXES) and name != KEY_VARIABLE
    }


def secrets_of(launch: Launch) -> Secrets:
    """What ``current_context().secrets`` is in the attempt."""
    task = launch.task
    name = task.name.rpartition(".")[2] or task.name
    return Secrets(declared=task.secrets, values=launch.secrets, of=name, trouble=launch.secrets_trouble)


_NOTHING: AbstractContextManager[None] = nullcontext()


def mounted(launch: Launch, secrets: Secrets) -> AbstractContextManager[None]:
    """The secrets of an attempt in variables and files, as they were asked for, while the block runs.

    Raises ``SecretNotFound`` where one that names a variable, or wants a file, is not there.
    """
    return _mounted(launch, secrets) if launch.task.secrets else _NOTHING


@contextmanager
def _mounted(launch: Launch, secrets: Secrets) -> Iterator[None]:
    place = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="whimbrel-secrets-", dir=place, ignore_cleanup_errors=True) as directory:
        variables: dict[str, str] = {}
        for request in launch.task.secrets:
            variables |= _mount(request, launch.secrets, secrets, directory)
        with laid_over(variables):
            yield


def _mount(request: SecretRequest, values: tuple[SecretValue, ...], secrets: Secrets, directory: str) -> dict[str, str]:
    """The variables of one request; its files are written."""
    covered = [value for value in values if request.covers(value.group, value.key)]
    if not covered and (request.env_var or request.mount is not SecretMount.ANY):
        # Says where it was looked for.
        secrets.get(request.group, request.key, request.version)
    variables = {}
    for value in covered:
        text = value.value.decode("utf-8", "surrogateescape")
        if request.mount is SecretMount.FILE:
            text = _write(value, directory)
            secrets.mount_file(value, text)
        elif "\0" in text:
            # No variable can hold it; `get(..., encode_mode="rb")` gives it.
            continue
        else:
            variables[secret_variable(value.group, value.key, value.version)] = text
        if request.env_var:
            variables[request.env_var] = text
    return variables


def _write(value: SecretValue, directory: str) -> str:
    path = os.path.join(directory, f"{len(os.listdir(directory))}")
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(value.value)
    return path
