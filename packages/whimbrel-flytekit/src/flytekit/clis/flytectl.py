"""The program ``flytectl``, as far as there is something to control: it says what to do instead.

Knows: click. Must not know: servers.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

import click

from flytekit.clis.programs import SETTINGS, Verbs, run_program


@click.group("flytectl", cls=Verbs, context_settings=SETTINGS)
@click.option("-c", "--config", expose_value=False, metavar="FILE", help="A configuration file; without effect so far.")
def _program() -> None:
    """Control a server, once there is one: in this release runs are local, see `pyflyte run --help`."""


@_program.command("version", short_help="Print the version.")
def _version() -> None:
    """Print the version."""
    click.echo(f"flytectl {version('whimbrel-flytekit')} (whimbrel)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; its exit code."""
    assert isinstance(_program, Verbs)
    return run_program(_program, arguments)
