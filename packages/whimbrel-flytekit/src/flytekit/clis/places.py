"""What the verbs that talk to a server share: which server, which project and domain.

Knows: click, ``FlyteRemote``. Must not know: what is asked of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import click
from rich.console import Console
from rich.table import Table

from flytekit._remote.configuring import found_config
from flytekit.configuration import TaskConfig
from flytekit.remote import FlyteRemote
from whimbrel.errors import InputInvalid

_WIDE = 10_000
"""Characters of a line that nobody's terminal cuts."""

F = TypeVar("F", bound=Callable[..., Any])


def place_options(function: F) -> F:
    """``--project`` and ``--domain``."""
    for names, field in ((("-d", "--domain"), "domain"), (("-p", "--project"), "project")):
        function = click.option(
            *names,
            envvar=f"FLYTE_DEFAULT_{field.upper()}",
            default=lambda field=field: getattr(TaskConfig.auto(), field),
            show_default={"project": "flytesnacks", "domain": "development"}[field],
            metavar=field.upper(),
            help=f"The {field} that is meant.",
        )(function)
    return function


def remote_at(project: str | None, domain: str | None) -> FlyteRemote:
    """The server that the configuration names, at a project and domain."""
    return FlyteRemote(found_config(), default_project=project, default_domain=domain)


def pairs(said: Iterable[str], option: str) -> dict[str, str]:
    """``K=V`` texts as a mapping. Raises ``InputInvalid``."""
    found = {}
    for text in said:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise InputInvalid(f"{option} {text!r}: write it like {option} NAME=value.")
        found[name] = value
    return found


def print_table(table: Table) -> None:
    """Print it whole: what is piped has no width."""
    for column in table.columns:
        column.overflow = "fold"
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDE)
    console.print(table)


def version_of(text: str) -> tuple[str, str]:
    """``NAME:VERSION`` in its two parts; the version is "" when none is said."""
    name, _, version = text.partition(":")
    return name, version
