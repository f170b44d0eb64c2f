"""``pyflyte package`` and ``pyflyte serialize``: everything in some packages, as the messages that Flyte registers.

Knows: how modules and entities are found, whimbrel's encoder (extra ``flyte``). Must not know: servers.
"""

from __future__ import annotations

import importlib
import io
import pkgutil
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from flytekit.configuration import Config, TaskConfig
from whimbrel.authoring.checking import module_entities
from whimbrel.authoring.declaring import declarations, whole_program
from whimbrel.authoring.entity import Entity
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.graph.digest import program_digest

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


def _modules(names: Sequence[str], source: Path) -> Iterator[Any]:
    """The modules of the packages; without any, those of ``source``."""
    root = str(source.resolve())
    if root not in sys.path:
        sys.path.insert(0, root)
    if not names:
        names = [found.name for found in pkgutil.iter_modules([root])]
    for name in names:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name is None or not name.startswith(error.name):
                raise
            raise EntityNotFound(
                f"there is no package {name!r} under {root}; name it with -k, its root with -s"
            ) from None
        yield module
        for found in pkgutil.walk_packages(getattr(module, "__path__", []), f"{name}."):
            yield importlib.import_module(found.name)


def _messages(context: click.Context, source: Path, images: Sequence[str], version: str) -> list[Any]:
    """Everything that is registered of the packages. Raises ``CompileError``, ``EntityNotFound``, ``InputInvalid``."""
    # Only here: they need the extra ``flyte``.
    try:
        ids = importlib.import_module("whimbrel.wire.flyte.ids")
        encoding = importlib.import_module("whimbrel.wire.flyte.program")
    except ModuleNotFoundError as error:
        raise InputInvalid(f"compiled output needs {error.name}: pip install 'whimbrel[flyte]'") from None
    entities: dict[str, Entity[..., Any]] = {}
    for module in _modules(context.meta.get(PACKAGES) or [], source):
        entities |= {entity.name: entity for entity in module_entities(module).values()}
    if not entities:
        raise EntityNotFound("there is nothing to serialize: no task or workflow in these packages")
    program = whole_program(list(entities.values()))
    parts = [text.rpartition("=") for text in images]
    named = {name or "default": image for name, _, image in parts}
    place = TaskConfig.auto()
    registration = ids.Registration(
        place.project,
        place.domain,
        version or program_digest(program)[:16],
        image=named.pop("default", "whimbrel:latest"),
        images=named,
    )
    found: list[Any] = encoding.encode_program(program, declarations(list(entities.values()), program), registration)
    return found


def _files(found: Sequence[Any], directory: Path) -> list[Path]:
    output = importlib.import_module("whimbrel.cli.flyte_output")
    written: list[Path] = output.write_files(list(found), directory, json=False)
    return written


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
    with tempfile.TemporaryDirectory() as directory, tarfile.open(output, "w:gz") as archive:
        for path in _files(found, Path(directory)):
            data = path.read_bytes()
            member = tarfile.TarInfo(path.name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
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
    _files(found, folder)
    click.echo(f"serialized {len(found)} messages into {folder}")
