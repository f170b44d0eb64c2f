"""``pyflyte package`` and ``pyflyte serialize``: everything in some packages, as the messages that Flyte registers.

Knows: options. Must not know: how entities are found and encoded.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from flytekit._remote.serializing import messages_of, write_archive, write_messages
from flytekit.configuration import Config
from whimbrel.errors import InputInvalid

PACKAGES = "flytekit.packages"
"""Where the group leaves what ``-k`` said, in click's ``meta``."""

_IMAGE = click.option("-i", "--image", "images", multiple=True, metavar="[NAME=]IMAGE", help="The image of tasks.")
_SOURCE = click.option(
    "-s",
    "--source",
    "--local-source-root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default=".",
    show_default=True,
    help="The directory that the packages are in.",
)


def _messages(context: click.Context, source: Path, images: Sequence[str], version: str) -> list[Any]:
    """Everything that is registered of the packages. Raises ``CompileError``, ``EntityNotFound``, ``InputInvalid``."""
    parts = [text.rpartition("=") for text in images]
    named = {name or "default": image for name, _, image in parts}
    return messages_of(context.meta.get(PACKAGES) or [], source, named, version)


@click.command("package", short_help="Compile packages into an archive.")
@_IMAGE
@_SOURCE
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), default="flyte-package.tgz", show_default=True
)
@click.option("-f", "--force", is_flag=True, help="Replace an archive that is there.")
@click.option("--version", default="", help="The version.  [default: a digest of the programs]")
@click.pass_context
def package(
    context: click.Context, source: Path, images: tuple[str, ...], output: Path, force: bool, version: str
) -> None:
    """Compile every task, workflow and launch plan of the packages that -k names into a .tgz."""
    if output.exists() and not force:
        raise InputInvalid(f"{str(output)!r} is there already; give --force to replace it, or another --output")
    found = _messages(context, source, images, version)
    write_archive(found, output)
    click.echo(f"packaged {len(found)} messages into {output}")


@click.group("serialize", short_help="Compile packages into files.")
@_IMAGE
@_SOURCE
@click.pass_context
def serialize(context: click.Context, images: tuple[str, ...], source: Path) -> None:
    """Compile every task, workflow and launch plan of the packages that -k names."""
    Config.auto()  # a configuration that cannot be read is told before anything is compiled
    context.obj = (source, images)


@serialize.command("workflows", short_help="One .pb file for each.")
@click.option("-f", "--folder", type=click.Path(file_okay=False, path_type=Path), default=".", help="Where they go.")
@click.pass_context
def workflows(context: click.Context, folder: Path) -> None:
    """One .pb file for each task, workflow and launch plan, in the order in which they are registered."""
    source, images = context.obj
    found = _messages(context, source, images, "")
    write_messages(found, folder)
    click.echo(f"serialized {len(found)} messages into {folder}")
