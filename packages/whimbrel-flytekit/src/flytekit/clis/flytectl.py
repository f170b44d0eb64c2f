"""The program ``flytectl``: a server on this machine, and what is on a server.

Knows: click, its verbs. Must not know: how a server is started or asked.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib.metadata import version

import click

from flytekit.clis.config_files import config
from flytekit.clis.controlling import create, delete, get, update
from flytekit.clis.demo import demo
from flytekit.clis.programs import SETTINGS, Verbs, run_program


@click.group("flytectl", cls=Verbs, context_settings=SETTINGS)
@click.option("-c", "--config", "file", metavar="FILE", help="A configuration file.")
def _program(file: str | None) -> None:
    """Start a server on this machine, and look after what is on a server."""
    if file is not None:
        os.environ["FLYTECTL_CONFIG"] = file


@_program.command("version", short_help="Print the version.")
def _version() -> None:
    """Print the version."""
    click.echo(f"flytectl {version('whimbrel-flytekit')} (whimbrel)")


for _verb in (config, create, delete, get, update):
    _program.add_command(_verb)
_program.add_command(demo)
_program.add_command(demo, "sandbox")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; its exit code."""
    assert isinstance(_program, Verbs)
    return run_program(_program, arguments)
